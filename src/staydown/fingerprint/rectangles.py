"""Where the original may lie in an edited upload: inside a border, an interface, a caption or a collage.

Works on a small overview of the luma and only proposes rectangles: a wrong one costs a search and finds
nothing. Refuses to look at content: only flat areas and straight edges from side to side count.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from staydown.fingerprint.kernel import Plane, Rectangle

# Pixels of the overview's longer side. PDQ forgives a shift of about 1 % a side; a step here is 0.4 %.
OVERVIEW_SIDE = 256

MOST_CUTS = 6  # "geo9" is the whole, the strip, the interface and six cuts

# A proposed rectangle has at least this part of the picture's area: smaller ones are buttons and avatars.
_MIN_AREA = 0.06
_MIN_SIDE = 12  # overview pixels: below it there are too few to say where an edge is

# Luma steps (of 255). Border rows of a JPEG of quality 85 stay well within 5 of their colour, also beside a
# photo.
_FLAT_DEVIATION = 4.0
_SAME_COLOUR = 8.0
_BACKGROUND_TOLERANCE = 10.0
_EDGE_STEP = 10.0

# Part of a line that must be an edge for the line to be a cut: the other part may be as bright on both sides.
_EDGE_SHARE = 0.5
_MOST_LINES = 6

# Part of a row or column that is not background where the picture lies.
_COVERED = 0.35

_Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Overview:
    """The luma of a picture at no more than OVERVIEW_SIDE, and the picture's own size in pixels."""

    luma: Plane
    """(rows, columns) float32, 0..255."""
    width: int
    height: int

    def rectangle(self, box: "_Box") -> Rectangle:
        """The box in pixels of the picture."""
        rows, columns = self.luma.shape
        left, right = (round(x * self.width / columns) for x in (box.left, box.right))
        top, bottom = (round(y * self.height / rows) for y in (box.top, box.bottom))
        return Rectangle(left, top, right - left, bottom - top)


