"""What can go wrong with a file, each with a sentence for a person. Names no file and nobody.

StaydownError
    FingerprintError
        MalformedFingerprint     a code, quality or hex text that is not a fingerprint
        SandboxUnavailable       the decoding processes cannot be started: not the fault of a file
        VideoUnavailable         videos cannot be read here: the extra `video` is not installed
        NotFingerprintable       nothing to compare can be made from this file
            EmptyFile NotAFile UnknownFormat DamagedFile TooManyPixels TooManyParts TooSmall FileTooLarge
            DecodeTimedOut DecoderCrashed AudioOnly NoFrames VideoTooLong
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from staydown.errors import StaydownError


class FingerprintError(StaydownError):
    """The base of everything that this package raises on purpose."""


class MalformedFingerprint(FingerprintError):
    """A code that is not 32 bytes, a quality outside 0..100, or hex text of the wrong form."""


class SandboxUnavailable(FingerprintError):
    """The decoding process did not start; no file can be read until that is mended."""


class VideoUnavailable(FingerprintError):
    """The library that reads videos is not installed: `pip install "staydown[video]"`."""

    def __init__(self) -> None:
        super().__init__('Videos cannot be read here: install Staydown with its extra "video".')


class NotFingerprintable(FingerprintError):
    """No fingerprint can be made from this file.

    ``str()`` is a sentence for a person, `slug` a word for a program.
    """

    slug: ClassVar[str] = "not-fingerprintable"
    sentence: ClassVar[str] = "No fingerprint can be made from this file."

    def __init__(self, sentence: str | None = None) -> None:
        super().__init__(sentence or self.sentence)


class EmptyFile(NotFingerprintable):
    """The file has no bytes."""

    slug = "empty-file"
    sentence = "The file is empty."


class NotAFile(NotFingerprintable):
    """The path leads to a folder, a pipe, a device or a socket: reading it may never end."""

    slug = "not-a-file"
    sentence = "This is no ordinary file: folders, pipes and devices are not read."


class UnknownFormat(NotFingerprintable):
    """The content is of no format that is read here, whatever the name of the file says."""

    slug = "unknown-format"
    sentence = "This is not a picture that can be read (JPEG, PNG, WebP, AVIF, HEIC, GIF, BMP or TIFF)."


class DamagedFile(NotFingerprintable):
    """The content begins as a picture and then breaks off or contradicts itself."""

    slug = "damaged-file"
    sentence = "The picture is damaged or incomplete."


class TooManyPixels(NotFingerprintable):
    """The picture is larger than the limit, or one of its sides is. Found before memory is reserved."""

    slug = "too-many-pixels"
    sentence = "The picture has too many pixels."


class TooManyParts(NotFingerprintable):
    """The file is cut into far more pieces than a picture needs, so that reading it would take for ever."""

    slug = "too-many-parts"
    sentence = "The picture is cut into more parts than can be read."


class TooSmall(NotFingerprintable):
    """A side is shorter than five pixels: too little to compare."""

    slug = "too-small"
    sentence = "The picture is too small to be compared."


class FileTooLarge(NotFingerprintable):
    """The file has more bytes than the limit."""

    slug = "file-too-large"
    sentence = "The file is too large."


class DecodeTimedOut(NotFingerprintable):
    """Reading the picture took longer than the limit, and was stopped."""

    slug = "decode-timed-out"
    sentence = "Reading the picture took too long and was stopped."


class DecoderCrashed(NotFingerprintable):
    """Reading the picture brought the decoding process down, or needed more memory than it may have."""

    slug = "decoder-crashed"
    sentence = "Reading the picture failed: the program that reads it stopped."


class AudioOnly(NotFingerprintable):
    """The file has sound, maybe with a cover picture, and no video."""

    slug = "audio-only"
    sentence = "The file has sound and no video."


class NoFrames(NotFingerprintable):
    """The file is a video, and not one of its frames can be read."""

    slug = "no-frames"
    sentence = "Not one frame of the video can be read."


class VideoTooLong(NotFingerprintable):
    """The video lasts longer, or is cut into more pieces, than is read; maybe it has no end."""

    slug = "video-too-long"
    sentence = "The video is too long."


REFUSALS: dict[str, type[NotFingerprintable]] = {
    refusal.slug: refusal
    for refusal in (
        EmptyFile,
        NotAFile,
        UnknownFormat,
        DamagedFile,
        TooManyPixels,
        TooManyParts,
        TooSmall,
        FileTooLarge,
        DecodeTimedOut,
        DecoderCrashed,
        AudioOnly,
        NoFrames,
        VideoTooLong,
    )
}


@contextmanager
def damage_named() -> Iterator[None]:
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
