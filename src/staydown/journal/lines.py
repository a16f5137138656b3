"""The line format of every journal: 8 hex digits of CRC-32, a space, compact JSON, a line feed.

A line that was cut off by a crash is the last one and has no line feed; it was never acknowledged and is
dropped. Any other line that fails its checksum means that the file was changed.
"""

from __future__ import annotations

import json
import os
import zlib
from typing import Any

from staydown.journal.errors import JournalDamaged

_PREFIX_LENGTH = 9
# Made once: json.dumps makes one at each call that is not of its usual form.
_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True).encode


def encode_line(record: dict[str, Any]) -> bytes:
    """The record as one line."""
    return line_of_json(json_of(record))


def json_of(record: dict[str, Any]) -> bytes:
    """The record as compact JSON."""
    return _encode(record).encode()


def line_of_json(body: bytes) -> bytes:
    """A record that is compact JSON already, as one line."""
    return b"%08x %s\n" % (zlib.crc32(body), body)


def decode_line(line: bytes) -> dict[str, Any] | None:
    """The record in a line (with or without its line feed); None if the line is not whole."""
    prefix, body = line[:_PREFIX_LENGTH], line[_PREFIX_LENGTH:].rstrip(b"\n")
    if prefix != b"%08x " % zlib.crc32(body):
        return None
    try:
        record = json.loads(body)
    except ValueError:
        return None
    return record if isinstance(record, dict) else None


def read_lines(content: bytes, *, file_name: str, first_line: int | None) -> tuple[list[dict[str, Any]], int]:
    """The records in whole lines and how many bytes they take; a torn last line is left out.

    Raises JournalDamaged with the line's number (0 if `first_line`, the number of the first, is unknown).
    """
    records: list[dict[str, Any]] = []
    length = 0
    for line in content.splitlines(keepends=True):
        whole = line.endswith(b"\n")
        record = decode_line(line)
        if record is None and (whole or decode_line(line[:-1]) is not None):
            number = 0 if first_line is None else first_line + len(records)
            raise JournalDamaged(file_name=file_name, line=number)
        if record is None or not whole:
            break
        records.append(record)
        length += len(line)
    return records, length


def write_whole(descriptor: int, content: bytes) -> None:
    """Writes all of it, also where the system takes it in parts. Raises OSError."""
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
