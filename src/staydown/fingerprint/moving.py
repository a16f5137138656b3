"""Moving pictures by the frames that a viewer has time to see, and files of several pictures by their pages.

Refuses to look further than its limits; and what follows a damaged frame is not looked at, for browsers do
not show it either.
"""

from collections.abc import Iterator

from staydown.fingerprint.errors import DecoderCrashed, NotFingerprintable, damage_named
from staydown.fingerprint.formats import ImageFormat
from staydown.fingerprint.headers.gif import Canvas, canvases
from staydown.fingerprint.headers.jpeg import read_jpeg
from staydown.fingerprint.limits import DecodeLimits
from staydown.fingerprint.readers import OpenFile, check_size, open_file, open_page, tiff_pages
from staydown.fingerprint.strips import DecodedPicture
from staydown.fingerprint.turbo import jpeg_picture

# Browsers show a frame that asks for 10 ms or less for 100 ms; 20 ms are granted. Source: the decoders of
# Chromium and Firefox, for old GIFs that were made when no program kept such times.
_HURRIED_MS, _INSTEAD_MS = 10, 100


def frames_of(
    data: bytes, image_format: ImageFormat, *, limits: DecodeLimits, reduce: bool
) -> Iterator[DecodedPicture]:
    """The frames or pages of a file: the first or primary one, then at most `limits.max_frames` in all.

    Raises NotFingerprintable where the first one cannot be read, DecoderCrashed anywhere.
    """
    pictures = _pictures(data, image_format, limits, reduce=reduce)
    for taken in range(limits.max_frames):
        try:
            with damage_named():
                picture = next(pictures, None)
        except NotFingerprintable as error:
            if not taken or isinstance(error, DecoderCrashed):
                raise
            return
        if picture is None:
            return
        yield picture


def _pictures(
    data: bytes, image_format: ImageFormat, limits: DecodeLimits, *, reduce: bool
) -> Iterator[DecodedPicture]:
    if image_format is ImageFormat.JPEG:
        yield from _jpegs(data, limits, reduce=reduce)
    elif image_format is ImageFormat.TIFF:
        yield from _pages(data, limits)
    else:
        yield from _in_file(data, image_format, open_file(data, image_format, limits=limits), limits)


def _in_file(
    data: bytes, image_format: ImageFormat, file: OpenFile, limits: DecodeLimits
) -> Iterator[DecodedPicture]:
    if file.count == 1:
        return _only(file, limits)
    if image_format is ImageFormat.HEIC and file.count:
        return _images(file, limits, count=file.count)
    drawn = canvases(data, max_parts=limits.max_parts) if image_format is ImageFormat.GIF else None
    return _frames(file, limits, drawn=drawn)


class _Budget:
    """How many pixels may still be decoded."""

    def __init__(self, limits: DecodeLimits) -> None:
        self._pixels = limits.max_frame_pixels
        self._has_begun = False

    def allows(self, size: tuple[int, int]) -> bool:
        """Takes a frame of this size out of the budget if it has room; the first frame always has."""
        is_first, self._has_begun = not self._has_begun, True
        self._pixels -= size[0] * size[1]
        return is_first or self._pixels >= 0


def _only(file: OpenFile, limits: DecodeLimits) -> Iterator[DecodedPicture]:
    file.load(limits=limits)
    yield file.picture()


def _jpegs(data: bytes, limits: DecodeLimits, *, reduce: bool) -> Iterator[DecodedPicture]:
    """The primary picture of a JPEG, then those of its size: stereo cameras and bursts.

    Others are previews, or maps of depth and brightness: no pictures that anybody looks at.
    """
    first = read_jpeg(data, max_parts=limits.max_parts)
    yield jpeg_picture(data, limits=limits, reduce=reduce)
    budget = _Budget(limits)
    budget.allows((first.width, first.height))
    for place in first.further:
        if data[place : place + 2] != data[:2]:
            continue
        behind = data[place:]
        header = read_jpeg(behind, max_parts=limits.max_parts)
        if (header.width, header.height) == (first.width, first.height):
            if not budget.allows((header.width, header.height)):
                return
            yield jpeg_picture(behind, limits=limits, reduce=reduce)


def _pages(data: bytes, limits: DecodeLimits) -> Iterator[DecodedPicture]:
    """The pages of a TIFF; one beyond the limits ends them."""
    budget = _Budget(limits)
    for page in tiff_pages(data, limits=limits):
        file = open_page(page)
        if not budget.allows(file.image.size):
            return
        file.load(limits=limits)
        yield file.picture()


def _images(file: OpenFile, limits: DecodeLimits, *, count: int) -> Iterator[DecodedPicture]:
    """The images of a HEIC, from the primary one on: bursts. Thumbnails and maps are not among them."""
    primary = file.image.tell()
    budget = _Budget(limits)
    for index in (primary, *(other for other in range(count) if other != primary)):
        file.image.seek(index)
        if not budget.allows(file.image.size):
            return
        file.load(limits=limits)
        yield file.kept_picture(at_seconds=0.0)


def _frames(
    file: OpenFile, limits: DecodeLimits, *, drawn: Iterator[Canvas] | None
) -> Iterator[DecodedPicture]:
    """The frames of a moving picture, each composed as it is shown; those that a viewer has time to see.

    drawn: what each frame makes of the canvas, where a frame may enlarge it or leave parts of it empty.
    """
    budget = _Budget(limits)
    every_ms = round(1000 * limits.frame_seconds)
    begin_ms, next_ms, index = 0, 0, 0
    while True:
        covered = None
        if drawn is not None:
            canvas = next(drawn, None)
            if canvas is None:
                return
            check_size(canvas.size, limits=limits)
            covered = canvas.covered
        try:
            file.image.seek(index)
        except EOFError:
            return
        if not budget.allows(file.image.size):
            return
        file.load(limits=limits)
        # A PNG may begin with a picture for programs that know no animation; others never show it.
        is_apart = index == 0 and bool(file.image.info.get("default_image"))
        shown_ms = 0 if is_apart else _shown_ms(file.image.info.get("duration"))
        if begin_ms >= next_ms or shown_ms >= every_ms:
            yield file.kept_picture(at_seconds=begin_ms / 1000, covered=covered)
            next_ms = begin_ms if is_apart else begin_ms + every_ms
        begin_ms += shown_ms
        index += 1


def _shown_ms(told: object) -> int:
    """How long a frame is shown. None is told where the file does not say; that is no time, too."""
    milliseconds = round(told) if isinstance(told, int | float) else 0
    return milliseconds if milliseconds > _HURRIED_MS else _INSTEAD_MS
