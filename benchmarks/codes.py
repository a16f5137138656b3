"""The codes of the corpus: what is registered of each photo, and what each upload is looked up by.

Both are computed by the code that ships, cached in var/bench/codes under a digest of the files that they
depend on. Refuses to reuse codes after the kernel, the edits or the search for rectangles has changed.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

import staydown.fingerprint
from benchmarks import corpus, edits, packages
from benchmarks.corpus import Picture
from staydown import _native
from staydown.fingerprint import DEFAULT_LIMITS, MIN_QUALITY, Algorithm, QueryLevel
from staydown.fingerprint.kernel import scan_strips
from staydown.fingerprint.query import query_answer
from staydown.fingerprint.views import view_rectangle

Codes = npt.NDArray[np.uint8]

# Everything that views.py can name, in steps finer than any set uses: the candidates of choose_set.py.
ASPECT_NAMES = ("1:1", "4:5", "3:4", "4:3", "3:2", "16:9", "9:16")
VIEWS: tuple[str, ...] = (
    "full",
    *(f"cc{keep}" for keep in range(99, 49, -1)),
    *(f"{kind}-{cut}" for kind in ("tb", "lr") for cut in range(4, 41)),
    *(f"{side}-{cut}" for side in ("top", "bot", "left", "right") for cut in range(2, 41)),
    *(f"{corner}{keep}" for corner in ("tl", "tr", "bl", "br") for keep in range(96, 59, -4)),
    *(f"as{aspect}{offset}" for aspect in ASPECT_NAMES for offset in ("", "@0", "@25", "@75", "@100")),
)
TURNS = staydown.fingerprint.DERIVATIONS
# What an upload's rectangles are called, in the order of the arrays. The first two are the whole picture.
QUERY_NAMES: tuple[str, ...] = (
    "full", "full512", "strip", "interface",
    *(f"cut{n}" for n in range(1, 7)), *(f"deep{n}" for n in range(1, 11)),
)  # fmt: skip
LEVELS: dict[str, tuple[int, ...]] = {
    "plain": (0,),
    "geo9": tuple(range(2)) + tuple(range(2, 10)),
    "deep": tuple(range(len(QUERY_NAMES))),
}
# Registration sees the picture as large as it is; beyond this a corpus of wallpapers would take hours and no
# code would differ by more than a bit or two.
REGISTERED_LONGEST = 3000


@dataclass(frozen=True)
class Registered:
    """All candidate codes of one photo."""

    picture: Picture
    codes: Codes
    """(views, 8 turns, 32) uint8; zeros where the photo is too small for the view."""
    quality: npt.NDArray[np.int16]
    """(views,), -1 where there is no such view."""
    code512: Codes
    """(8, 32) uint8"""
    quality512: int


@dataclass(frozen=True)
class Uploads:
    """All query codes of the uploads made of one picture."""

    picture: Picture
    families: tuple[str, ...]
    codes: Codes
    """(uploads, len(QUERY_NAMES), 32) uint8"""
    quality: npt.NDArray[np.int16]
    """(uploads, len(QUERY_NAMES)), -1 where the upload has no such rectangle."""

    def sought(self, level: str) -> npt.NDArray[np.bool_]:
        """(uploads, len(QUERY_NAMES)): which codes are sought at this level: those of quality 50 and more."""
        mask = np.zeros(len(QUERY_NAMES), bool)
        mask[list(LEVELS[level])] = True
        return mask & (self.quality >= MIN_QUALITY)


def register(picture: Picture) -> Registered:
    """Every candidate code of a photo, by the exact kernel from its pixels."""
    pixels = np.ascontiguousarray(corpus.pixels_of(picture, longest=REGISTERED_LONGEST))
    codes, quality, code512, quality512 = codes_of_views(pixels, VIEWS)
    return Registered(picture, codes, quality, code512, quality512)


def codes_of_views(pixels: Codes, views: Sequence[str]) -> tuple[Codes, npt.NDArray[np.int16], Codes, int]:
    """Codes (views, 8, 32) and qualities of these views, and the eight pdq512 codes with theirs."""
    height, width = pixels.shape[:2]
    scan, whole = scan_strips([pixels], width=width, height=height, keeps_plane=True)
    codes = np.zeros((len(views), 8, 32), np.uint8)
    quality = np.full(len(views), -1, np.int16)
    seen = set()
    for place, view in enumerate(views):
        rectangle = view_rectangle(view, width=width, height=height)
        if rectangle is None or rectangle in seen:
            continue
        seen.add(rectangle)
        turns = whole.pdq if view == "full" else scan.view(rectangle)
        codes[place] = np.frombuffer(turns.codes, np.uint8).reshape(8, 32)
        quality[place] = turns.quality
    return codes, quality, np.frombuffer(whole.pdq512.codes, np.uint8).reshape(8, 32), whole.pdq512.quality


def query_codes(jpeg: bytes, *, level: QueryLevel = QueryLevel.DEEP) -> tuple[Codes, npt.NDArray[np.int16]]:
    """Codes (names, 32) and qualities of an upload, by default at the deepest level, as the check does it."""
    _, _, views = query_answer(jpeg, limits=DEFAULT_LIMITS, level=level)
    codes = np.zeros((len(QUERY_NAMES), 32), np.uint8)
    quality = np.full(len(QUERY_NAMES), -1, np.int16)
    deep = iter(range(QUERY_NAMES.index("deep1"), len(QUERY_NAMES)))
    for view in views:
        found = view.fingerprint
        if found.derivation != "full":
            continue
        if found.algorithm is Algorithm.PDQ512:
            place = 1
        else:
            place = QUERY_NAMES.index(view.name) if view.name in QUERY_NAMES else next(deep)
        codes[place] = np.frombuffer(found.code, np.uint8)
        quality[place] = found.quality
    return codes, quality


def upload_codes(picture: Picture) -> Uploads:
    """The query codes of a photo's 61 uploads."""
    made = edits.uploads(corpus.pixels_of(picture, longest=edits.LONGEST_CAP), picture.identity)
    found = [query_codes(one.jpeg) for one in made]
    return Uploads(
        picture,
        tuple(one.family for one in made),
        np.stack([c for c, _ in found]),
        np.stack([q for _, q in found]),
    )


