"""A file's bytes to upright 8-bit sRGB pixels. Refuses what is too large before memory is reserved for it.

Animated pictures: the first frame. The rules are in docs/reference/terms.md under "decoding"; colours in
colour.py.
"""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import simplejpeg
from pi_heif import HeifImageFile
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageFile,
    ImageOps,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from staydown.fingerprint.colour import as_it_is, colour_rule
from staydown.fingerprint.errors import (
    DamagedFile,
    DecoderCrashed,
    EmptyFile,
    FileTooLarge,
    NotFingerprintable,
    TooManyPixels,
    UnknownFormat,
)
from staydown.fingerprint.formats import HEAD_BYTES, ImageFormat, image_format_of, webp_size
from staydown.fingerprint.kernel import Pixels, check_sides
from staydown.fingerprint.limits import DEFAULT_LIMITS, MEBIBYTE, MEGAPIXEL, DecodeLimits

# The readers are called directly: Pillow's registry of readers belongs to the whole process, and a platform
# that installs us may have added readers to it that were never meant for hostile files.
_READERS: dict[ImageFormat, Callable[[io.BytesIO], ImageFile.ImageFile]] = {
    ImageFormat.JPEG: lambda file: JpegImagePlugin.jpeg_factory(file),
    ImageFormat.PNG: lambda file: PngImagePlugin.PngImageFile(file),
    ImageFormat.WEBP: lambda file: WebPImagePlugin.WebPImageFile(file),
    ImageFormat.AVIF: lambda file: AvifImagePlugin.AvifImageFile(file),
    ImageFormat.HEIC: lambda file: HeifImageFile(file),
    ImageFormat.GIF: lambda file: GifImagePlugin.GifImageFile(file),
    ImageFormat.BMP: lambda file: BmpImagePlugin.BmpImageFile(file),
    ImageFormat.TIFF: lambda file: TiffImagePlugin.TiffImageFile(file),
}

_EXIF_ORIENTATION = 0x0112

# EXIF orientation to the turn that puts rows and columns upright. Source: EXIF 2.32, tag 0x0112.
_UPRIGHT: dict[int, Callable[[Pixels], Pixels]] = {
    2: lambda p: p[:, ::-1],
    3: lambda p: p[::-1, ::-1],
    4: lambda p: p[::-1],
    5: lambda p: p.swapaxes(0, 1),
    6: lambda p: p[::-1].swapaxes(0, 1),
    7: lambda p: p[::-1, ::-1].swapaxes(0, 1),
    8: lambda p: p[:, ::-1].swapaxes(0, 1),
}

# Pixels of one strip: about 3 MB, so that what is held beyond the decoded picture does not grow with it.
_STRIP_PIXELS = 1 << 20


