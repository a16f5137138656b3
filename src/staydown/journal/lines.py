"""The line format of every journal: 8 hex digits of CRC-32, a space, compact JSON, a line feed.

A line that was cut off by a crash is at the end and has no line feed, or fails its checksum there; it was
never acknowledged and is dropped. A line that fails anywhere else means that the file was changed.
"""

from __future__ import annotations

import json
import zlib
from typing import Any

_PREFIX_LENGTH = 9


def encode_line(record: dict[str, Any]) -> bytes:
    """The record as one line."""
    body = json.dumps(record, separators=(",", ":"), ensure_ascii=True).encode()
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
