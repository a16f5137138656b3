"""Parts of a picture that are registered beside the whole, as data with names. Refuses unknown names.

A name is a view ("cc88": the middle 88 %), a turn ("r90", one of DERIVATIONS), or both ("cc88~fH"); a frame
of a video is "@12.500" (seconds), "@12.500~fH" or "@12.500~cc88~fH". Views only ever cut: a view that adds a
border or a rotated picture's corners lets a decoder recover the picture
(docs/explanation/what-a-fingerprint-can-leak.md).
The sets are in data/fingerprint/derivations.json, chosen by benchmarks/choose_set.py; the device reads the
same.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from staydown.fingerprint.kernel import Rectangle
from staydown.fingerprint.limits import MIN_SIDE
from staydown.fingerprint.terms import DERIVATIONS, Algorithm

_PACKAGE = Path(__file__).resolve().parents[1]
# A checkout has src/staydown and data side by side; a wheel carries staydown/_data.
_PLACES = (_PACKAGE.parents[1] / "data" / "fingerprint", _PACKAGE / "_data" / "fingerprint")

DEFAULT_SET = "crops32"

# "@123456.500~right-19~r270" has 25; the bank's table has room for so many (bank/models.py).
MAX_NAME_CHARACTERS = 32

# Which sides a view takes from, in thousandths of the side for each percent in its name: left, top, right,
# bottom.
_CUTS: dict[str, tuple[int, int, int, int]] = {
    "tb-": (0, 5, 0, 5),
    "lr-": (5, 0, 5, 0),
    "top-": (0, 10, 0, 0),
    "bot-": (0, 0, 0, 10),
    "left-": (10, 0, 0, 0),
    "right-": (0, 0, 10, 0),
}
# The same for views that are named by what they keep.
_KEEPS: dict[str, tuple[int, int, int, int]] = {
    "cc": (5, 5, 5, 5),
    "tl": (0, 0, 10, 10),
    "tr": (10, 0, 0, 10),
    "bl": (0, 10, 10, 0),
    "br": (10, 10, 0, 0),
}
_CUT_VIEW = re.compile(r"(tb-|lr-|top-|bot-|left-|right-|cc|tl|tr|bl|br)([1-9][0-9]?)")
_ASPECT_VIEW = re.compile(r"as([1-9][0-9]?):([1-9][0-9]?)(?:@(0|25|75|100))?")
_FRAME = re.compile(r"@[0-9]{1,6}\.[0-9]{3}")


@dataclass(frozen=True, slots=True)
class DerivationSet:
    """What is registered of one picture."""

    name: str
    derivations: Mapping[Algorithm, tuple[str, ...]]
    """The names for each algorithm; "full" is always there."""


def split_derivation(name: str) -> tuple[str, str]:
    """View and turn of a derivation: "cc88~fH" is ("cc88", "fH"), "r90" is ("full", "r90")."""
    view, _, turn = name.partition("~")
    if not turn and view in DERIVATIONS:
        return "full", view
    return view, turn or "full"


@lru_cache(maxsize=1024)
def is_derivation(name: str) -> bool:
    """Whether this names a view, a turn, both, a frame of a video, or one of those within a frame."""
    if len(name) > MAX_NAME_CHARACTERS:
        return False
    if not name.startswith("@"):
        return _is_within_a_frame(name)
    frame, has_more, rest = name.partition("~")
    if not _FRAME.fullmatch(frame):
        return False
    return not has_more or (rest != "full" and _is_within_a_frame(rest))


def _is_within_a_frame(name: str) -> bool:
    view, turn = split_derivation(name)
    if turn not in DERIVATIONS or name.endswith("~"):
        return False
    if "~" in name and turn == "full":
        return False  # one name for one thing
    return bool(view == "full" or _CUT_VIEW.fullmatch(view) or _ASPECT_VIEW.fullmatch(view))


def view_rectangle(view: str, *, width: int, height: int) -> Rectangle | None:
    """Where a view lies in a picture of this size, in pixels; None if one of its sides has under five.

    All in integers, so that the device finds the same rectangle. Raises ValueError for an unknown view.
    """
    if view == "full":
        rectangle = Rectangle(0, 0, width, height)
    elif found := _CUT_VIEW.fullmatch(view):
        rectangle = _cut(found[1], int(found[2]), width, height)
    elif found := _ASPECT_VIEW.fullmatch(view):
        rectangle = _of_aspect(int(found[1]), int(found[2]), int(found[3] or 50), width, height)
    else:
        raise ValueError(f"there is no view called {view!r}")
    return rectangle if min(rectangle.width, rectangle.height) >= MIN_SIDE else None


def _cut(kind: str, number: int, width: int, height: int) -> Rectangle:
    shares = _CUTS[kind] if kind in _CUTS else _KEEPS[kind]
    percent = number if kind in _CUTS else 100 - number
    left, top, right, bottom = (
        side * share * percent // 1000
        for side, share in zip((width, height, width, height), shares, strict=True)
    )
    return Rectangle(left, top, width - left - right, height - top - bottom)


def _of_aspect(across: int, down: int, offset_percent: int, width: int, height: int) -> Rectangle:
    """The largest rectangle of this aspect, moved along by this part of the room that is left."""
    if width * down > height * across:
        kept = height * across // down
        return Rectangle((width - kept) * offset_percent // 100, 0, kept, height)
    kept = width * down // across
    return Rectangle(0, (height - kept) * offset_percent // 100, width, kept)


def _read_sets() -> Mapping[str, DerivationSet]:
    folder = next(place for place in _PLACES if place.is_dir())
    rows = json.loads((folder / "derivations.json").read_text())["sets"]
    return MappingProxyType(
        {
            name: DerivationSet(
                name, {Algorithm(algorithm): tuple(names) for algorithm, names in set_.items()}
            )
            for name, set_ in rows.items()
        }
    )


DERIVATION_SETS = _read_sets()
"""plain, turns8, crops32 and crops64 by name."""
