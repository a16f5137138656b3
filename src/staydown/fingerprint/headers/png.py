"""A PNG's chunks: profile, orientation, and the file without its texts. Refuses chunks without end.

A text of a few kilobytes may unfold to gigabytes, and Pillow refuses the picture then, which browsers show.
Source: PNG, third edition (W3C, 2025), sections 5 and 11.
"""

import zlib
from dataclasses import dataclass

from staydown.fingerprint.errors import TooManyParts
from staydown.fingerprint.headers.exif import orientation_of
from staydown.fingerprint.headers.terms import Header

_SIGNATURE_BYTES = 8
_FRAME_BYTES = 12  # length, kind and checksum around a chunk's body

# What makes the pixels, still or moving.
_KEPT = frozenset((b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"acTL", b"fcTL", b"fdAT"))


@dataclass(frozen=True, slots=True)
class PngHeader(Header):
    """What a PNG says beside its pixels."""

    is_moving: bool = False


def read_png(data: bytes, *, max_parts: int, max_profile_bytes: int) -> PngHeader:
    """The facts about a PNG. A broken file is handed on as far as it goes; Pillow says what is wrong with it.

    Raises TooManyParts.
    """
    kept: list[bytes] = [data[:_SIGNATURE_BYTES]]
    exif: bytes | None = None
    profile: bytes | None = None
    is_moving = has_pixels = False
    at = _SIGNATURE_BYTES
    begin = at  # of the stretch of kept chunks that is not copied yet
    for _ in range(max_parts):
        end = at + _FRAME_BYTES + int.from_bytes(data[at : at + 4])
        kind = data[at + 4 : at + 8]
        if len(kind) < 4 or kind == b"IEND":
            kept.append(data[begin:end])
            break
        if kind not in _KEPT and kind[:1].islower():
            kept.append(data[begin:at])
            begin = end
            if kind == b"eXIf" and exif is None:
                exif = data[at + 8 : end - 4]
            elif kind == b"iCCP" and profile is None and not has_pixels:
                profile = _unfolded(data[at + 8 : end - 4], max_bytes=max_profile_bytes)
        is_moving = is_moving or kind == b"acTL"
        has_pixels = has_pixels or kind == b"IDAT"
        at = end
    else:
        raise TooManyParts
    return PngHeader(
        plain=b"".join(kept), orientation=orientation_of(exif), profile=profile, is_moving=is_moving
    )


def _unfolded(chunk: bytes, *, max_bytes: int) -> bytes | None:
    """The profile in an iCCP chunk, or None if it is broken or too large."""
    name, _, rest = chunk.partition(b"\0")
    if not name or rest[:1] != b"\0":  # the only compression method
        return None
    unfolding = zlib.decompressobj()
    try:
        profile = unfolding.decompress(rest[1:], max_bytes)
    except zlib.error:
        return None
    return profile if unfolding.eof else None