@dataclass(frozen=True, slots=True)
class DecodedPicture:
    """An upright picture whose colours are converted strip by strip, so that no second copy of it is held."""

    width: int
    height: int
    cut: Callable[[int, int], Pixels]
    """Rows from the first number up to the second, luma or sRGB."""

    def strips(self) -> Iterator[Pixels]:
        """(rows, width, 1 | 3) uint8 from the top, C-contiguous; luma or sRGB."""
        rows = max(4, _STRIP_PIXELS // self.width // 4 * 4)  # fours, as the kernel takes them
        for top in range(0, self.height, rows):
            with _damage_named():
                strip = np.ascontiguousarray(self.cut(top, min(top + rows, self.height)))
            yield strip

    def pixels(self) -> Pixels:
        """(height, width, 1 | 3) uint8: the whole picture at once, for callers that cut it."""
        return np.concatenate(list(self.strips()))


def check_bytes(size_bytes: int, *, limits: DecodeLimits) -> None:
    """Raises EmptyFile or FileTooLarge."""
    if size_bytes == 0:
        raise EmptyFile
    if size_bytes > limits.max_bytes:
        raise FileTooLarge(f"The file has more than {limits.max_bytes // MEBIBYTE} MiB, which is the limit.")


def check_size(size: tuple[int, int], *, limits: DecodeLimits) -> None:
    """Raises TooSmall or TooManyPixels."""
    width, height = size
    check_sides(width, height)
    if width * height > limits.max_pixels:
        most = limits.max_pixels / MEGAPIXEL
        raise TooManyPixels(
            f"The picture is {width} x {height} pixels; at most {most:g} megapixels can be taken."
        )


def decode_picture(data: bytes, *, limits: DecodeLimits = DEFAULT_LIMITS) -> DecodedPicture:
    """The picture in a file's bytes, by the first frame if it moves.

    Raises a NotFingerprintable: EmptyFile, FileTooLarge, UnknownFormat, TooSmall, TooManyPixels, DamagedFile;
    DecoderCrashed if memory runs out.
    """
    check_bytes(len(data), limits=limits)
    image_format = image_format_of(data[:HEAD_BYTES])
    if image_format is None:
        raise UnknownFormat
    with _damage_named():
        return _decoded(data, image_format, limits)


@contextmanager
def _damage_named() -> Iterator[None]:
    """Names what decoders raise. They raise whatever a broken byte leads to: struct.error, KeyError...

    So any error in here counts as the file's; that well-formed files raise none is what the tests are for.
    """
    try:
        yield
    except NotFingerprintable:
        raise
    except MemoryError as error:
        raise DecoderCrashed("Reading the picture needs more memory than is allowed.") from error
    except Exception as error:
        raise DamagedFile from error


def _decoded(data: bytes, image_format: ImageFormat, limits: DecodeLimits) -> DecodedPicture:
    if image_format is ImageFormat.WEBP:
        size = webp_size(data[:HEAD_BYTES])
        if size is None:
            raise DamagedFile
        check_size(size, limits=limits)
    image = _READERS[image_format](io.BytesIO(data))
    check_size(image.size, limits=limits)
    if image_format is ImageFormat.JPEG and image.mode == "RGB":
        pixels = _turbo_pixels(data)
        if pixels is not None and pixels.shape[1::-1] == image.size:
            return _of_pixels(pixels, image)
    image.load()
    check_size(image.size, limits=limits)  # HEIC may tell another size once it is decoded
    _turn_upright(image)
    width, height = image.size
    to_colour = colour_rule(image)
    return DecodedPicture(
        width, height, lambda top, end: _as_pixels(to_colour(image.crop((0, top, width, end))))
    )


def _as_pixels(strip: Image.Image) -> Pixels:
    pixels = np.asarray(strip)
    return pixels[:, :, None] if pixels.ndim == 2 else pixels


def _turbo_pixels(data: bytes) -> Pixels | None:
    """The pixels by libjpeg-turbo directly, several times quicker than through Pillow and equal to Pillow's.

    None if anything about the file is odd: Pillow then decides whether it is damaged.
    """
    try:
        pixels: Pixels = simplejpeg.decode_jpeg(data, "RGB", fastdct=False, fastupsample=False)
    except ValueError:
        return None
    return pixels


def _of_pixels(pixels: Pixels, image: ImageFile.ImageFile) -> DecodedPicture:
    turn = _UPRIGHT.get(_orientation(image))
    upright = turn(pixels) if turn else pixels
    height, width = upright.shape[:2]
    to_colour = colour_rule(image)
    if to_colour is as_it_is:
        return DecodedPicture(width, height, lambda top, end: upright[top:end])
    return DecodedPicture(
        width,
        height,
        lambda top, end: _as_pixels(to_colour(Image.fromarray(np.ascontiguousarray(upright[top:end])))),
    )


def _orientation(image: ImageFile.ImageFile) -> int:
    """The EXIF orientation; 1 if there is none or the tags are broken, as browsers do."""
    try:
        return int(image.getexif().get(_EXIF_ORIENTATION, 1))
    except MemoryError:
        raise
    except Exception:
        return 1


def _turn_upright(image: ImageFile.ImageFile) -> None:
    """Turns the picture in place as EXIF says. Broken tags must not keep a picture from being found."""
    try:
        ImageOps.exif_transpose(image, in_place=True)
    except MemoryError:
        raise
    except Exception:
        return
