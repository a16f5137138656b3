"""A GIF's images: where each lies on the canvas. Refuses one block after another without end.

Pillow lets an image enlarge the canvas, and reserves memory for what it covers, before anybody can ask how
much.
Source: CompuServe, Graphics Interchange Format, version 89a.
"""

import struct
from collections.abc import Iterator

from staydown.fingerprint.errors import TooManyParts

_HEADER_BYTES = 13
_IMAGE, _EXTENSION = 0x2C, 0x21


def canvas_sizes(data: bytes, *, max_parts: int) -> Iterator[tuple[int, int]]:
    """Width and height of the canvas after each image, in order; stops where the file stops making sense.

    Raises TooManyParts.
    """
    if len(data) < _HEADER_BYTES:
        return
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    at = _HEADER_BYTES + _palette_bytes(flags)
    parts = 0
    while at < len(data) and data[at] in (_IMAGE, _EXTENSION):
        if data[at] == _EXTENSION:
            at += 2
        else:
            if at + 10 >= len(data):
                return
            left, top, wide, high, flags = struct.unpack_from("<HHHHB", data, at + 1)
            width, height = max(width, left + wide), max(height, top + high)
            yield width, height
            at += 11 + _palette_bytes(flags)
        while at < len(data) and data[at]:
            at += 1 + data[at]
            parts += 1
            if parts > max_parts:
                raise TooManyParts
        at += 1


def _palette_bytes(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0
