"""A picture's corners as ORB sees them, from a grey copy of at most 512 pixels a side.

Refuses to store anything: from corners a picture can be recognised better than from a fingerprint, so they
live only as long as a comparison. Needs OpenCV, which is an extra.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from staydown.fingerprint.decode import DecodedPicture
from staydown.fingerprint.kernel import Pixels
from staydown.matching.errors import OpenCvMissing, WrongShape, WrongType

# Measured at this size; four times as many pixels cost four times as long.
LONG_SIDE = 512

# Comparing costs its square. 1,500 found a few more collages, for twice the comparison.
MAX_POINTS = 1000
# Corners that are found first, of which the best of each cell are kept. Without the cells a sharp or busy
# part takes all places: of four-part collages 0.59 were then found instead of 0.86, of crops to 30 % of each
# side 0.82 instead of 0.91 (22 photographs, while this was chosen).
_FOUND_POINTS = 4000
_CELL_PIXELS = 64

# A corner's pixels must differ by so much from its surroundings, of 255. ORB's own 20 finds nothing in
# blurred and low-contrast copies: recall after a strong blur was 0.18 instead of 0.68 (the same photographs).
_FAST_THRESHOLD = 7

# ORB looks at no corner within 31 pixels of the edge. A mirrored margin lets it, so that small parts have
# corners: of crops to 30 % of each side 0.82 were then found instead of 0.59.
_MARGIN_PIXELS = 32

_CODE_BYTES = 32

# A small copy travels in base64 in one answer of at most 1 MiB: these pixels take 960,000 bytes.
MOST_SMALL_PIXELS = 240_000

Fit = Literal["longer", "shorter", "square"]
"""Which side of a small copy has the length that is asked for."""

Luma = npt.NDArray[np.uint8]


def opencv() -> Any:
    """The module cv2. Raises OpenCvMissing, which says what to install."""
    try:
        import cv2
    except ImportError as error:
        raise OpenCvMissing from error
    return cv2


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Features:
    """The corners of one picture. Private to the platform that holds the picture, and to one comparison."""

    width: int
    """Pixels of the upright, full-size picture."""
    height: int
    points: npt.NDArray[np.float32]
    """(n, 2) float32, C-contiguous: x and y at the size looked at, whose longer side is at most LONG_SIDE."""
    codes: npt.NDArray[np.uint8]
    """(n, 32) uint8, C-contiguous: what surrounds each corner."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height at full size."""
        return self.width, self.height

    @property
    def scale(self) -> float:
        """Full-size pixels for one pixel looked at, 1 or more."""
        return max(1.0, max(self.width, self.height) / LONG_SIDE)


@dataclass(frozen=True, slots=True)
class Turned:
    """How a picture is changed before its corners are taken."""

    mirrored: bool
    inverted: bool


# In the order in which they are tried: mirrored copies are common, negatives rare. Turned copies need no try,
# because the corners' codes turn with them.
TURNS = (Turned(False, False), Turned(True, False), Turned(False, True), Turned(True, True))


def reduced(strips: Iterable[Pixels], *, width: int, height: int) -> Pixels:
    """(height, width, 1 | 3) uint8: a picture's rows reduced to this size by the mean over areas.

    strips: rows from the top, (rows, any width, 1 | 3) uint8. Never holds a copy of the picture at full size.
    """
    cv2 = opencv()
    # Each side by itself, which is what a mean over areas allows: first the columns, strip by strip.
    narrow = np.concatenate([_resized(cv2, strip, width, len(strip)) for strip in strips])
    return _resized(cv2, narrow, width, height)


def luma_of_strips(strips: Iterable[Pixels], *, width: int, height: int) -> Luma:
    """(h, w) uint8, the longer side at most LONG_SIDE; smaller pictures stay as they are.

    strips: as for `reduced`, of a picture of this full size; a decoder may have reduced it already.
    """
    cv2 = opencv()
    across, down = fitting(width, height, side=LONG_SIDE)

    def grey(strip: Pixels) -> Pixels:
        return strip if strip.shape[2] == 1 else cv2.cvtColor(strip, cv2.COLOR_RGB2GRAY)[:, :, None]

    return reduced(map(grey, strips), width=across, height=down)[:, :, 0]


def fitting(width: int, height: int, *, side: int) -> tuple[int, int]:
    """The size, in whole pixels and at least 1, at which the longer side is at most `side`."""
    shrink = min(1.0, side / max(width, height))
    return max(1, round(width * shrink)), max(1, round(height * shrink))


