"""A TIFF's pages, each as a file of its own that says how its pixels are stored and nothing else.

Pillow reads every tag of a directory at once, and all of them may point at the same sixty megabytes.
Source: TIFF 6.0; tags of compression schemes as libtiff lists them.
"""

import struct
from collections.abc import Iterator

from staydown.fingerprint.errors import DamagedFile, TooManyParts, TooManyPixels
from staydown.fingerprint.headers.directory import (
    BrokenDirectory,
    Entry,
    Layout,
    integer,
    read_directory,
    read_layout,
)
from staydown.fingerprint.headers.terms import Header

_SUBFILE, _WIDTH, _HEIGHT, _ORIENTATION, _PROFILE = 254, 256, 257, 274, 34675
_TILE_WIDTH, _TILE_HEIGHT = 322, 323
_PLACES = frozenset((273, 279, 324, 325))  # of strips and of tiles, and their lengths

# Size, bits, compression, colours, strips, samples; fax options; predictor, palette, tiles; inks, extra
# samples, sample format; JPEG tables, old and new; how YCbCr is stored.
_KEPT = (
    *(256, 257, 258, 259, 262, 266, 273, 277, 278, 279, 284, 292, 293),
    *(317, 320, 322, 323, 324, 325, 332, 338, 339, 347),
    *(*range(512, 522), 529, 530, 531, 532),
)
# The longest of them beside the places is a palette: three columns of 65,536 shorts.
_MOST_VALUE_BYTES = 3 * 65_536 * 2

_THUMBNAIL_OR_MASK = 0b101  # bits of tag 254


def pages(data: bytes, *, max_pixels: int, max_parts: int, max_profile_bytes: int) -> Iterator[Header]:
    """Each page in the order of the file, from the first; thumbnails and masks after the first are left out.

    Raises DamagedFile if a page cannot be read, TooManyPixels for a tile beyond the limit, TooManyParts.
    """
    try:
        layout = read_layout(data)
        at, seen = layout.first, set[int]()
        while at and at not in seen:
            seen.add(at)
            entries, following = read_directory(data, layout, at)
            kind = integer(data, layout, entries.get(_SUBFILE)) or 0
            if at == layout.first or not kind & _THUMBNAIL_OR_MASK:
                _check(data, layout, entries, max_pixels=max_pixels, max_parts=max_parts)
                yield _page(data, layout, entries, max_profile_bytes=max_profile_bytes)
            at = following
    except BrokenDirectory as error:
        raise DamagedFile from error


def _check(
    data: bytes, layout: Layout, entries: dict[int, Entry], *, max_pixels: int, max_parts: int
) -> None:
    for tag in _KEPT:
        entry = entries.get(tag)
        if entry is None:
            continue
        if tag in _PLACES:
            if entry.count > max_parts:
                raise TooManyParts
        elif entry.size > _MOST_VALUE_BYTES:
            raise DamagedFile
    # A tile is decoded whole, however small the picture is.
    tile = [integer(data, layout, entries.get(tag)) or 1 for tag in (_TILE_WIDTH, _TILE_HEIGHT)]
    if tile[0] * tile[1] > max_pixels:
        raise TooManyPixels(f"The picture is stored in tiles of {tile[0]} x {tile[1]} pixels.")


def _page(data: bytes, layout: Layout, entries: dict[int, Entry], *, max_profile_bytes: int) -> Header:
    profile = entries.get(_PROFILE)
    has_profile = profile is not None and profile.size <= max_profile_bytes
    return Header(
        plain=_alone(data, layout, [entries[tag] for tag in _KEPT if tag in entries]),
        orientation=_turn(integer(data, layout, entries.get(_ORIENTATION))),
        profile=data[profile.at : profile.at + profile.size] if profile and has_profile else None,
    )


def _turn(orientation: int | None) -> int:
    return orientation if orientation is not None and 1 <= orientation <= 8 else 1


def _alone(data: bytes, layout: Layout, entries: list[Entry]) -> bytes:
    """The file with one directory at its end that holds these entries; the pixels stay where they are."""
    count_form, place_form = ("Q", "Q") if layout.is_big else ("H", "I")
    place_at = 8 if layout.is_big else 4
    place = struct.pack(layout.order + place_form, len(data) + len(data) % 2)
    return b"".join(
        (
            data[:place_at],
            place,
            memoryview(data)[place_at + len(place) :],
            b"\0" * (len(data) % 2),
            struct.pack(layout.order + count_form, len(entries)),
            *(entry.raw for entry in entries),
            struct.pack(layout.order + place_form, 0),
        )
    )
