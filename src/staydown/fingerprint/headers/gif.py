"""A GIF's images: where each lies on the canvas. Refuses one block after another without end.

Pillow lets an image enlarge the canvas, and reserves memory for what it covers, before anybody can ask how
much.
Source: CompuServe, Graphics Interchange Format, version 89a.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from staydown.fingerprint.errors import TooManyParts

_HEADER_BYTES = 13
_IMAGE, _EXTENSION = 0x2C, 0x21


@dataclass(frozen=True, slots=True)
class Canvas:
    """The canvas once an image is on it."""

    size: tuple[int, int]
    """Width and height, which images may enlarge."""
    covered: tuple[int, int, int, int]
    """Left, top, right, bottom of all images so far. Outside nothing was ever drawn: it is transparent."""


def canvases(data: bytes, *, max_parts: int) -> Iterator[Canvas]:
    """The canvas after each image, in order; stops where the file stops making sense. Raises TooManyParts."""
    if len(data) < _HEADER_BYTES:
        return
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    at = _HEADER_BYTES + _palette_bytes(flags)
    covered = (width, height, 0, 0)
    parts = 0
    while at < len(data) and data[at] in (_IMAGE, _EXTENSION):
        if data[at] == _EXTENSION:
            at += 2
        else:
            if at + 10 >= len(data):
                return
            left, top, wide, high, flags = struct.unpack_from("<HHHHB", data, at + 1)
            right, bottom = left + wide, top + high
            width, height = max(width, right), max(height, bottom)
            covered = (
                *(min(covered[0], left), min(covered[1], top)),
                *(max(covered[2], right), max(covered[3], bottom)),
            )
            yield Canvas((width, height), covered)
            at += 11 + _palette_bytes(flags)
        while at < len(data) and data[at]:
            at += 1 + data[at]
            parts += 1
            if parts > max_parts:
                raise TooManyParts
        at += 1


def _palette_bytes(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0
