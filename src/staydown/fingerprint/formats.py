"""What a file is, told from its first bytes and never from its name. Refuses unlisted formats."""

import struct
from enum import StrEnum

HEAD_BYTES = 4096
"""As much of a file as is looked at here: ISO media brands and two MPEG-TS packets lie well within."""


class ImageFormat(StrEnum):
    """The pictures that are read."""

    JPEG = "jpeg"
    PNG = "png"
    WEBP = "webp"
    AVIF = "avif"
    HEIC = "heic"
    GIF = "gif"
    BMP = "bmp"
    TIFF = "tiff"


_MAGIC: tuple[tuple[bytes, ImageFormat], ...] = (
    (b"\xff\xd8\xff", ImageFormat.JPEG),
    (b"\x89PNG\r\n\x1a\n", ImageFormat.PNG),
    (b"GIF87a", ImageFormat.GIF),
    (b"GIF89a", ImageFormat.GIF),
    (b"BM", ImageFormat.BMP),
    (b"II*\0", ImageFormat.TIFF),
    (b"MM\0*", ImageFormat.TIFF),
    (b"II+\0", ImageFormat.TIFF),
)

# Brands of ISO/IEC 23000-22 (AVIF, "avif" and "avis" in the AVIF specification) and 23008-12 Annex B (HEIC).
_AVIF_BRANDS = frozenset((b"avif", b"avis"))
_HEIC_BRANDS = frozenset((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"))
_STILL_BRANDS = frozenset((b"mif1", b"msf1"))
_AUDIO_BRANDS = frozenset((b"M4A ", b"M4B ", b"M4P "))

_VIDEO_MAGIC = (
    b"\x1a\x45\xdf\xa3",  # Matroska, WebM
    b"\x00\x00\x01\xba",  # MPEG programme stream
    b"\x00\x00\x01\xb3",  # MPEG video
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",  # ASF: WMV
    b"FLV\x01",
    b"OggS",
)
# Pictures, and what people take for pictures, that are not read, with how a sentence names them.
_UNREAD_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\xff\x0a", "a JPEG XL picture"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL picture"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "a JPEG 2000 picture"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 picture"),
    (b"II\xbc\x01", "a JPEG XR picture"),
    (b"MM\0+", "a BigTIFF picture in the less usual byte order"),
    (b"\0\0\1\0", "an icon (ICO)"),
    (b"\0\0\2\0", "a cursor (CUR)"),
    (b"8BPS", "a Photoshop document"),
    (b"%PDF-", "a PDF document"),
    (b"qoif", "a QOI picture"),
    (b"BPG\xfb", "a BPG picture"),
    (b"FLIF", "a FLIF picture"),
    (b"v/1\x01", "an OpenEXR picture"),
    (b"#?RADIANCE", "a Radiance HDR picture"),
    (b"FUJIFILMCCD-RAW", "a camera's raw file"),
    (b"IIRO", "a camera's raw file"),
    (b"IIU\0", "a camera's raw file"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"<svg", "an SVG drawing"),
)
_UNREAD_BRANDS = {
    b"avci": "a HEIF picture in AVC",
    b"avcs": "a HEIF picture in AVC",
    b"vvic": "a HEIF picture in VVC",
    b"vvis": "a HEIF picture in VVC",
    b"jpeg": "a HEIF picture in JPEG",
    b"jpgs": "a HEIF picture in JPEG",
    b"j2ki": "a HEIF picture in JPEG 2000",
    b"crx ": "a camera's raw file",
    b"mif1": "a HEIF picture of an unknown kind",
    b"msf1": "a HEIF picture of an unknown kind",
}
_QUICKTIME_ATOMS = frozenset((b"moov", b"mdat", b"wide"))  # QuickTime before it had brands
_TS_PACKET_BYTES = 188


def _brands(head: bytes) -> list[bytes]:
    """The major brand of an ISO media file, then its compatible ones; empty for any other file."""
    if head[4:8] != b"ftyp" or len(head) < 16:
        return []
    end = min(int.from_bytes(head[:4]), len(head))
    return [head[8:12], *(head[at : at + 4] for at in range(16, end - 3, 4))]


def image_format_of(head: bytes) -> ImageFormat | None:
    """The picture format that these first bytes announce, or None."""
    for magic, image_format in _MAGIC:
        if head.startswith(magic):
            return image_format
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return ImageFormat.WEBP
    if brands := _brands(head):
        if brands[0] in _AVIF_BRANDS or (brands[0] in _STILL_BRANDS and _AVIF_BRANDS.intersection(brands)):
            return ImageFormat.AVIF
        if brands[0] in _HEIC_BRANDS or (brands[0] in _STILL_BRANDS and _HEIC_BRANDS.intersection(brands)):
            return ImageFormat.HEIC
    return None


def unread_format_of(head: bytes) -> str | None:
    """What these first bytes are, if people take it for a picture and it is not read here."""
    for brand in _brands(head):
        if brand in _UNREAD_BRANDS:
            return _UNREAD_BRANDS[brand]
    return next((name for magic, name in _UNREAD_MAGIC if head.startswith(magic)), None)


def is_video(head: bytes) -> bool:
    """Whether these first bytes announce a video container."""
    if brands := _brands(head):
        known_still = _AVIF_BRANDS | _HEIC_BRANDS | _STILL_BRANDS
        return brands[0] not in known_still and brands[0] not in _AUDIO_BRANDS
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return True
    if head[4:8] in _QUICKTIME_ATOMS or head.startswith(_VIDEO_MAGIC):
        return True
    return head[:1] == b"G" and head[_TS_PACKET_BYTES : _TS_PACKET_BYTES + 1] == b"G"


def webp_size(head: bytes) -> tuple[int, int] | None:
    """Width and height of a WebP from its header, or None if the header is broken.

    Pillow's WebP reader reserves the whole canvas when it opens a file, so its size must be known before.
    Source: RFC 9649, sections 2.5 to 2.7.
    """
    kind, body = head[12:16], head[20:30]
    if len(body) < 10:
        return None
    if kind == b"VP8X":
        return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
    if kind == b"VP8L" and body[0] == 0x2F:
        (bits,) = struct.unpack("<I", body[1:5])
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 " and body[3:6] == b"\x9d\x01\x2a":
        width, height = struct.unpack("<HH", body[6:10])
        return width & 0x3FFF, height & 0x3FFF
    return None
