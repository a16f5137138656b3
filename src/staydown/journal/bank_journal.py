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
from typing import Any

from staydown.journal.errors import JournalDamaged, JournalFormatUnknown, SequenceNotRising
from staydown.journal.lines import decode_line, encode_line

FORMAT = "staydown-bank-journal"
VERSION = 1
# How much of the end a writer looks at: a hundred times the longest record (64 codes are about 6 kB).
TAIL_BYTES = 1024 * 1024


def _header() -> bytes:
    return encode_line({"format": FORMAT, "version": VERSION, "generation": secrets.token_hex(8)})


def _check_header(line: bytes) -> None:
    header = decode_line(line)
    if header is None or header.get("format") != FORMAT or header.get("version") != VERSION:
        raise JournalFormatUnknown(f"the file is not a {FORMAT} of version {VERSION}")


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
                self._replace([])
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
        """The sequence number of the last record; 0 for an empty journal."""
        return self._last_seq

    def append(self, records: Sequence[dict[str, Any]]) -> None:
        """Appends the records; they are on disk when this returns. Raises SequenceNotRising."""
        if not records:
            return
        self._check_rising(records, after=self._last_seq)
        with self._path.open("ab") as file:
            file.write(b"".join(map(encode_line, records)))
            file.flush()
            os.fsync(file.fileno())
        self._last_seq = records[-1]["seq"]

    def rewrite(self, records: Sequence[dict[str, Any]]) -> None:
        """Replaces the journal by a new generation with only these records, at once and whole."""
        self._check_rising(records, after=0)
        self._replace(records)
        self._last_seq = records[-1]["seq"] if records else 0

    def _replace(self, records: Iterable[dict[str, Any]]) -> None:
        draft = self._path.with_suffix(".new")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(_header())
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
            _check_header(header)
            size = file.seek(0, os.SEEK_END)
            whole = max(len(header), size - TAIL_BYTES)
            file.seek(whole)
            if whole > len(header):
                whole += len(file.readline())  # the rest of a line that began before the tail
            lines = file.read().splitlines(keepends=True)
            for position, line in enumerate(lines, start=1):
                record = decode_line(line) if line.endswith(b"\n") else None
                if record is None:
                    if position < len(lines):
                        raise JournalDamaged(file_name=self._path.name, line=0)
                    file.truncate(whole)
                    break
                self._last_seq = record["seq"]
                whole += len(line)


@dataclass(frozen=True, slots=True)
class Reset:
    """The journal was replaced: forget everything; what follows is all there is."""


class BankJournalReader:
    """Follows the journal. `poll` costs one stat when nothing has changed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._identity: tuple[int, int] | None = None
        self._offset = 0
        self._line = 0

    @property
    def exists(self) -> bool:
        """Whether there was a journal at the last poll."""
        return self._identity is not None

    def poll(self) -> list[dict[str, Any] | Reset]:
        """What is new since the last call, oldest first; starts with Reset if the journal was replaced.

        A line that is still being written is left for the next call.
        Raises JournalDamaged or JournalFormatUnknown.
        """
        try:
            seen = self._path.stat()
        except FileNotFoundError:
            return []
        news: list[dict[str, Any] | Reset] = []
        if (seen.st_dev, seen.st_ino) != self._identity or seen.st_size < self._offset:
            news.append(Reset())
            self._offset = self._line = 0
        elif seen.st_size == self._offset:
            return []
        with self._path.open("rb") as file:
            opened = os.fstat(file.fileno())
            if news == [] and (opened.st_dev, opened.st_ino) != self._identity:
                return self.poll()  # replaced between stat and open
            self._identity = (opened.st_dev, opened.st_ino)
            file.seek(self._offset)
            if self._offset == 0:
                header = file.readline()
                _check_header(header)
                self._offset, self._line = len(header), 1
            news.extend(self._whole_lines(file.read()))
        return news

    def _whole_lines(self, content: bytes) -> list[dict[str, Any]]:
        records = []
        lines = content.splitlines(keepends=True)
        for position, line in enumerate(lines):
            record = decode_line(line) if line.endswith(b"\n") else None
            if record is None:
                if position + 1 < len(lines):
                    raise JournalDamaged(file_name=self._path.name, line=self._line + 1)
                break  # torn or still being written
            records.append(record)
            self._offset += len(line)
            self._line += 1
        return records
