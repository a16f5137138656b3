"""AVIF and HEIC without their EXIF. Refuses nothing: a broken file is handed on for its reader to judge.

How such a picture is turned stands in the properties `irot` and `imir`; EXIF must not turn it again (ISO/IEC
23000-22, 7.3.6.7). Pillow reads it all the same, and a broken one would keep the picture from being found.
"""

import re

# An item's entry: version and flags, id of two or four bytes, protection index, kind. Source: ISO/IEC
# 14496-12, 8.11.6.
_EXIF_ITEM = re.compile(rb"(infe(?:\x02.{3}.{2}|\x03.{3}.{4}).{2})Exif", re.DOTALL)
_UNKNOWN_ITEM = rb"\1skip"

_MOST_BOXES = 1000  # at the top of a file; a movie in fragments may have many, a picture has four


def without_exif(data: bytes) -> bytes:
    """The file with its EXIF items declared unknown; nothing moves."""
    at = 0
    for _ in range(_MOST_BOXES):
        size, kind = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8]
        if kind == b"meta":
            meta, count = _EXIF_ITEM.subn(_UNKNOWN_ITEM, data[at : at + size])
            return b"".join((data[:at], meta, data[at + size :])) if count else data
        if size == 1:
            size = int.from_bytes(data[at + 8 : at + 16])
        if size < 8:
            break
        at += size
    return data