@dataclass(frozen=True, slots=True)
class _Box:
    """Part of an overview; right and bottom are just outside."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def area(self) -> int:
        return (self.right - self.left) * (self.bottom - self.top)

    def is_large_enough(self, luma: Plane) -> bool:
        sides = min(self.right - self.left, self.bottom - self.top)
        return sides >= _MIN_SIDE and self.area >= _MIN_AREA * luma.size


def overview_of(plane: Plane, *, width: int, height: int) -> Overview:
    """The overview of a picture of this size from the plane that a scan kept."""
    scale = min(1.0, OVERVIEW_SIDE / max(width, height))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    luma = np.asarray(Image.fromarray(plane).resize(size, Image.Resampling.BOX))
    return Overview(luma, width, height)


def without_border(overview: Overview) -> Rectangle | None:
    """The picture without the rows and columns of one colour around it, or None if there are none."""
    whole = _whole(overview.luma)
    box = _trimmed(overview.luma, whole)
    if box == whole or not box.is_large_enough(overview.luma):
        return None
    return overview.rectangle(box)


def interface_rectangle(overview: Overview) -> Rectangle | None:
    """The largest part that stands out from the most common grey: a picture in a viewer, a page or a feed."""
    luma = overview.luma
    counts = np.bincount(luma.astype(np.uint8).ravel(), minlength=256)
    common = int(np.argmax(np.convolve(counts, np.ones(5, int), "same")))
    if np.count_nonzero(np.abs(luma - common) <= _BACKGROUND_TOLERANCE) < _MIN_AREA * luma.size:
        return None
    stands_out = np.abs(luma - common) > _BACKGROUND_TOLERANCE
    box = _whole(luma)
    for _ in range(2):  # rows, columns within them, and both again
        top, bottom = _longest_run(stands_out[:, box.left : box.right].mean(axis=1) > _COVERED)
        left, right = _longest_run(stands_out[top:bottom].mean(axis=0) > _COVERED) if bottom > top else (0, 0)
        box = _Box(left, top, right, bottom)
        if not box.is_large_enough(luma):
            return None
    return None if box == _whole(luma) else overview.rectangle(box)


def cut_rectangles(overview: Overview) -> list[Rectangle]:
    """Up to MOST_CUTS rectangles between straight edges that run from side to side, the largest first."""
    luma = overview.luma
    found = {
        box: None
        for part in _parts(luma)
        if (box := _trimmed(luma, part)).is_large_enough(luma) and box != _whole(luma)
    }
    largest = sorted(found, key=lambda box: -box.area)[:MOST_CUTS]
    return [overview.rectangle(box) for box in largest]


def _whole(luma: Plane) -> _Box:
    rows, columns = luma.shape
    return _Box(0, 0, columns, rows)


def _trimmed(luma: Plane, box: _Box) -> _Box:
    """The box without flat rows and columns at its edges; twice, because bars hide borders behind them."""
    left, top, right, bottom = box.left, box.top, box.right, box.bottom
    for _ in range(2):
        above, below = _flat_ends(luma[top:bottom, left:right])
        top, bottom = top + above, bottom - below
        before, after = _flat_ends(luma[top:bottom, left:right].T)
        left, right = left + before, right - after
    return _Box(left, top, right, bottom)


def _flat_ends(rows: Plane) -> tuple[int, int]:
    """How many rows at the top and at the bottom have the colour of the outermost one, each being flat."""
    if min(rows.shape) < _MIN_SIDE:
        return 0, 0
    means, flat = rows.mean(axis=1), rows.std(axis=1) <= _FLAT_DEVIATION
    first = _leading(flat & (np.abs(means - means[0]) <= _SAME_COLOUR))
    last = _leading((flat & (np.abs(means - means[-1]) <= _SAME_COLOUR))[::-1])
    return (first, last) if first + last < len(rows) else (0, 0)


def _leading(mask: _Mask) -> int:
    """How many are true before the first false one."""
    return int(np.argmin(mask)) if not mask.all() else len(mask)


def _longest_run(mask: _Mask) -> tuple[int, int]:
    """Begin and end of the longest run of true; (0, 0) if there is none."""
    steps = np.flatnonzero(np.diff(np.concatenate(([0], mask.astype(np.int8), [0]))))
    if not len(steps):
        return 0, 0
    starts, ends = steps[::2], steps[1::2]
    longest = int(np.argmax(ends - starts))
    return int(starts[longest]), int(ends[longest])


def _parts(luma: Plane) -> Iterator[_Box]:
    """Bands between horizontal lines and the cells within them; then the same with vertical lines first."""
    rows, columns = luma.shape
    for top, bottom in _between(_lines(luma), rows):
        yield _Box(0, top, columns, bottom)
        for left, right in _between(_lines(luma[top:bottom].T), columns):
            yield _Box(left, top, right, bottom)
    for left, right in _between(_lines(luma.T), columns):
        yield _Box(left, 0, right, rows)
        for top, bottom in _between(_lines(luma[:, left:right]), rows):
            yield _Box(left, top, right, bottom)


def _between(lines: list[int], end: int) -> Iterator[tuple[int, int]]:
    """Stretches between neighbouring lines, and between any two lines if there are few."""
    places = [0, *lines, end]
    for i, begin in enumerate(places):
        for stop in places[i + 1 :]:
            if stop - begin >= _MIN_SIDE and (begin, stop) != (0, end):
                yield begin, stop


def _lines(rows: Plane) -> list[int]:
    """Where a row differs from the one above along most of its length: rising, the clearest few."""
    if min(rows.shape) < _MIN_SIDE:
        return []
    share = (np.abs(np.diff(rows, axis=0)) > _EDGE_STEP).mean(axis=1)
    peaks: list[int] = []
    for at in np.argsort(-share, kind="stable"):
        if share[at] < _EDGE_SHARE or len(peaks) == _MOST_LINES:
            break
        if all(abs(int(at) + 1 - other) > 2 for other in peaks):
            peaks.append(int(at) + 1)
    return sorted(peaks)
