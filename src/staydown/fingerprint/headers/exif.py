"""The one thing that is read of EXIF: how the picture must be turned. Refuses to read where it was taken."""

from staydown.fingerprint.headers.directory import BrokenDirectory, integer, read_directory, read_layout

_ORIENTATION = 0x0112
_INTRODUCTION = b"Exif\0\0"


def orientation_of(exif: bytes | None) -> int:
    """1 to 8; 1 if there are no tags, or broken ones: they must not keep a picture from being found.

    Source: EXIF 2.32, section 4.6.4 A; a single unsigned integer, as browsers take it.
    """
    if not exif:
        return 1
    tags = exif.removeprefix(_INTRODUCTION)
    try:
        layout = read_layout(tags)
        entries, _ = read_directory(tags, layout, layout.first)
    except BrokenDirectory:
        return 1
    entry = entries.get(_ORIENTATION)
    value = integer(tags, layout, entry) if entry and entry.count == 1 else None
    return value if value is not None and 1 <= value <= 8 else 1
