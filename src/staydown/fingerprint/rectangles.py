"""Where the original may lie in an edited upload: inside a border, an interface, a caption or a collage.

Works on a small overview of the luma and only proposes rectangles: a wrong one costs a search and finds
nothing. Refuses to look at content: only flat areas and straight edges from side to side count.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

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

# How much clearer than its surroundings an edge must be to be a cut, of 1 for an edge from side to side on
# flat ground. Chosen, as the weights below, by recall on 20 training photos of the benchmark.
_EDGE_SHARE = 0.3
_NEAR = (3, 4, 5)  # boundaries as far as this on both sides count as near; 1 and 2 blur with the edge itself
_NEAR_WEIGHT = 0.7
_INSIDE_WEIGHT = 0.5  # a clear edge through the inside: the box is two pictures of a collage, not one

_MOST_OUTER = 6  # edges from side to side of the picture
_MOST_INNER = 4  # edges within a stretch between two of those
_MOST_RANKED = 12  # boxes that are trimmed; the trimmed ones may coincide

# Part of a row or column that is not background where the picture lies.
_COVERED = 0.35

_Mask = npt.NDArray[np.bool_]
_Places = npt.NDArray[np.int64]


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


class _Box(NamedTuple):
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
    """Up to MOST_CUTS rectangles between straight edges, those with the clearest edges on all sides first."""
    luma = overview.luma
    found: list[_Box] = []
    for box in _ranked_boxes(luma):
        trimmed = _trimmed(luma, box)
        if trimmed.is_large_enough(luma) and all(_differ(trimmed, other) for other in [_whole(luma), *found]):
            found.append(trimmed)
        if len(found) == MOST_CUTS:
            break
    return [overview.rectangle(box) for box in found]


def _ranked_boxes(luma: Plane) -> list[_Box]:
    """The _MOST_RANKED best boxes between edges: four clear sides and no clear edge across the inside."""
    rows, columns = luma.shape
    if min(rows, columns) < _MIN_SIDE:
        return []
    across, down = _Edges(luma), _Edges(np.ascontiguousarray(luma.T))
    found: list[tuple[int, int, int, int]] = []
    for top, bottom in _stretches(across.clearest(0, columns), _MOST_OUTER):
        for left, right in _stretches(down.clearest(top, bottom), _MOST_INNER):
            found.append((left, top, right, bottom))
    for left, right in _stretches(down.clearest(0, rows), _MOST_OUTER):
        for top, bottom in _stretches(across.clearest(left, right), _MOST_INNER):
            found.append((left, top, right, bottom))
    boxes = np.unique(np.array(found).reshape(-1, 4), axis=0)
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]) / luma.size
    boxes = boxes[(area >= _MIN_AREA) & (area < 1)]
    if not len(boxes):
        return []
    left, top, right, bottom = boxes.T
    sides = [
        across.share(top, left, right),
        across.share(bottom, left, right),
        down.share(left, top, bottom),
        down.share(right, top, bottom),
    ]
    inside = np.maximum(
        across.most_inside(top, bottom, left, right), down.most_inside(left, right, top, bottom)
    )
    chosen: list[_Box] = []
    for place in np.argsort(_INSIDE_WEIGHT * inside - np.min(sides, axis=0), kind="stable"):
        box = _Box(*(int(value) for value in boxes[place]))
        if all(_differ(box, other) for other in chosen):
            chosen.append(box)
            if len(chosen) == _MOST_RANKED:
                break
    return chosen


class _Edges:
    """How clear an edge each boundary between two rows is, summed so that any stretch is one subtraction.

    A pixel adds 1 where its luma steps at the boundary and loses part of what the boundaries near by have:
    texture steps everywhere, a cut only once. Boundary 0 and the last one are the picture's ends, which
    count as clear from side to side.
    """

    def __init__(self, luma: Plane) -> None:
        rows, columns = luma.shape
        steps = (np.abs(np.diff(luma, axis=0)) > _EDGE_STEP).astype(np.float32)
        around = np.pad(steps, ((_NEAR[-1], _NEAR[-1]), (0, 0)), mode="edge")
        near = np.zeros_like(steps)
        for offset in (*_NEAR, *(-offset for offset in _NEAR)):
            near += around[_NEAR[-1] + offset : _NEAR[-1] + offset + rows - 1]
        ends = np.ones((1, columns), np.float32)
        clear = np.concatenate([ends, steps - near * (_NEAR_WEIGHT / (2 * len(_NEAR))), ends])
        self._sums = np.zeros((rows + 1, columns + 1), np.float32)
        np.cumsum(clear, axis=1, out=self._sums[:, 1:])

    def share(self, place: _Places, begin: _Places, end: _Places) -> Plane:
        """How clear the edge at `place` is from `begin` to `end`: at most 1; arrays go together."""
        found: Plane = (self._sums[place, end] - self._sums[place, begin]) / (end - begin)
        return found

    def clearest(self, begin: int, end: int) -> list[int]:
        """Both ends of the picture, then the clearest boundaries from `begin` to `end`, none twice."""
        share = (self._sums[:, end] - self._sums[:, begin]) / (end - begin)
        found = [0, len(share) - 1]
        edges = np.flatnonzero(share >= _EDGE_SHARE)
        for at in edges[np.argsort(-share[edges], kind="stable")]:
            if all(abs(int(at) - other) > 2 for other in found):
                found.append(int(at))
                if len(found) == 2 + _MOST_OUTER:
                    break
        return found

    def most_inside(self, first: _Places, last: _Places, begin: _Places, end: _Places) -> Plane:
        """The clearest of all these boxes' boundaries that runs through the inside of each."""
        places = np.unique(np.concatenate([first, last]))[:, None]
        share = self.share(places, begin[None], end[None])
        inside = (places > first[None] + _NEAR[0]) & (places < last[None] - _NEAR[0])
        found: Plane = np.where(inside, share, 0).max(axis=0)
        return found


def _stretches(places: list[int], most: int) -> Iterator[tuple[int, int]]:
    """Between any two of the places: the two ends and the `most` clearest edges."""
    rising = sorted(places[: 2 + most])
    for i, begin in enumerate(rising):
        for end in rising[i + 1 :]:
            if end - begin >= _MIN_SIDE:
                yield begin, end


def _differ(one: _Box, other: _Box) -> bool:
    """Whether two boxes are further apart than PDQ forgives anyway."""
    return max(abs(a - b) for a, b in zip(one, other, strict=True)) > 1


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
    if _is_uneven(rows[0]) and _is_uneven(rows[-1]):
        return 0, 0  # as with most pictures: no need to look at the rows between
    means, flat = rows.mean(axis=1), rows.std(axis=1) <= _FLAT_DEVIATION
    first = _leading(flat & (np.abs(means - means[0]) <= _SAME_COLOUR))
    last = _leading((flat & (np.abs(means - means[-1]) <= _SAME_COLOUR))[::-1])
    return (first, last) if first + last < len(rows) else (0, 0)


def _is_uneven(row: Plane) -> bool:
    """Whether a row is surely not flat. Quicker than the deviation, and coarser: a variance of 1 to spare."""
    mean = float(row.sum()) / len(row)
    return float(row.dot(row)) / len(row) - mean * mean > _FLAT_DEVIATION**2 + 1


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
