"""The bank journal: what the upload check must know of the bank, in the order in which it changed.

One process at a time appends, under a file lock; any number of processes follow. A journal is never changed
in place: a new generation replaces it by rename, and followers start again from nothing.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from staydown.journal.errors import JournalDamaged, JournalFormatUnknown, SequenceNotRising
from staydown.journal.lines import decode_line, encode_line, read_lines, write_whole

FORMAT = "staydown-bank-journal"
VERSION = 1
# How much of the end a writer looks at first: ten times the longest usual record (64 codes are about 6 kB).
TAIL_BYTES = 64 * 1024
# How much a follower reads at a time: a bank of 100,000 entries with 33 codes each is 300 MB of text and five
# times as much once it is read, which must not all be in memory at once.
PART_BYTES = 4 * 1024 * 1024


def _header(*, after: int) -> bytes:
    """The first line. `after` is the last sequence number that this generation does not need to tell."""
    generation = secrets.token_hex(8)
    return encode_line({"format": FORMAT, "version": VERSION, "generation": generation, "after": after})


def _read_header(line: bytes) -> int:
    header = decode_line(line)
    if header is None or header.get("format") != FORMAT or header.get("version") != VERSION:
        raise JournalFormatUnknown(f"the file is not a {FORMAT} of version {VERSION}")
    return int(header.get("after", 0))


class BankJournalWriter:
    """Appends to the journal; holds its lock from `with` to the end of the block.

    Creates an empty journal if there is none, and drops a torn last line. Raises JournalDamaged or
    JournalFormatUnknown if the file is not what a writer left.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = -1
        self._last_seq = 0

    def __enter__(self) -> BankJournalWriter:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = os.open(self._path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        try:
            if not self._path.exists():
                self._replace([], after=0)
            self._recover()
        except BaseException:
            os.close(self._lock)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._lock)  # closing releases the lock

    def last_seq(self) -> int:
        """The sequence number up to which this journal tells everything; 0 for a new one."""
        return self._last_seq

    def count(self) -> int:
        """How many records the journal holds, also those that later ones have made obsolete."""
        with self._path.open("rb") as file:
            return sum(1 for _ in file) - 1

    def append(self, records: Sequence[dict[str, Any]]) -> None:
        """Appends the records; they are on disk when this returns. Raises SequenceNotRising."""
        if not records:
            return
        self._check_rising(records, after=self._last_seq)
        with self._path.open("r+b", buffering=0) as file:
            end = file.seek(0, os.SEEK_END)
            try:
                write_whole(file.fileno(), b"".join(map(encode_line, records)))
                os.fsync(file.fileno())
            except OSError:
                file.truncate(end)  # a full disk must not leave half a record for the next one to follow
                raise
        self._last_seq = records[-1]["seq"]

    def rewrite(self, records: Sequence[dict[str, Any]], *, after: int = 0) -> None:
        """Replaces the journal by a new generation with only these records, at once and whole.

        `after`: a sequence number up to which these records tell everything, though the last may be lower.
        """
        self._check_rising(records, after=0)
        self._replace(records, after=after)
        self._last_seq = max([after, *(record["seq"] for record in records[-1:])])

    def _replace(self, records: Iterable[dict[str, Any]], *, after: int) -> None:
        draft = self._path.with_suffix(".new")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(_header(after=after))
            file.writelines(map(encode_line, records))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _check_rising(self, records: Iterable[dict[str, Any]], *, after: int) -> None:
        for record in records:
            if record["seq"] <= after:
                raise SequenceNotRising
            after = record["seq"]

    def _recover(self) -> None:
        """Finds the last whole line and cuts off what a crash left behind it.

        Looks at the end of the file only, so that appending costs the same however long the journal is;
        followers check every line.
        """
        with self._path.open("rb+") as file:
            header = file.readline()
            after = _read_header(header)
            size = file.seek(0, os.SEEK_END)
            look_back = TAIL_BYTES
            while True:
                start = max(len(header), size - look_back)
                file.seek(start)
                if start > len(header):
                    start += len(file.readline())  # the rest of a line that began before the tail
                records, whole = read_lines(file.read(), file_name=self._path.name, first_line=None)
                if records or start == len(header):
                    break
                look_back *= 2  # a record longer than the tail
            file.truncate(start + whole)
            self._last_seq = max([after, *(record["seq"] for record in records[-1:])])


@dataclass(frozen=True, slots=True)
class Reset:
    """The journal was replaced: forget everything; what follows is all there is."""


class BankJournalReader:
    """Follows the journal. `poll` costs one stat when nothing has changed.

    Keeps the file open: an open file's inode is not given to another, so a new generation is always noticed.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO | None = None
        self._line = 0

    @property
    def exists(self) -> bool:
        """Whether there was a journal at the last poll."""
        return self._file is not None

    def close(self) -> None:
        """Closes the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def poll(self) -> list[dict[str, Any] | Reset]:
        """What is new since the last call, oldest first; starts with Reset if the journal was replaced.

        A long journal comes in parts: call again until there is nothing. A line that is still being written
        is left for the next call. Raises JournalDamaged or JournalFormatUnknown.
        """
        try:
            seen = self._path.stat()
        except FileNotFoundError:
            return []
        news: list[dict[str, Any] | Reset] = []
        file = self._file
        if file is None or not os.path.samestat(seen, os.fstat(file.fileno())) or seen.st_size < file.tell():
            file = self._start_again()
            news.append(Reset())
        elif seen.st_size == file.tell():
            return []
        news.extend(self._next_part(file))
        return news

    def _next_part(self, file: BinaryIO) -> list[dict[str, Any]]:
        start, part_bytes = file.tell(), PART_BYTES
        while True:
            part = file.read(part_bytes)
            try:
                records, whole = read_lines(part, file_name=self._path.name, first_line=self._line + 1)
            except JournalDamaged:
                self.close()  # read from the beginning again, and refuse again, until somebody mends it
                raise
            if records or len(part) < part_bytes:
                break
            file.seek(start)
            part_bytes *= 2  # a record longer than a part
        file.seek(start + whole)
        self._line += len(records)
        return records

    def _start_again(self) -> BinaryIO:
        self.close()
        file = self._path.open("rb")
        try:
            _read_header(file.readline())
        except JournalFormatUnknown:
            file.close()
            raise
        self._file, self._line = file, 1
        return file
