"""A JPEG's segments: size, colours, orientation, profile, and where further pictures lie. Reads no pixel.

Sources: ITU-T T.81 annex B; CIPA DC-007 (multi-picture format); ICC.1:2022 annex B.4 (profiles in APP2).
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from staydown.fingerprint.errors import DamagedFile, TooManyParts
from staydown.fingerprint.headers.directory import BrokenDirectory, read_directory, read_layout
from staydown.fingerprint.headers.exif import orientation_of

_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
# Frame headers: C0 to CF without tables (C4), extensions (C8) and arithmetic conditioning (CC).
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ALONE = frozenset((0x01, *range(0xD0, 0xD9)))  # markers without a length
# Of the application segments only these two change how libjpeg understands colours: JFIF and Adobe.
_JFIF, _EXIF, _APP2, _ADOBE = 0xE0, 0xE1, 0xE2, 0xEE
_DROPPED = frozenset((*range(0xE1, 0xEE), 0xEF, 0xFE))

_EXIF_MARK, _PROFILE_MARK, _PICTURES_MARK = b"Exif\0\0", b"ICC_PROFILE\0", b"MPF\0"
_PICTURE_ENTRIES, _PICTURE_ENTRY_BYTES = 0xB002, 16

_MARKER = re.compile(rb"\xff+[^\xff]", re.DOTALL)  # filling before a marker is more of its first byte
_MARKER_IN_SCAN = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")


@dataclass(frozen=True, slots=True)
class JpegHeader:
    """What a JPEG says before its first scan."""

    width: int
    height: int
    bits: int
    """Of one sample; browsers show 8 only."""
    components: int
    """1 grey, 3 colour, 4 for printing."""
    orientation: int
    """As EXIF tells it, 1 to 8."""
    profile: bytes | None = field(repr=False)
    further: tuple[int, ...]
    """Where the file says that further pictures begin (stereo cameras, bursts; also previews and maps)."""
    tables: bytes = field(repr=False)
    """All that comes before the first scan and makes pixels: no tags, no profile, no comment."""
    scan_at: int
    """Where the first scan begins."""

    def plain(self, data: bytes) -> bytes:
        """The file without what is not pixels: a copy, for a library that reads tags eagerly."""
        return b"".join((self.tables, memoryview(data)[self.scan_at :]))


def read_jpeg(data: bytes, *, max_parts: int) -> JpegHeader:
    """The header of a file's first picture.

    Raises DamagedFile if no scan follows a frame header, TooManyParts for segments without end.
    """
    frame: tuple[int, int, int, int] | None = None
    exif: bytes | None = None
    profile_parts: list[bytes] = []
    further: tuple[int, ...] = ()
    kept = bytearray(data[:2])
    for marker, begin, end in _segments(data, max_parts=max_parts):
        body = data[begin + 4 : end]
        if marker in _FRAMES and frame is None and len(body) >= 6:
            frame = struct.unpack_from(">BHHB", body)
        elif marker == _EXIF and exif is None and body.startswith(_EXIF_MARK):
            exif = body
        elif marker == _APP2 and body.startswith(_PROFILE_MARK):
            profile_parts.append(body[len(_PROFILE_MARK) :])
        elif marker == _APP2 and body.startswith(_PICTURES_MARK) and not further:
            further = _further_pictures(body[len(_PICTURES_MARK) :], begin + 4 + len(_PICTURES_MARK))
        if marker == _START_OF_SCAN:
            if frame is None:
                break
            bits, height, width, components = frame
            return JpegHeader(
                width=width,
                height=height,
                bits=bits,
                components=components,
                orientation=orientation_of(exif),
                profile=_joined(profile_parts),
                further=further,
                tables=bytes(kept),
                scan_at=begin,
            )
        if marker not in _DROPPED:
            kept += data[begin:end]
    raise DamagedFile


def _segments(data: bytes, *, max_parts: int) -> Iterator[tuple[int, int, int]]:
    """Marker, beginning and end of each segment with a length, up to the first scan."""
    at = 2
    for _ in range(max_parts):
        found = _MARKER.search(data, at)
        if found is None:
            return
        marker, at = data[found.end() - 1], found.end() - 2
        if marker == 0x00 or marker in _ALONE:  # bytes that libjpeg skips too
            at += 2
            continue
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4])
        if marker == _END_OF_IMAGE or end < at + 4:
            return
        yield marker, at, end
        at = end
    raise TooManyParts


def _joined(parts: list[bytes]) -> bytes | None:
    """The profile out of its numbered parts, or None if one is missing."""
    numbered = sorted((part[0], part[1], part[2:]) for part in parts if len(part) > 2)
    if not numbered or [number for number, _, _ in numbered] != list(range(1, numbered[0][1] + 1)):
        return None
    return b"".join(body for _, _, body in numbered)


def _further_pictures(index: bytes, begin: int) -> tuple[int, ...]:
    """Places of the pictures after the first, as the multi-picture index counts them; none if broken."""
    try:
        layout = read_layout(index)
        entry = read_directory(index, layout, layout.first)[0].get(_PICTURE_ENTRIES)
    except BrokenDirectory:
        return ()
    if entry is None:
        return ()
    entries = index[entry.at : entry.at + entry.size]
    whole = len(entries) // _PICTURE_ENTRY_BYTES * _PICTURE_ENTRY_BYTES
    found = struct.iter_unpack(layout.order + "IIIHH", entries[:whole])
    return tuple(begin + offset for _, _, offset, _, _ in found if offset)


def count_scans(data: bytes, *, at_most: int) -> int:
    """How many scans the first picture has; counting stops above `at_most`."""
    # Two bytes are counted at memory speed, and entropy-coded data cannot hold them: so few of them, so few
    # scans. Only more, as previews inside segments bring them too, are worth a walk.
    if (quick := data.count(b"\xff\xda")) <= at_most:
        return quick
    scans, at = 0, 2
    while scans <= at_most and (found := _MARKER_IN_SCAN.search(data, at)):
        at, marker = found.end(), data[found.end() - 1]
        if marker == _END_OF_IMAGE:
            break
        if marker in _ALONE:
            continue
        scans += marker == _START_OF_SCAN
        at += int.from_bytes(data[at : at + 2])
    return scans
