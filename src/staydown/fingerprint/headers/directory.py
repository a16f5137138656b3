"""Directories of tags, the form that TIFF, EXIF and multi-picture JPEGs share. Refuses to leave the data.

Only what is asked for is read: no value is copied before its place and length are known to lie in the data.
Source: TIFF 6.0, section 2; BigTIFF as libtiff documents it.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

# Bytes of one value of each kind; other kinds are unknown and their tags are passed over.
_KIND_BYTES = {
    1: 1,
    2: 1,
    3: 2,
    4: 4,
    5: 8,
    6: 1,
    7: 1,
    8: 2,
    9: 4,
    10: 8,
    11: 4,
    12: 8,
    13: 4,
    16: 8,
    17: 8,
    18: 8,
}
_INTEGERS = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}

# More tags than a classic directory can count: a BigTIFF that claims them is broken.
_MOST_TAGS = 65_535


class BrokenDirectory(ValueError):
    """The bytes are no directory, or point outside the data. The caller decides what that means."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file writes its directories."""

    order: str
    """"<" or ">", as struct takes it."""
    is_big: bool
    """Eight-byte places instead of four-byte ones."""
    first: int
    """Where the first directory lies."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One tag: where its value lies in the data, and the entry's own bytes."""

    tag: int
    kind: int
    count: int
    at: int
    size: int
    raw: bytes


def read_layout(data: bytes) -> Layout:
    """The layout that the first bytes announce. Raises BrokenDirectory."""
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None or len(data) < 16:
        raise BrokenDirectory
    (version,) = struct.unpack_from(order + "H", data, 2)
    if version == 42:
        return Layout(order, False, struct.unpack_from(order + "I", data, 4)[0])
    if version == 43:
        return Layout(order, True, struct.unpack_from(order + "Q", data, 8)[0])
    raise BrokenDirectory


def read_directory(data: bytes, layout: Layout, at: int) -> tuple[dict[int, Entry], int]:
    """The tags of the directory at this place, the first of each, and the place of the next directory.

    Tags of unknown kinds and tags whose value lies outside the data are left out. Raises BrokenDirectory.
    """
    count_form, entry_form, place_form = ("Q", "HHQQ", "Q") if layout.is_big else ("H", "HHII", "I")
    try:
        (count,) = struct.unpack_from(layout.order + count_form, data, at)
        if count > _MOST_TAGS:
            raise BrokenDirectory
        begin = at + struct.calcsize("=" + count_form)
        end = begin + count * struct.calcsize("=" + entry_form)
        entries = dict(_entries(data[begin:end], layout, begin, len(data), entry_form))
        if end > len(data):
            raise BrokenDirectory
        following = data[end : end + struct.calcsize("=" + place_form)]
    except struct.error as error:
        raise BrokenDirectory from error
    # Cameras leave the last four bytes out; then nothing follows.
    return entries, int.from_bytes(following, "little" if layout.order == "<" else "big")


def _entries(table: bytes, layout: Layout, begin: int, length: int, form: str) -> Iterator[tuple[int, Entry]]:
    form = layout.order + form
    bytes_each = struct.calcsize(form)
    value_bytes = 8 if layout.is_big else 4
    seen: set[int] = set()
    for place in range(0, len(table) - bytes_each + 1, bytes_each):
        tag, kind, count, value = struct.unpack_from(form, table, place)
        size = count * _KIND_BYTES.get(kind, 0)
        at = begin + place + bytes_each - value_bytes if size <= value_bytes else value
        if tag not in seen and size and at + size <= length:
            seen.add(tag)
            yield tag, Entry(tag, kind, count, at, size, table[place : place + bytes_each])


def integer(data: bytes, layout: Layout, entry: Entry | None) -> int | None:
    """The entry's first value if it is an unsigned integer, or None."""
    if entry is None or entry.kind not in _INTEGERS:
        return None
    value: int = struct.unpack_from(layout.order + _INTEGERS[entry.kind], data, entry.at)[0]
    return value
