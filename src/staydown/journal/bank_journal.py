"""The bank journal: what the upload check must know of the bank, in the order in which it changed.

One process at a time appends, under a file lock; any number of processes follow. A journal is never changed
in place: a new generation replaces it by rename. Its first line names the segments (bank_segment.py) that
hold everything up to a sequence number; the records behind it tell the rest.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from staydown.journal.errors import JournalDamaged, JournalFormatUnknown, SequenceNotRising
from staydown.journal.lines import decode_line, encode_line, read_lines, write_whole

FORMAT = "staydown-bank-journal"
# Version 1 knew no segments.
VERSION = 2
# How much of the end a writer looks at first: ten times the longest usual record (64 codes are about 6 kB).
TAIL_BYTES = 64 * 1024
# How much a follower reads at a time: a bank of 100,000 entries with 33 codes each is 300 MB of text and five
# times as much once it is read, which must not all be in memory at once.
PART_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Generation:
    """What the first line of a journal says."""

    lineage: str
    """Generations of one lineage tell the same changes under the same numbers."""
    after: int = 0
    """The last sequence number that the records do not tell, because the segments hold it."""
    segments: tuple[str, ...] = ()
    """Names of the segments, from the oldest to the newest: a newer one overrules an older one."""


def _header(generation: Generation) -> bytes:
    return encode_line({"format": FORMAT, "version": VERSION, **asdict(generation)})


def _read_header(line: bytes) -> Generation:
    header = decode_line(line)
    if header is None or header.get("format") != FORMAT or header.get("version") != VERSION:
        raise JournalFormatUnknown(f"the file is not a {FORMAT} of version {VERSION}")
    return Generation(str(header["lineage"]), int(header["after"]), tuple(map(str, header["segments"])))


def _new_lineage() -> str:
    return secrets.token_hex(8)


class BankJournalWriter:
    """Appends to the journal; holds its lock from `with` to the end of the block.

    Creates an empty journal if there is none, and drops a torn last line. Raises JournalDamaged or
    JournalFormatUnknown if the file is not what a writer left.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = -1
        self._last_seq = 0
        self.generation = Generation(_new_lineage())

    def __enter__(self) -> BankJournalWriter:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = os.open(self._path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        try:
            if not self._path.exists():
                self._replace([], self.generation)
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

    def append(self, records: Sequence[dict[str, Any]]) -> None:
        """Appends the records; they are on disk when this returns. Raises SequenceNotRising."""
        if not records:
            return
        last_seq = _check_rising(records, after=self._last_seq)
        with self._path.open("r+b", buffering=0) as file:
            end = file.seek(0, os.SEEK_END)
            try:
                write_whole(file.fileno(), b"".join(map(encode_line, records)))
                os.fsync(file.fileno())
            except OSError:
                file.truncate(end)  # a full disk must not leave half a record for the next one to follow
                raise
        self._last_seq = last_seq

    def rewrite(self, records: Iterable[dict[str, Any]]) -> None:
        """Replaces the journal and all segments by only these records, at once and whole: a new lineage."""
        self._last_seq = self._replace(records, Generation(_new_lineage()))

    def refold(self, *, after: int, segments: Sequence[str]) -> None:
        """Replaces the journal by one that names these segments and keeps the records behind `after`.

        Raises JournalDamaged.
        """
        generation = replace(self.generation, after=after, segments=tuple(segments))
        with self._path.open("rb") as file:
            file.readline()
            self._replace(self._records_behind(after, file), generation)

    def _records_behind(self, after: int, file: BinaryIO) -> Iterator[dict[str, Any]]:
        for number, line in enumerate(file, start=2):
            record = decode_line(line)
            if record is None:
                raise JournalDamaged(file_name=self._path.name, line=number)
            if record["seq"] > after:
                yield record

    def _replace(self, records: Iterable[dict[str, Any]], generation: Generation) -> int:
        """Returns the last sequence number."""
        draft = self._path.with_suffix(".new")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        last_seq = generation.after
        with os.fdopen(descriptor, "wb") as file:
            file.write(_header(generation))
            for record in records:
                last_seq = _check_rising([record], after=last_seq)
                file.write(encode_line(record))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._path)
        sync_folder(self._path.parent)
        self.generation = generation
        return last_seq

    def _recover(self) -> None:
        """Finds the last whole line and cuts off what a crash left behind it.

        Looks at the end of the file only, so that appending costs the same however long the journal is;
        followers check every line.
        """
        with self._path.open("rb+") as file:
            header = file.readline()
            self.generation = _read_header(header)
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
            self._last_seq = max([self.generation.after, *(record["seq"] for record in records[-1:])])


def _check_rising(records: Iterable[dict[str, Any]], *, after: int) -> int:
    """The last sequence number. Raises SequenceNotRising."""
    for record in records:
        if record["seq"] <= after:
            raise SequenceNotRising
        after = record["seq"]
    return after


def sync_folder(folder: Path) -> None:
    """Makes renames in the folder last. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@dataclass(frozen=True, slots=True)
class Reset:
    """The journal was replaced: what follows, over the segments of this generation, is all there is."""

    generation: Generation


class BankJournalReader:
    """Follows the journal. `poll` costs one stat when nothing has changed.

    Keeps the file open: an open file's inode is not given to another, so a new generation is always noticed.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO | None = None
        self._identity = (0, 0)
        self._read = 0
        self._line = 0

    @property
    def exists(self) -> bool:
        """Whether there was a journal at the last poll."""
        return self._file is not None

    def unread_since(self) -> float | None:
        """When the journal last gained something that was not polled; None if all was. In seconds since the
        epoch.
        """
        try:
            seen = self._path.stat()
        except FileNotFoundError:
            return None
        is_read = _identity(seen) == self._identity and seen.st_size == self._read
        return None if is_read else seen.st_mtime

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
        if file is None or _identity(seen) != self._identity or seen.st_size < self._read:
            file, generation = self._start_again()
            news.append(Reset(generation))
        elif seen.st_size == self._read:
            return []
        news.extend(self._next_part(file))
        self._read = file.tell()
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

    def _start_again(self) -> tuple[BinaryIO, Generation]:
        self.close()
        file = self._path.open("rb")
        try:
            generation = _read_header(file.readline())
        except JournalFormatUnknown:
            file.close()
            raise
        self._file, self._line = file, 1
        self._identity = _identity(os.fstat(file.fileno()))
        return file, generation


def _identity(facts: os.stat_result) -> tuple[int, int]:
    return facts.st_dev, facts.st_ino
