"""Opens a file by the reader of its format, which is given the pixels and nothing else of it.

Refuses to ask Pillow what a file is: its registry of readers belongs to the whole process, and a platform
that installs us may have added readers that were never meant for hostile files.
"""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pi_heif import HeifImageFile
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    ImageFile,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from staydown.fingerprint.errors import DamagedFile, TooManyPixels
from staydown.fingerprint.formats import HEAD_BYTES, ImageFormat, webp_size
from staydown.fingerprint.headers.exif import orientation_of
from staydown.fingerprint.headers.gif import canvases
from staydown.fingerprint.headers.isomedia import with_images_only
from staydown.fingerprint.headers.png import read_png
from staydown.fingerprint.headers.terms import Header
from staydown.fingerprint.headers.tiff import pages
from staydown.fingerprint.kernel import check_sides
from staydown.fingerprint.limits import MEGAPIXEL, DecodeLimits
from staydown.fingerprint.strips import Box, DecodedPicture, picture_of_image


@dataclass(frozen=True, slots=True)
class OpenFile:
    """A file whose reader knows its size, and whose pixels are not decoded yet."""

    image: ImageFile.ImageFile
    orientation: int = 1
    profile: bytes | None = None
    count: int | None = 1
    """How many frames or images the reader can go to; None if nobody knows before it is tried."""
    covered: Box | None = None
    """The part of the first frame on which anything was drawn, if not all of it; the rest is transparent."""

    def load(self, *, limits: DecodeLimits) -> None:
        """Decodes the frame that the reader stands at. Raises TooSmall, TooManyPixels, what readers raise."""
        check_size(self.image.size, limits=limits)
        self.image.load()
        check_size(self.image.size, limits=limits)  # HEIC may tell another size once it is decoded

    def picture(self) -> DecodedPicture:
        """The picture of the loaded frame; only good until the reader goes on."""
        return picture_of_image(
            self.image, orientation=self.orientation, profile=self.profile, covered=self.covered
        )

    def kept_picture(self, *, at_seconds: float, covered: Box | None = None) -> DecodedPicture:
        """The picture of the loaded frame, in memory of its own."""
        return picture_of_image(
            self.image.copy(),
            orientation=self.orientation,
            profile=self.profile,
            covered=covered,
            at_seconds=at_seconds,
        )


def check_size(size: tuple[int, int], *, limits: DecodeLimits) -> None:
    """Raises TooSmall or TooManyPixels."""
    width, height = size
    check_sides(width, height)
    if width * height > limits.max_pixels:
        most = limits.max_pixels / MEGAPIXEL
        raise TooManyPixels(
            f"The picture is {width} x {height} pixels; at most {most:g} megapixels can be taken."
        )


def open_file(data: bytes, image_format: ImageFormat, *, limits: DecodeLimits) -> OpenFile:
    """Any picture but a JPEG, which turbo.py reads. Raises NotFingerprintable and what readers raise."""
    return _OPENERS[image_format](data, limits)


def open_page(page: Header) -> OpenFile:
    """One page of a TIFF."""
    image = TiffImagePlugin.TiffImageFile(io.BytesIO(page.plain))
    return OpenFile(image, page.orientation, page.profile)


def tiff_pages(data: bytes, *, limits: DecodeLimits) -> Iterator[Header]:
    """The pages of a TIFF under these limits, as headers.tiff gives them."""
    return pages(
        data,
        max_pixels=limits.max_pixels,
        max_parts=limits.max_parts,
        max_profile_bytes=limits.max_profile_bytes,
    )


def _open_png(data: bytes, limits: DecodeLimits) -> OpenFile:
    header = read_png(data, max_parts=limits.max_parts, max_profile_bytes=limits.max_profile_bytes)
    image = PngImagePlugin.PngImageFile(io.BytesIO(header.plain))
    return OpenFile(image, header.orientation, header.profile, count=None if header.is_moving else 1)


def _open_webp(data: bytes, limits: DecodeLimits) -> OpenFile:
    size = webp_size(data[:HEAD_BYTES])
    if size is None:
        raise DamagedFile
    check_size(size, limits=limits)  # the reader reserves the canvas when it opens a file
    return _as_it_says(WebPImagePlugin.WebPImageFile(io.BytesIO(data)), limits)


def _open_avif(data: bytes, limits: DecodeLimits) -> OpenFile:
    # What Pillow then gives as EXIF is made of `irot` and `imir`.
    return _as_it_says(AvifImagePlugin.AvifImageFile(_images_of(data, limits)), limits)


def _open_heic(data: bytes, limits: DecodeLimits) -> OpenFile:
    return _as_it_says(HeifImageFile(_images_of(data, limits)), limits)


def _images_of(data: bytes, limits: DecodeLimits) -> io.BytesIO:
    return io.BytesIO(with_images_only(data, max_items=limits.max_items))


def _open_gif(data: bytes, limits: DecodeLimits) -> OpenFile:
    canvas = next(canvases(data, max_parts=limits.max_parts), None)
    if canvas is None:
        raise DamagedFile
    check_size(canvas.size, limits=limits)
    return OpenFile(GifImagePlugin.GifImageFile(io.BytesIO(data)), count=None, covered=canvas.covered)


def _open_bmp(data: bytes, limits: DecodeLimits) -> OpenFile:
    return OpenFile(BmpImagePlugin.BmpImageFile(io.BytesIO(data)))


def _open_tiff(data: bytes, limits: DecodeLimits) -> OpenFile:
    page = next(tiff_pages(data, limits=limits), None)
    if page is None:
        raise DamagedFile
    return open_page(page)


def _as_it_says(image: ImageFile.ImageFile, limits: DecodeLimits) -> OpenFile:
    profile = image.info.get("icc_profile")
    is_usable = isinstance(profile, bytes) and len(profile) <= limits.max_profile_bytes
    return OpenFile(
        image,
        orientation_of(image.info.get("exif")),
        profile if is_usable else None,
        count=getattr(image, "n_frames", 1),
    )


_OPENERS: dict[ImageFormat, Callable[[bytes, DecodeLimits], OpenFile]] = {
    ImageFormat.PNG: _open_png,
    ImageFormat.WEBP: _open_webp,
    ImageFormat.AVIF: _open_avif,
    ImageFormat.HEIC: _open_heic,
    ImageFormat.GIF: _open_gif,
    ImageFormat.BMP: _open_bmp,
    ImageFormat.TIFF: _open_tiff,
}
