"""The native kernel behind a typed face. Refuses pictures it is not defined for, by name.

Which path is used where, and why: docs/adr/0007-one-operator-for-speed-and-views.md.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from staydown import _native
from staydown.fingerprint.errors import TooManyPixels, TooSmall
from staydown.fingerprint.limits import MAX_SIDE, MIN_SIDE
from staydown.fingerprint.terms import CODE_BYTES, DERIVATIONS, Algorithm, Digests, Fingerprint

Pixels = npt.NDArray[np.uint8]
Plane = npt.NDArray[np.float32]

_FAST, _KEEP_PLANE = 1, 2  # SD_FAST, SD_KEEP_PLANE in native/include/staydown.h

# While the two middle coefficients are further apart than this, rounding cannot make a bit of the fast code
# differ from the exact one. Between both paths a coefficient differed by at most 0.0017 (pictures of 0.3 to
# 108 megapixels); two of them may move towards each other; and as much again to be safe.
SAFE_MARGIN = 0.007


class Method(StrEnum):
    """How PDQ is computed."""

    EXACT = "exact"
    """In the published order of float operations: bit-identical to `pdqhash`. For what is registered."""
    FAST = "fast"
    """By one separable operator, about three times as quick: for what is only looked up."""


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A part of a picture, in pixels of the full-size picture."""

    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Turns:
    """The eight codes of one rectangle at one scale, in the order of DERIVATIONS, and their quality."""

    codes: bytes
    """8 x 32 bytes."""
    quality: int

    def code(self, turn: str = "full") -> bytes:
        """The code of one turn. Raises ValueError for a name that is not in DERIVATIONS."""
        at = CODE_BYTES * DERIVATIONS.index(turn)
        return self.codes[at : at + CODE_BYTES]

    def fingerprints(self, algorithm: Algorithm) -> tuple[Fingerprint, ...]:
        """The eight fingerprints."""
        return tuple(Fingerprint(algorithm, self.code(turn), self.quality, turn) for turn in DERIVATIONS)


@dataclass(frozen=True, slots=True)
class PhotoCodes:
    """Both algorithms' codes of a whole picture."""

    pdq: Turns
    pdq512: Turns
    margin: float
    """The smaller of both algorithms' distances between the two middle coefficients."""

    def fingerprints(self) -> tuple[Fingerprint, ...]:
        """The sixteen fingerprints: both algorithms, each with the eight turns."""
        return self.pdq.fingerprints(Algorithm.PDQ) + self.pdq512.fingerprints(Algorithm.PDQ512)


class PhotoScan:
    """One picture, fed as strips of rows from the top and never held whole. The GIL is released.

    width, height: the full-size picture's. step: 1; or 2, 4 or 8 if the strips come from a decoder that has
    reduced the picture by area already (then with Method.FAST only): ceil(width / step) pixels a row,
    ceil(height / step) rows. keeps_plane: whether `view` and `plane` are wanted afterwards.
    Raises TooSmall, TooManyPixels; ValueError for another step.
    """

    def __init__(
        self,
        width: int,
        height: int,
        *,
        step: int = 1,
        method: Method = Method.EXACT,
        keeps_plane: bool = False,
    ) -> None:
        check_sides(width, height)
        flags = (_FAST if method is Method.FAST else 0) | (_KEEP_PLANE if keeps_plane else 0)
        self._photo = _native.photo_begin(width, height, step, flags)

    def rows(self, strip: Pixels) -> None:
        """Takes the next rows.

        strip: (rows, ceil(width / step), 1 | 3 | 4) uint8, C-contiguous; luma, RGB, or RGB with a fourth
        channel that is ignored. Raises ValueError if it does not fit.
        """
        _native.photo_rows(self._photo, strip)

    def finish(self) -> PhotoCodes:
        """The whole picture's codes. Raises ValueError if rows are missing."""
        codes, (pdq, pdq512), margins = _native.photo_finish(self._photo)
        half = len(codes) // 2
        return PhotoCodes(Turns(codes[:half], pdq), Turns(codes[half:], pdq512), min(margins))

    def view(self, rectangle: Rectangle) -> Turns:
        """The pdq codes of a part of the picture, without a copy of it; after `finish`.

        At most a few bits from `pdqhash` of that part (docs/adr/0007). Raises ValueError if the rectangle
        does not lie in the picture, a side is under five pixels, or no plane was kept.
        """
        codes, quality = _native.photo_view(
            self._photo, rectangle.left, rectangle.top, rectangle.width, rectangle.height
        )
        return Turns(codes, quality)

    def plane(self) -> Plane:
        """The kept luma, 0..255, as block means: (rows, columns) float32, at most 2**22 of them."""
        values, width, height = _native.photo_plane(self._photo)
        return np.frombuffer(values, np.float32).reshape(height, width)


def check_sides(width: int, height: int) -> None:
    """Raises TooSmall or TooManyPixels for a picture that has no fingerprint whatever the limits are."""
    if min(width, height) < MIN_SIDE:
        raise TooSmall(f"The picture is {width} x {height} pixels; each side must have at least {MIN_SIDE}.")
    if max(width, height) > MAX_SIDE:
        raise TooManyPixels(
            f"The picture is {width} x {height} pixels; no side may have more than {MAX_SIDE}."
        )


def scan_strips(
    strips: Iterable[Pixels],
    *,
    width: int,
    height: int,
    step: int = 1,
    method: Method = Method.EXACT,
    keeps_plane: bool = False,
) -> tuple[PhotoScan, PhotoCodes]:
    """A picture that arrives in strips: its finished scan (for views) and its codes. Raises as PhotoScan."""
    scan = PhotoScan(width, height, step=step, method=method, keeps_plane=keeps_plane)
    for strip in strips:
        scan.rows(strip)
    return scan, scan.finish()


def photo_codes(pixels: Pixels, *, method: Method = Method.EXACT) -> PhotoCodes:
    """Both algorithms' codes of one picture that is in memory.

    pixels: (height, width, 1 | 3 | 4) uint8, C-contiguous. Raises TooSmall, TooManyPixels.
    Source: hashing.pdf of ThreatExchange. EXACT equals `pdqhash` 0.2.8 bit for bit; FAST gives the same code
    of the unturned picture, because where that is not certain it is computed again.
    """
    height, width = pixels.shape[:2]
    return certain_scan(lambda: [pixels], width=width, height=height, method=method)[1]


def certain_scan(
    strips: Callable[[], Iterable[Pixels]],
    *,
    width: int,
    height: int,
    step: int = 1,
    method: Method,
    keeps_plane: bool = False,
) -> tuple[PhotoScan, PhotoCodes]:
    """As `scan_strips`; where a FAST code is not certain (flat or tied pictures), the strips go in again.

    strips: gives the strips from the top, each time it is called. With a step there is no exact code to be
    certain of, and they go in once.
    """
    scan, codes = scan_strips(
        strips(), width=width, height=height, step=step, method=method, keeps_plane=keeps_plane
    )
    if method is Method.FAST and step == 1 and codes.margin < SAFE_MARGIN:
        return scan_strips(strips(), width=width, height=height, keeps_plane=keeps_plane)
    return scan, codes


def digests_of(data: bytes | bytearray | memoryview) -> Digests:
    """MD5 and SHA-256 by the kernel that the browser runs. For files use `digest_file`: it is quicker."""
    both = _native.digests(data)
    return Digests(sha256=both[16:].hex(), md5=both[:16].hex())
