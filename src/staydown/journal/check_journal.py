"""The check journals: what upload checks found, for the catalog and the match counts.

They hold fingerprints of everything that was uploaded, so they are kept no longer than it takes to read them.
Each upload-check process appends to files of its own, so nobody waits for a lock. A record is one write; a
reader remembers how far it came in each file and moves on in the transaction that stores what it read.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from staydown.journal.lines import json_of, line_of_json, read_lines, write_whole

# A file this long holds about 5,000 checks: small enough to copy and delete by hand, large enough to be few.
ROTATE_AT_BYTES = 8 * 1024 * 1024
# A file this old is left for a new one, so that what has been read can be deleted soon.
ROTATE_AFTER_SECONDS = 300.0
SUFFIX = ".journal"


class CheckJournalWriter:
    """Appends records of one process. `encode`: a record as compact JSON."""

    def __init__(
        self,
        folder: Path,
        *,
        encode: Callable[[dict[str, Any]], bytes] = json_of,
        rotate_at_bytes: int = ROTATE_AT_BYTES,
        rotate_after_seconds: float = ROTATE_AFTER_SECONDS,
    ) -> None:
        self._folder = folder
        self._encode = encode
        self._rotate_at_bytes = rotate_at_bytes
        self._rotate_after_seconds = rotate_after_seconds
        self._file = -1
        self._written = 0
        self._begun = 0.0

    def append(self, record: dict[str, Any]) -> None:
        """Appends one record with one write; a kill of this process afterwards does not lose it."""
        line = line_of_json(self._encode(record))
        is_full = self._written + len(line) > self._rotate_at_bytes
        is_old = time.monotonic() - self._begun > self._rotate_after_seconds
        if self._file < 0 or is_full or is_old:
            self._next_file()
        write_whole(self._file, line)
        self._written += len(line)

    def close(self) -> None:
        """Closes the current file."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _next_file(self) -> None:
        self.close()
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = f"{time.time_ns():020d}-{os.getpid()}{SUFFIX}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND
        self._file = os.open(self._folder / name, flags, 0o600)
        self._written = 0
        self._begun = time.monotonic()


class CheckJournalReader:
    """Reads every process's journals from remembered positions."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, positions: Mapping[str, int]) -> tuple[list[dict[str, Any]], dict[str, int]]:
        """The records behind `positions` (file name -> bytes read) and the new positions.

        A line that is still being written is left for the next call. Raises JournalDamaged.
        """
        records: list[dict[str, Any]] = []
        after = dict(positions)
        for path in sorted(self._folder.glob(f"*{SUFFIX}")):
            offset = after.get(path.name, 0)
            if path.stat().st_size > offset:
                found, after[path.name] = self._read_file(path, offset)
                records.extend(found)
        return records, after

    def delete_read(self, positions: Mapping[str, int]) -> list[str]:
        """Deletes the files that were read to their end and that nobody writes; returns their names."""
        paths = sorted(self._folder.glob(f"*{SUFFIX}"))
        newest_of_process = {_process(path): path for path in paths}
        deleted = []
        for path in paths:
            is_written = newest_of_process[_process(path)] == path and _is_alive(_process(path))
            if not is_written and path.stat().st_size == positions.get(path.name, 0):
                path.unlink()
                deleted.append(path.name)
        return deleted

    def _read_file(self, path: Path, offset: int) -> tuple[list[dict[str, Any]], int]:
        with path.open("rb") as file:
            before = file.read(offset)
            content = file.read()
        first_line = before.count(b"\n") + 1
        records, length = read_lines(content, file_name=path.name, first_line=first_line)
        return records, offset + length


def _process(path: Path) -> int:
    return int(path.stem.rpartition("-")[2])


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