def small_copy(picture: DecodedPicture | Pixels, *, fit: Fit, side: int) -> Pixels:
    """(height, width, 3) uint8: a copy of the picture with at most MOST_SMALL_PIXELS.

    fit: which side has the given length: the "longer" one, smaller pictures staying as they are; the
    "shorter" one, smaller pictures being enlarged; or both, the picture being squeezed to a "square".
    Raises ValueError for another word; and as `strips_of`.
    """
    strips, width, height = strips_of(picture)
    if fit == "longer":
        most = math.isqrt(MOST_SMALL_PIXELS * max(width, height) // min(width, height))
        width, height = fitting(width, height, side=min(side, most))
        width, height = min(width, MOST_SMALL_PIXELS // height), min(height, MOST_SMALL_PIXELS // width)
    elif fit == "shorter":
        side = min(side, math.isqrt(MOST_SMALL_PIXELS))
        longest = MOST_SMALL_PIXELS // side  # what is longer than this is squeezed
        grow = side / min(width, height)
        width, height = min(longest, round(width * grow)), min(longest, round(height * grow))
    elif fit == "square":
        width = height = min(side, math.isqrt(MOST_SMALL_PIXELS))
    else:
        raise ValueError(fit)
    small = reduced(strips, width=width, height=height)
    return np.repeat(small, 3, axis=2) if small.shape[2] == 1 else small


def features_of_luma(luma: Luma, *, width: int, height: int, turned: Turned = TURNS[0]) -> Features:
    """The corners of a grey picture, changed as `turned` says. No corner is a result too."""
    cv2 = opencv()
    changed = luma[:, ::-1] if turned.mirrored else luma
    changed = 255 - changed if turned.inverted else changed
    framed = cv2.copyMakeBorder(np.ascontiguousarray(changed), *[_MARGIN_PIXELS] * 4, cv2.BORDER_REFLECT)
    inside = np.zeros_like(framed)
    inside[_MARGIN_PIXELS:-_MARGIN_PIXELS, _MARGIN_PIXELS:-_MARGIN_PIXELS] = 255
    finder = cv2.ORB_create(nfeatures=_FOUND_POINTS, fastThreshold=_FAST_THRESHOLD)
    kept, codes = finder.compute(framed, _spread(cv2, finder.detect(framed, inside)))
    if codes is None:
        return Features(width, height, np.empty((0, 2), np.float32), np.empty((0, _CODE_BYTES), np.uint8))
    points = cv2.KeyPoint.convert(kept).reshape(-1, 2) - np.float32(_MARGIN_PIXELS)
    return Features(width, height, np.ascontiguousarray(points, np.float32), codes)


def features_of(picture: DecodedPicture | Pixels, *, turns: Sequence[Turned]) -> tuple[Features, ...]:
    """The corners of a picture for each of the turns. Raises as `strips_of`."""
    strips, width, height = strips_of(picture)
    luma = luma_of_strips(strips, width=width, height=height)
    return tuple(features_of_luma(luma, width=width, height=height, turned=turned) for turned in turns)


def strips_of(picture: DecodedPicture | Pixels) -> tuple[Iterable[Pixels], int, int]:
    """The rows of a decoded picture, or of pixels (height, width[, 1 | 3]) uint8; its full width and height.

    Raises WrongShape or WrongType for pixels of another form; the rows may raise a NotFingerprintable.
    """
    if isinstance(picture, DecodedPicture):
        return picture.strips(), picture.width, picture.height
    pixels = picture[:, :, None] if picture.ndim == 2 else picture
    if pixels.ndim != 3 or pixels.shape[2] not in (1, 3) or 0 in pixels.shape:
        raise WrongShape("Pixels have the shape (height, width, 1 or 3) and at least one pixel.")
    if pixels.dtype != np.uint8:
        raise WrongType("Pixels are uint8.")
    height, width = pixels.shape[:2]
    return [np.ascontiguousarray(pixels)], width, height


def _resized(cv2: Any, pixels: Pixels, width: int, height: int) -> Pixels:
    """OpenCV takes rows of one channel without their third axis, and gives them back so."""
    resized: Pixels = cv2.resize(np.ascontiguousarray(pixels), (width, height), interpolation=cv2.INTER_AREA)
    return resized[:, :, None] if resized.ndim == 2 else resized


def _spread(cv2: Any, found: Any) -> Any:
    """At most MAX_POINTS of the corners: the best of each cell, then the second best of each, and so on."""
    if len(found) <= MAX_POINTS:
        return found
    cells = (cv2.KeyPoint.convert(found) // _CELL_PIXELS).astype(np.int64) @ np.array([1, 1 << 16])
    strength = np.array([point.response for point in found])
    by_cell = np.lexsort((-strength, cells))
    starts = np.flatnonzero(np.diff(cells[by_cell], prepend=-1))
    place = np.empty(len(found), np.int64)  # each corner's place within its cell
    place[by_cell] = np.arange(len(found)) - np.repeat(starts, np.diff(starts, append=len(found)))
    best = np.sort(np.lexsort((-strength, place))[:MAX_POINTS])
    return [found[index] for index in best]
