"""A decoded picture as upright strips of 8-bit sRGB rows. Refuses to hold a second copy of it.

What a library decoded stays as it is; turning and colours are done strip by strip, as often as asked.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image

from staydown.fingerprint.colour import WHITE, ToColour, as_it_is, colour_rule
from staydown.fingerprint.errors import damage_named
from staydown.fingerprint.kernel import Pixels

# EXIF orientation to the turn that puts rows and columns upright. Source: EXIF 2.32, tag 0x0112.
_UPRIGHT: dict[int, Callable[[Pixels], Pixels]] = {
    1: lambda p: p,
    2: lambda p: p[:, ::-1],
    3: lambda p: p[::-1, ::-1],
    4: lambda p: p[::-1],
    5: lambda p: p.swapaxes(0, 1),
    6: lambda p: p[::-1].swapaxes(0, 1),
    7: lambda p: p[::-1, ::-1].swapaxes(0, 1),
    8: lambda p: p[:, ::-1].swapaxes(0, 1),
}
_LAID_DOWN = frozenset((5, 6, 7, 8))
"""Orientations whose upright rows are stored as columns."""

RIGHT_EDGE_FIRST = frozenset((2, 3, 7, 8))
"""Orientations that bring the stored right edge to the left or to the top."""
LOWER_EDGE_FIRST = frozenset((3, 4, 6, 7))
"""Orientations that bring the stored lower edge to the top or to the left."""

# Pixels of one strip: about 3 MB, so that what is held beyond the decoded picture does not grow with it.
_STRIP_PIXELS = 1 << 20

_BLOCK = 64  # columns that are copied at once: with a strip's rows they stay in the processor's cache

Box = tuple[int, int, int, int]  # left, top, right, bottom


@dataclass(frozen=True, slots=True)
class DecodedPicture:
    """An upright picture whose colours are converted strip by strip, so that no second copy of it is held."""

    width: int
    """Pixels of the picture at full size; its rows have ceil(width / step)."""
    height: int
    step: int
    """1; or 2, 4, 8 if the decoder has reduced the picture: a pixel then stands for step x step of them."""
    cut: Callable[[int, int], Pixels]
    """Rows from the first number up to the second, luma or sRGB."""
    at_seconds: float = 0.0
    """When a frame is shown, from the start of the moving picture."""

    def strips(self) -> Iterator[Pixels]:
        """(rows, ceil(width / step), 1 | 3) uint8 from the top, C-contiguous; luma or sRGB. Each call begins
        anew.
        """
        width, height = -(-self.width // self.step), -(-self.height // self.step)
        rows = max(4, _STRIP_PIXELS // width // 4 * 4)  # fours, as the kernel takes them
        for top in range(0, height, rows):
            with damage_named():
                strip = _contiguous(self.cut(top, min(top + rows, height)))
            yield strip

    def pixels(self) -> Pixels:
        """(ceil(height / step), ceil(width / step), 1 | 3) uint8: all rows, for callers that cut them."""
        return np.concatenate(list(self.strips()))


def picture_of_image(
    image: Image.Image,
    *,
    orientation: int,
    profile: bytes | None,
    covered: Box | None = None,
    at_seconds: float = 0.0,
) -> DecodedPicture:
    """The picture that a loaded image holds; what lies outside `covered` is transparent.

    Raises UnknownFormat for colours that have no agreed meaning.
    """
    to_colour = colour_rule(image, profile=profile)
    is_whole = covered is None or covered == (0, 0, *image.size)

    def stored(box: Box) -> Pixels:
        pixels = _as_pixels(to_colour(image.crop(box)))
        return pixels if is_whole or covered is None else _over_white(pixels, box, covered)

    return _upright(image.size, image.size, 1, stored, orientation, at_seconds)


def picture_of_pixels(
    pixels: Pixels, *, full_size: tuple[int, int], step: int, orientation: int, profile: bytes | None
) -> DecodedPicture:
    """The picture of (height, width, 1 | 3) uint8 as a file stores it, reduced by `step` from `full_size`."""
    to_colour = colour_rule(_as_image(pixels[:1, :1]), profile=profile)
    size = (pixels.shape[1], pixels.shape[0])

    def stored(box: Box) -> Pixels:
        left, top, right, bottom = box
        return _converted(pixels[top:bottom, left:right], to_colour)

    return _upright(size, full_size, step, stored, orientation, 0.0)


def _upright(
    size: tuple[int, int],
    full_size: tuple[int, int],
    step: int,
    stored: Callable[[Box], Pixels],
    orientation: int,
    at_seconds: float,
) -> DecodedPicture:
    """Puts the pixels of stored boxes upright. size: as decoded; full_size: as the file claims."""
    turn = _UPRIGHT[orientation]
    width, height = size

    def cut_rows(top: int, end: int) -> Pixels:
        if orientation in LOWER_EDGE_FIRST:
            top, end = height - end, height - top
        return turn(stored((0, top, width, end)))

    def cut_columns(top: int, end: int) -> Pixels:
        if orientation in RIGHT_EDGE_FIRST:
            top, end = width - end, width - top
        return turn(stored((top, 0, end, height)))

    if orientation in _LAID_DOWN:
        return DecodedPicture(full_size[1], full_size[0], step, cut_columns, at_seconds)
    return DecodedPicture(full_size[0], full_size[1], step, cut_rows, at_seconds)


def _over_white(pixels: Pixels, box: Box, covered: Box) -> Pixels:
    """The pixels of a box, white where nothing was drawn."""
    left, top, right, bottom = covered
    out = np.full(pixels.shape, WHITE[0], np.uint8)
    rows = slice(max(0, top - box[1]), max(0, bottom - box[1]))
    columns = slice(max(0, left - box[0]), max(0, right - box[0]))
    out[rows, columns] = pixels[rows, columns]
    return out


def _contiguous(pixels: Pixels) -> Pixels:
    """The same pixels in the order of the picture, copied only if they are not.

    numpy's own copy of a turned picture goes byte by byte, and leaves the cache with each if rows were
    columns. 12 megapixels take 63 ms instead of 112 if they were held sideways, 17 instead of 94 upside down.
    """
    channels = pixels.shape[2]
    if pixels.strides[1] == channels:
        return np.ascontiguousarray(pixels)
    out = np.empty(pixels.shape, np.uint8)
    if pixels.strides[1] == -channels:  # rows that run backwards: a channel at a time
        for channel in range(channels):
            out[:, :, channel] = pixels[:, :, channel]
        return out
    # A pixel at a time, in narrow blocks.
    whole, copies = pixels.view(f"V{channels}"), out.view(f"V{channels}")
    for left in range(0, whole.shape[1], _BLOCK):
        copies[:, left : left + _BLOCK] = whole[:, left : left + _BLOCK]
    return out


def _converted(pixels: Pixels, to_colour: ToColour) -> Pixels:
    return pixels if to_colour is as_it_is else _as_pixels(to_colour(_as_image(_contiguous(pixels))))


def _as_image(pixels: Pixels) -> Image.Image:
    return Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)


def _as_pixels(strip: Image.Image) -> Pixels:
    pixels = np.asarray(strip)
    return pixels[:, :, None] if pixels.ndim == 2 else pixels
