"""A video's bytes, wherever they are: opened once, read from any place, never held whole if it is a file.

Refuses what is not a plain file, and reads nothing else: it knows no address and no second file.
"""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import BinaryIO

from staydown.fingerprint.errors import EmptyFile, FileTooLarge, VideoUnavailable
from staydown.fingerprint.sources import open_regular
from staydown.fingerprint.video_limits import VideoLimits

_BUFFER_BYTES = 1 << 16  # a demuxer reads in small steps


class _OpenFile(io.RawIOBase):
    """An open file with a place of its own, so that others who hold the same one are not moved.

    Closing it leaves the descriptor open: that belongs to whoever opened it.
    """

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._place = 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]
        """Fills the buffer from the place, as far as the file goes."""
        count = os.preadv(self._descriptor, [buffer], self._place)
        self._place += count
        return count

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Moves the place. Raises ValueError for one before the start."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: os.fstat(self._descriptor).st_size}
        place = start[whence] + offset
        if place < 0:
            raise ValueError("a place before the start of the file")
        self._place = place
        return place

    def tell(self) -> int:
        """The place."""
        return self._place


def open_file(descriptor: int) -> BinaryIO:
    """An open descriptor as a file that is read from its start."""
    return io.BufferedReader(_OpenFile(descriptor), _BUFFER_BYTES)


@contextmanager
def open_descriptor(path: Path | str, *, limits: VideoLimits) -> Iterator[int]:
    """The file at a path as an open descriptor.

    Raises OSError if it cannot be opened, NotAFile for a folder, a pipe or a device, EmptyFile, FileTooLarge.
    """
    with open_regular(path) as file:
        check_video_bytes(os.fstat(file.fileno()).st_size, most=limits.max_bytes)
        yield file.fileno()


def check_video_is_readable() -> None:
    """Raises VideoUnavailable if the library that reads videos is not installed. Does not import it."""
    if find_spec("av") is None:
        raise VideoUnavailable


def check_video_bytes(count: int, *, most: int) -> None:
    """Raises EmptyFile or FileTooLarge."""
    if count == 0:
        raise EmptyFile
    if count > most:
        raise FileTooLarge(f"The video is larger than {most >> 20} MiB.")
