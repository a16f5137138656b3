"""PDQ written to be read: what the native kernel must equal bit for bit. Only tests and readers use it.

Written from the published description: "The TMK+PDQF Video-Hashing Algorithm and the PDQ Image-Hashing
Algorithm", Facebook 2019, github.com/facebook/ThreatExchange, hashing/hashing.pdf. All sums are float32 in
the published order, because the last bit of a sum can decide a bit of the code.
"""

import math

import numpy as np

from staydown.fingerprint.kernel import PhotoCodes, Pixels, Plane, Turns, check_sides

GRID = 64
FREQUENCIES = 16
SMALL_SIDE = 512


def photo_codes(pixels: Pixels) -> PhotoCodes:
    """As `kernel.photo_codes` with Method.EXACT, in plain steps."""
    height, width = pixels.shape[:2]
    check_sides(width, height)
    grid = smoothed_grid(luma(pixels))
    if max(width, height) <= SMALL_SIDE:
        return codes_of_grids(grid, grid)
    return codes_of_grids(grid, smoothed_grid(luma(sampled_to_small_side(pixels))))


def codes_of_grids(full: Plane, small: Plane) -> PhotoCodes:
    """What both algorithms make of their 64 x 64 grids."""
    margins = [float(np.diff(np.sort(dct_corner(grid).ravel())[127:129])[0]) for grid in (full, small)]
    return PhotoCodes(turns_of_grid(full), turns_of_grid(small), min(margins))


def sampled_to_small_side(pixels: Pixels) -> Pixels:
    """The 512 x 512 pixels that pdq512 looks at: the nearest above and to the left, unsmoothed."""
    height, width = pixels.shape[:2]
    place = np.arange(SMALL_SIDE)
    sampled: Pixels = pixels[(place * height // SMALL_SIDE)[:, None], (place * width // SMALL_SIDE)[None, :]]
    return sampled


def luma(pixels: Pixels) -> Plane:
    """Brightness of each pixel, 0..255: double-precision weights, then rounded to float32."""
    if pixels.shape[2] == 1:
        return pixels[:, :, 0].astype(np.float32)
    red, green, blue = (pixels[:, :, channel].astype(np.float64) for channel in range(3))
    return (red * 0.299 + green * 0.587 + blue * 0.114).astype(np.float32)


def turns_of_grid(grid: Plane) -> Turns:
    """Eight codes and the quality of one 64 x 64 grid."""
    codes = b"".join(code_of(turned) for turned in turned_coefficients(dct_corner(grid)))
    return Turns(codes, quality(grid))


def smoothed_grid(plane: Plane) -> Plane:
    """The picture blurred by two box filters each way and sampled at the centres of a 64 x 64 grid."""
    height, width = plane.shape
    for _ in range(2):
        plane = box_filter(plane.T, window_of(width)).T  # along the rows
        plane = box_filter(plane, window_of(height))  # down the columns
    y = [int((i + 0.5) * height / GRID) for i in range(GRID)]
    x = [int((j + 0.5) * width / GRID) for j in range(GRID)]
    return np.ascontiguousarray(plane[np.ix_(y, x)])


def window_of(side: int) -> int:
    """The filter's width: half a grid cell, rounded up."""
    return (side + 2 * GRID - 1) // (2 * GRID)


def box_filter(plane: Plane, window: int) -> Plane:
    """The mean over `window` rows around each row, over fewer at the edges, by a running sum."""
    rows = len(plane)
    ahead = (window + 2) // 2 - 1  # rows of the window below its centre
    behind = window - 1 - ahead
    out = np.empty_like(plane)
    total = np.zeros(plane.shape[1], np.float32)
    count = 0
    for row in plane[:ahead]:
        total = total + row
        count += 1
    for centre in range(rows):
        if centre + ahead < rows:
            total = total + plane[centre + ahead]
            count += 1
        if centre - behind > 0:
            total = total - plane[centre - behind - 1]
            count -= 1
        out[centre] = total / np.float32(count)
    return out


def quality(grid: Plane) -> int:
    """0..100 from the sum of brightness steps between neighbours, in percent of the full range."""

    def steps(difference: Plane) -> int:
        percent = np.trunc(difference * np.float32(100) / np.float32(255))
        return int(np.abs(percent).sum(dtype=np.int64))

    total = steps(grid[:-1] - grid[1:]) + steps(grid[:, :-1] - grid[:, 1:])
    return min(100, total // 90)


def dct_corner(grid: Plane) -> Plane:
    """The 16 x 16 lowest frequencies of the grid's DCT, without the constant row and column."""
    scale = float(np.float32(math.sqrt(2 / GRID)))
    matrix = np.array(
        [
            [scale * math.cos(math.pi / 2 / GRID * (i + 1) * (2 * j + 1)) for j in range(GRID)]
            for i in range(FREQUENCIES)
        ],
        np.float32,
    )
    half = np.zeros((FREQUENCIES, GRID), np.float32)
    corner = np.zeros((FREQUENCIES, FREQUENCIES), np.float32)
    for k in range(GRID):  # one product at a time, from the left: matmul would choose its own order
        half += matrix[:, k : k + 1] * grid[k]
    for k in range(GRID):
        corner += half[:, k : k + 1] * matrix[:, k]
    return corner


def turned_coefficients(c: Plane) -> list[Plane]:
    """The coefficients of the eight turned and mirrored pictures, in the order of DERIVATIONS.

    Mirroring changes the sign of every second frequency; turning also swaps rows and columns. Rows count from
    frequency 1, so the even rows hold the odd frequencies, which change sign.
    """
    sign = np.where(np.arange(FREQUENCIES) % 2 == 0, -1, 1).astype(np.float32)
    rows, columns = sign[:, None], sign[None, :]
    return [
        c,  # full
        c.T * rows,  # r90
        c * rows * columns,  # r180
        c.T * columns,  # r270
        c * rows,  # fV
        c * columns,  # fH
        c.T,  # fP
        c.T * rows * columns,  # fM
    ]


def code_of(coefficients: Plane) -> bytes:
    """One bit for each coefficient above the lower median; the first bit is of coefficient 255."""
    values = coefficients.ravel()
    median = np.sort(values)[len(values) // 2 - 1]
    return np.packbits((values > median)[::-1]).tobytes()
