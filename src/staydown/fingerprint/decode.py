"""A file's bytes to upright 8-bit sRGB pixels. Refuses what is too large before memory is reserved for it.

The rules are in docs/reference/fingerprint.md; colours are in colour.py, turning in strips.py, and
what is read of a file before a library sees it in headers/.
"""

from collections.abc import Iterator

from staydown.fingerprint.errors import EmptyFile, FileTooLarge, UnknownFormat, damage_named
from staydown.fingerprint.formats import HEAD_BYTES, ImageFormat, image_format_of, unread_format_of
from staydown.fingerprint.limits import DEFAULT_LIMITS, MEBIBYTE, DecodeLimits
from staydown.fingerprint.moving import frames_of
from staydown.fingerprint.readers import check_size, open_file
from staydown.fingerprint.strips import DecodedPicture
from staydown.fingerprint.turbo import jpeg_picture

__all__ = ["DecodedPicture", "check_bytes", "check_size", "decode_frames", "decode_picture"]


def check_bytes(size_bytes: int, *, limits: DecodeLimits) -> None:
    """Raises EmptyFile or FileTooLarge."""
    if size_bytes == 0:
        raise EmptyFile
    if size_bytes > limits.max_bytes:
        raise FileTooLarge(f"The file has more than {limits.max_bytes // MEBIBYTE} MiB, which is the limit.")


def decode_picture(
    data: bytes, *, limits: DecodeLimits = DEFAULT_LIMITS, reduce: bool = False
) -> DecodedPicture:
    """The picture in a file's bytes: the first frame, the first page, or the one that the file calls primary.

    reduce: let a JPEG come at 1/2, 1/4 or 1/8 of its size (`DecodedPicture.step`) where the fingerprint stays
    within 4 bits; other formats, and JPEGs for printing, come whole.
    Raises a NotFingerprintable: EmptyFile, FileTooLarge, UnknownFormat, TooSmall, TooManyPixels,
    TooManyParts, DamagedFile; DecoderCrashed if memory runs out.
    """
    image_format = _checked_format(data, limits)
    with damage_named():
        if image_format is ImageFormat.JPEG:
            return jpeg_picture(data, limits=limits, reduce=reduce)
        file = open_file(data, image_format, limits=limits)
        file.load(limits=limits)
        return file.picture()


def decode_frames(
    data: bytes, *, limits: DecodeLimits = DEFAULT_LIMITS, reduce: bool = False
) -> Iterator[DecodedPicture]:
    """Every picture that a viewer of this file sees, the one of `decode_picture` first; one for most files.

    Animated GIF, PNG, WebP and AVIF: the frames that are shown for `limits.frame_seconds` or begin so long
    after the one taken before, composed as shown, with their times. TIFF: its pages without thumbnails and
    masks. JPEG: the primary picture and those of the same size behind it (stereo cameras); previews, depth
    and gain maps are left out. HEIC: the primary image, then the others at the top level; its thumbnails and
    maps, and the frames of a HEIC sequence, are not read.

    At most `limits.max_frames`, and frames of `limits.max_frame_pixels` together. Near-equal ones are the
    caller's to drop. Raises as `decode_picture` for the first; what follows a damaged frame is left out, as
    browsers leave it out.
    """
    image_format = _checked_format(data, limits)
    return frames_of(data, image_format, limits=limits, reduce=reduce)


def _checked_format(data: bytes, limits: DecodeLimits) -> ImageFormat:
    check_bytes(len(data), limits=limits)
    head = data[:HEAD_BYTES]
    image_format = image_format_of(head)
    if image_format is None:
        name = unread_format_of(head)
        raise UnknownFormat(f"This is {name}, which is not read here." if name else None)
    return image_format