def unedited_codes(picture: Picture) -> Uploads:
    """The query codes of a stranger or a graphic as it is."""
    held = io.BytesIO()
    Image.fromarray(corpus.pixels_of(picture, longest=edits.LONGEST_CAP)).save(
        held, "JPEG", quality=edits.JPEG_QUALITY
    )
    codes, quality = query_codes(held.getvalue())
    return Uploads(picture, ("unedited",), codes[None], quality[None])


def all_registered(pictures: Iterable[Picture]) -> list[Registered]:
    """`register` for all of them, cached, on all cores."""
    return _all(register, list(pictures), "registered", _REGISTRATION)


def all_uploads(pictures: Iterable[Picture]) -> list[Uploads]:
    """`upload_codes` for all of them, cached, on all cores."""
    return _all(upload_codes, list(pictures), "uploads", _QUERY)


def all_unedited(pictures: Iterable[Picture]) -> list[Uploads]:
    """`unedited_codes` for all of them, cached, on all cores."""
    return _all(unedited_codes, list(pictures), "unedited", _QUERY)


def all_of(make: Callable[[Picture], Uploads], pictures: Iterable[Picture], kind: str) -> list[Uploads]:
    """Query codes of uploads that another module makes, cached under `kind`, on all cores."""
    return _all(make, list(pictures), kind, _QUERY)


_HOUSE = Path(staydown.fingerprint.__file__).parent
_HERE = Path(__file__).parent
_REGISTRATION = (Path(_native.__file__ or ""), _HOUSE / "views.py", _HERE / "codes.py")
_QUERY = (
    Path(_native.__file__ or ""), _HOUSE / "rectangles.py", _HOUSE / "query.py",
    _HERE / "edits.py", _HERE / "screens.py",
)  # fmt: skip


def _all(
    make: Callable[[Picture], Any], pictures: list[Picture], kind: str, depends_on: Sequence[Path]
) -> list[Any]:
    version = hashlib.sha256(b"".join(path.read_bytes() for path in depends_on)).hexdigest()[:12]
    folder = packages.CACHE / "codes" / f"{kind}-{version}"
    folder.mkdir(parents=True, exist_ok=True)
    missing = [one for one in pictures if not (folder / f"{one.identity}.npz").exists()]
    if missing:
        print(f"{kind}: computing codes of {len(missing)} pictures", flush=True)
        with ProcessPoolExecutor(os.cpu_count()) as pool:
            for picture, made in zip(missing, pool.map(make, missing, chunksize=1), strict=True):
                _save(folder / f"{picture.identity}.npz", made)
    return [_load(folder / f"{one.identity}.npz", one, kind) for one in pictures]


def _save(path: Path, made: Registered | Uploads) -> None:
    draft = path.with_suffix(".draft.npz")
    if isinstance(made, Registered):
        np.savez(
            draft, codes=made.codes, quality=made.quality, code512=made.code512, quality512=made.quality512
        )
    else:
        np.savez(draft, codes=made.codes, quality=made.quality, families=np.array(made.families))
    draft.replace(path)


def _load(path: Path, picture: Picture, kind: str) -> Registered | Uploads:
    held = np.load(path)
    if kind == "registered":
        return Registered(picture, held["codes"], held["quality"], held["code512"], int(held["quality512"]))
    return Uploads(picture, tuple(str(name) for name in held["families"]), held["codes"], held["quality"])
