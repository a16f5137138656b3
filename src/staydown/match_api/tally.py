"""A table of numbers that every process of an installation adds to, and any of them can read whole.

One mapped file a process, so that adding is a store into memory, a scrape at one process tells of all, and a
count survives the process that made it. Refuses to hold anything but numbers.

Known: a number is read while another process writes it. It is one aligned eight-byte store, so what is read
is the old or the new one.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import logging
import mmap
import os
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

logger = logging.getLogger(__name__)

# Processes of one host with numbers of their own: more than the cores of the machines that serve this.
MOST_PROCESSES = 256
_NUMBER_BYTES = 8


@dataclass(frozen=True, slots=True)
class Numbers:
    """What one process has told. `alive` says whether it still runs: then its present state counts too."""

    place: int
    alive: bool
    values: array[float]


class Tally:
    """This process's own table; `add` and `put` by the number's index in `names`.

    It takes the first place that no living process has, with the counts that are there: they go on. If there
    is no place, or no room on the disk, it counts in memory and only for itself.
    """

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        # Tables of a release with other names are other files: no number is ever read under a wrong name.
        self._kind = hashlib.sha256("\n".join(names).encode()).hexdigest()[:12]
        self._folder = folder
        self._size_bytes = len(names) * _NUMBER_BYTES
        self._descriptor: int | None = None
        self._map = self._place()
        self.values = memoryview(self._map).cast("d")

    def close(self) -> None:
        """Gives the place free. The memory stays until nothing holds it: a late count does no harm."""
        if self._descriptor is not None:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)  # the map holds the file open too
            os.close(self._descriptor)
            self._descriptor = None

    def all(self) -> list[Numbers]:
        """The numbers of every process that ever was, this one's among them; in the order of their places."""
        if self._descriptor is None:
            return [Numbers(0, True, array("d", self.values))]
        found = []
        for place in range(MOST_PROCESSES):
            try:
                descriptor = os.open(self._path(place), os.O_RDWR | os.O_CLOEXEC)
            except FileNotFoundError:
                break
            with _closing(descriptor):
                values = array("d", os.pread(descriptor, self._size_bytes, 0))
                found.append(Numbers(place, not _take(descriptor), values))
        return found

    def _place(self) -> mmap.mmap:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for place in range(MOST_PROCESSES):
                descriptor = os.open(self._path(place), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
                if _take(descriptor):
                    self._descriptor = descriptor
                    # The room is taken now: a full disk later would end the process at a store.
                    os.posix_fallocate(descriptor, 0, self._size_bytes)
                    return mmap.mmap(descriptor, self._size_bytes)
                os.close(descriptor)
            logger.error("no place is left for this process's counts; it counts for itself")
        except OSError as error:
            logger.error("counts cannot be kept on disk: %s", type(error).__name__)
            if self._descriptor is not None:
                os.close(self._descriptor)
                self._descriptor = None
        return mmap.mmap(-1, self._size_bytes)

    def _path(self, place: int) -> Path:
        return self._folder / f"{self._kind}-{place}.counts"


def _take(descriptor: int) -> bool:
    """Whether no other process holds the file; this one then does, until it closes it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextlib.contextmanager
def _closing(descriptor: int) -> Iterator[None]:
    try:
        yield
    finally:
        os.close(descriptor)
