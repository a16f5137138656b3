"""JPEG pixels by libjpeg-turbo: several times quicker than through Pillow and equal to Pillow's, or reduced.

Refuses to decide what is damaged: whatever the strict decoder dislikes goes to Pillow, and those files
come whole.
"""

import io

import simplejpeg
from PIL import Image, JpegImagePlugin

from staydown.fingerprint.errors import DamagedFile, TooManyParts, UnknownFormat
from staydown.fingerprint.headers.jpeg import JpegHeader, count_scans, read_jpeg
from staydown.fingerprint.kernel import Pixels
from staydown.fingerprint.limits import DecodeLimits
from staydown.fingerprint.readers import check_size
from staydown.fingerprint.strips import (
    LOWER_EDGE_FIRST,
    RIGHT_EDGE_FIRST,
    DecodedPicture,
    picture_of_image,
    picture_of_pixels,
)

_COLOURS = {1: "GRAY", 3: "RGB"}  # by the number of components; CMYK is Pillow's
_BITS_SHOWN = 8
_STEPS = (8, 4, 2)


def jpeg_picture(data: bytes, *, limits: DecodeLimits, reduce: bool = False) -> DecodedPicture:
    """The first picture of a JPEG file.

    reduce: decode at 1/2, 1/4 or 1/8 where that is exact enough (`step_of`).
    Raises NotFingerprintable, and whatever Pillow raises for a damaged file.
    """
    header = read_jpeg(data, max_parts=limits.max_parts)
    size = (header.width, header.height)
    check_size(size, limits=limits)
    if header.bits != _BITS_SHOWN:
        raise UnknownFormat(f"This is a JPEG of {header.bits} bits a sample, which is not shown everywhere.")
    if count_scans(data, at_most=limits.max_scans) > limits.max_scans:
        raise TooManyParts
    step = step_of(header, limits=limits) if reduce else 1
    pixels = _pixels(data, header, step)
    if pixels is None:
        return _by_pillow(data, header)
    return picture_of_pixels(
        pixels,
        full_size=size,
        step=step,
        orientation=header.orientation,
        profile=header.profile,
    )


def step_of(header: JpegHeader, *, limits: DecodeLimits) -> int:
    """How far a JPEG may be reduced: 8, 4 or 2, or 1 for not at all.

    Both reduced sides keep `limits.min_reduced_side`. Blocks of pixels begin at the stored top left corner,
    and the last ones may be cut by the edge; where turning the picture brings such an edge to the front, no
    step is taken that does not divide that side, for the fingerprint's operator counts blocks from the front.
    Taken all the same it cost up to 12 bits on 34 photos; sides of cameras nearly always divide.
    """
    for step in _STEPS:
        reduced = (-(-header.width // step), -(-header.height // step))
        is_cut_in_front = (header.orientation in RIGHT_EDGE_FIRST and header.width % step) or (
            header.orientation in LOWER_EDGE_FIRST and header.height % step
        )
        if min(reduced) >= limits.min_reduced_side and not is_cut_in_front:
            return step
    return 1


def _pixels(data: bytes, header: JpegHeader, step: int) -> Pixels | None:
    """(ceil(height / step), ceil(width / step), 1 | 3) uint8, or None if anything about the file is odd."""
    colours = _COLOURS.get(header.components)
    if colours is None:
        return None
    height, width = -(-header.height // step), -(-header.width // step)
    try:
        # The decoder reads the header itself; if it understands it otherwise than we do, nothing is reserved.
        if simplejpeg.decode_jpeg_header(data)[:2] != (header.height, header.width):
            return None
        # libjpeg-turbo scales by eighths; the smallest that keeps these sides is exactly 1 / step.
        pixels: Pixels = simplejpeg.decode_jpeg(
            data, colours, fastdct=False, fastupsample=False, min_height=height, min_width=width
        )
    except ValueError:
        return None
    return pixels if pixels.shape[:2] == (height, width) else None


def _by_pillow(data: bytes, header: JpegHeader) -> DecodedPicture:
    """What the quick way does not read: CMYK, and files with small faults, of which Pillow forgives some."""
    image: Image.Image = JpegImagePlugin.JpegImageFile(io.BytesIO(header.plain(data)))
    if image.size != (header.width, header.height):
        raise DamagedFile
    image.load()
    return picture_of_image(image, orientation=header.orientation, profile=header.profile)
