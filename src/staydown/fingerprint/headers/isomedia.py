"""AVIF and HEIC with nothing but their images. Refuses items without end; what is broken, its reader judges.

How such a picture is turned stands in the properties `irot` and `imir`; EXIF must not turn it again (ISO/IEC
23000-22, 7.3.6.7). The readers read EXIF, XMP and whatever else is there all the same, and a broken one would
keep the picture from being found; pi_heif 1.4 even ends the process at a name that is no text.
"""

import re

from staydown.fingerprint.errors import TooManyParts

# Kinds of items that are images, or that images are made of. Source: the registered item types of MP4RA.
_IMAGES = frozenset(
    (
        *(b"av01", b"hvc1", b"hvt1", b"lhv1", b"avc1", b"vvc1", b"jpeg", b"j2k1", b"unci"),
        *(b"grid", b"iden", b"iovl", b"tmap", b"tili", b"mski"),
    )
)
_UNKNOWN = b"skip"

# An item's entry: version and flags, id of two or four bytes, protection index, kind. Source: ISO/IEC
# 14496-12, 8.11.6. Entries before version 2 have no kind, and no image item may be one (23008-12, 6.2).
_ITEM = re.compile(rb"infe(?:(\x02.{5}.{2}|\x03.{7}.{2})(.{4})|[\0\1])", re.DOTALL)

_MOST_BOXES = 1000  # at the top of a file; a movie in fragments may have many, a picture has four


def with_images_only(data: bytes, *, max_items: int) -> bytes:
    """The file with all items that are no images declared unknown; nothing moves. Raises TooManyParts."""
    at = 0
    for _ in range(_MOST_BOXES):
        size, kind = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8]
        if kind == b"meta":
            if data.count(b"infe", at, at + size) > max_items:
                raise TooManyParts
            meta = _ITEM.sub(_as_image, data[at : at + size])
            return data if meta == data[at : at + size] else b"".join((data[:at], meta, data[at + size :]))
        if size == 1:
            size = int.from_bytes(data[at + 8 : at + 16])
        if size < 8:
            break
        at += size
    return data


def _as_image(item: re.Match[bytes]) -> bytes:
    front, kind = item.groups()
    if kind is None:
        return b"free" + item[0][4:]
    return b"infe" + front + (kind if kind in _IMAGES else _UNKNOWN)
