"""The separable operator of native/operator.c and photo.c, written to be read. Only tests and readers use it.

PDQ's box filters and its 64 x 64 sampling are linear and separable, so each result is a weighted sum over a
short band of rows and a short band of columns. The bands can be laid over reduced pictures and over cut
rectangles. Weights are computed in double precision, sums in float32, in the order that the kernel keeps.
It refuses nothing: the kernel does.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from staydown.fingerprint.kernel import PhotoCodes, Pixels, Plane, Rectangle, Turns
from staydown.fingerprint.reference import GRID, SMALL_SIDE, codes_of_grids, turns_of_grid, window_of

PLANE_SIDE = 1024
PLANE_SAMPLES = 1 << 22
THOUSAND = 1000

Numerators = npt.NDArray[np.int64]
Band = tuple[int, npt.NDArray[np.float32]]
"""The first sample, and the weights from there."""


@dataclass(frozen=True, slots=True)
class Axis:
    """How one side of a rectangle lies on samples that each stand for `grain` full-size pixels."""

    origin: int
    length: int
    grain: int
    samples: int
    is_512: bool = False
    """The side is sampled to 512 first."""


def fast_codes(pixels: Pixels, *, width: int, height: int, step: int = 1) -> PhotoCodes:
    """As `PhotoScan(width, height, step=step, method=Method.FAST)` fed with these pixels."""
    numerators = luma_numerators(pixels)
    rows, columns = numerators.shape

    def grid(is_512: bool) -> Plane:
        across = Axis(0, width, step, columns, is_512)
        down = Axis(0, height, step, rows, is_512)
        return grid_of(numerators.astype(np.float32), across, down, divisor=THOUSAND)

    full = grid(False)
    return codes_of_grids(full, grid(True) if max(width, height) > SMALL_SIDE else full)


def view_turns(pixels: Pixels, rectangle: Rectangle, *, step: int = 1) -> Turns:
    """As `PhotoScan.view` of a scan that was fed with these pixels."""
    plane, block = plane_of(luma_numerators(pixels))
    across = Axis(rectangle.left, rectangle.width, step * block, plane.shape[1])
    down = Axis(rectangle.top, rectangle.height, step * block, plane.shape[0])
    return turns_of_grid(grid_of(plane, across, down, divisor=1))


def luma_numerators(pixels: Pixels) -> Numerators:
    """Thousandths of a grey level: (height, width) exact integers."""
    if pixels.shape[2] == 1:
        return pixels[:, :, 0].astype(np.int64) * THOUSAND
    red, green, blue = (pixels[:, :, channel].astype(np.int64) for channel in range(3))
    return 299 * red + 587 * green + 114 * blue


def plane_of(numerators: Numerators) -> tuple[Plane, int]:
    """Means of square blocks of the luma, and the side of a block in pixels."""
    height, width = numerators.shape
    block = max(1, min(width, height) // PLANE_SIDE)
    while -(-width // block) * -(-height // block) > PLANE_SAMPLES:
        block += 1
    tops, lefts = np.arange(0, height, block), np.arange(0, width, block)
    sums = np.add.reduceat(np.add.reduceat(numerators, tops, axis=0), lefts, axis=1)
    rows = np.minimum(block, height - tops)[:, None]
    columns = np.minimum(block, width - lefts)[None, :]
    shares = 1.0 / (THOUSAND * rows * columns)
    return (sums * shares).astype(np.float32), block


def grid_of(samples: Plane, across: Axis, down: Axis, *, divisor: int) -> Plane:
    """The 64 x 64 grid: rows first, then columns, one float32 sum after the other."""
    columns = [band(across, i, divisor=1) for i in range(GRID)]
    grid = np.zeros((GRID, GRID), np.float32)
    for i in range(GRID):
        first, weights = band(down, i, divisor=divisor)
        sums = np.zeros(samples.shape[1], np.float32)
        for row, weight in zip(samples[first:], weights, strict=False):
            sums = sums + row * weight
        for j, (start, shares) in enumerate(columns):
            total = np.float32(0)
            for value, share in zip(sums[start:], shares, strict=False):
                total = np.float32(total + value * share)
            grid[i, j] = total
    return grid


def band(axis: Axis, i: int, *, divisor: int) -> Band:
    """The weights of the samples in result i along an axis."""
    first, weights = pixel_band(SMALL_SIDE if axis.is_512 else axis.length, i)
    sums: dict[int, float] = {}
    for position, weight in enumerate(weights, start=first):
        for sample, share in places(axis, position):
            sums[sample] = sums.get(sample, 0.0) + weight * share
    low, high = min(sums), max(sums)
    return low, np.array([sums.get(at, 0.0) / divisor for at in range(low, high + 1)]).astype(np.float32)


def places(axis: Axis, position: int) -> list[tuple[int, float]]:
    """The samples that a full-size position falls on, and its share in each."""
    if not axis.is_512:
        return [((axis.origin + position) // axis.grain, 1.0)]
    pixel = position * axis.length // SMALL_SIDE  # pdq512 takes the nearest above and to the left
    at = (pixel + 0.5) / axis.grain - 0.5
    before = math.floor(at)
    share = at - before
    found = [(max(0, before), 1.0 - share)]
    return [*found, (min(axis.samples - 1, before + 1), share)] if share > 0 else found


def pixel_band(side: int, i: int) -> tuple[int, list[float]]:
    """The first pixel, and the weights from there, of sample i: a mean over means, window by window."""
    window = window_of(side)
    lead = (window + 2) // 2 - 1
    behind = window - 1 - lead

    def window_at(centre: int) -> range:
        return range(max(0, centre - behind), min(side - 1, centre + lead) + 1)

    outer = window_at(int((i + 0.5) * side / GRID))
    first, last = window_at(outer[0])[0], window_at(outer[-1])[-1]
    weights = [0.0] * (last - first + 1)
    for centre in outer:
        inner = window_at(centre)
        for position in inner:
            weights[position - first] += 1.0 / len(outer) / len(inner)
    return first, weights
