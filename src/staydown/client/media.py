"""Turns what a caller may give to `check` into something that can be sent, more than once if need be.

It refuses what it cannot read. It sends no file name: a name may say who is in the picture.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TypeAlias

from staydown.client.errors import MediaNotReadable
from staydown.fingerprint.terms import MediaFingerprints, QueryFingerprints
from staydown.fingerprint.video_terms import VideoFingerprints

Computed: TypeAlias = MediaFingerprints | QueryFingerprints | VideoFingerprints
Media: TypeAlias = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO | Computed


@contextmanager
def sendable(media: Media) -> Iterator[bytes | BinaryIO | Computed]:
    """Bytes, a file that can be rewound, or fingerprints; a file opened here is closed at the end.

    A file that can't be rewound is read into memory, because a repeated attempt has to send it again.
    Raises MediaNotReadable.
    """
    if isinstance(media, Computed):
        yield media
    elif isinstance(media, bytes | bytearray | memoryview):
        yield bytes(media)
    elif isinstance(media, str | os.PathLike):
        try:
            opened = Path(media).open("rb")  # noqa: SIM115 (closed by the next with)
        except OSError as error:
            raise MediaNotReadable(f"the file could not be opened: {error.strerror}") from None
        with opened:
            yield opened
    elif hasattr(media, "read"):
        yield _rewindable(media)
    else:
        raise MediaNotReadable(
            f"check takes a path, bytes, a binary file or fingerprints, not {type(media).__name__}"
        )


def _rewindable(file: BinaryIO) -> bytes | BinaryIO:
    try:
        if file.seekable() and isinstance(file.read(0), bytes):
            return file
        content = file.read()
    except (OSError, ValueError, AttributeError):
        raise MediaNotReadable("the file could not be read") from None
    if not isinstance(content, bytes):
        raise MediaNotReadable("the file must be opened in binary mode")
    return content
