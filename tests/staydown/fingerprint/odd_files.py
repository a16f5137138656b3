"""Well-formed but unusual files, and hostile ones, that no ordinary program writes: made byte by byte."""

import io
import struct
import zlib
from collections.abc import Iterable, Sequence

import numpy as np
from PIL import Image

from tests.staydown.fingerprint.files import encoded, png_chunk
from tests.staydown.fingerprint.pictures import Pixels

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}  # by the number of channels; two and four are with alpha
Tag = tuple[int, int, int, bytes | int]  # tag, kind, count, value or the place of it


# ---- PNG -----------------------------------------------------------------------------------------


def png(pixels: Pixels, *, bits: int = 8, interlaced: bool = False, before: Sequence[bytes] = ()) -> bytes:
    """A PNG of (height, width, 1 to 4) uint8; 16 bits repeat the byte, 1 bit takes the highest.

    before: chunks between the header and the pixels.
    """
    height, width, channels = pixels.shape
    colours = _COLOUR_TYPES[channels]
    header = struct.pack(">IIBBBBB", width, height, bits, colours, 0, 0, int(interlaced))
    passes = [pixels]
    if interlaced:  # Adam7
        starts = (
            (0, 0, 8, 8),
            (0, 4, 8, 8),
            (4, 0, 8, 4),
            (0, 2, 4, 4),
            (2, 0, 4, 2),
            (0, 1, 2, 2),
            (1, 0, 2, 1),
        )
        passes = [pixels[y::dy, x::dx] for y, x, dy, dx in starts]
    rows = b"".join(b"\0" + _packed(row, bits) for part in passes if part.size for row in part)
    return b"".join(
        (
            PNG_SIGNATURE,
            png_chunk(b"IHDR", header),
            *before,
            png_chunk(b"IDAT", zlib.compress(rows)),
            png_chunk(b"IEND", b""),
        )
    )


def _packed(row: Pixels, bits: int) -> bytes:
    if bits == 16:
        return (row.astype(np.uint16) * 257).astype(">u2").tobytes()
    if bits == 1:
        return np.packbits(row.ravel() >> 7).tobytes()
    return row.tobytes()


def with_chunks(data: bytes, chunks: Iterable[bytes]) -> bytes:
    """A PNG with further chunks behind its header."""
    return data[:33] + b"".join(chunks) + data[33:]


def zeros_unfolded(count: int) -> bytes:
    """A zlib stream that unfolds to so many zeros."""
    packing = zlib.compressobj(9)
    part = bytes(1 << 20)
    return b"".join(packing.compress(part) for _ in range(count >> 20)) + packing.flush()


# ---- TIFF and EXIF -------------------------------------------------------------------------------


def tiff_directory(
    tags: Sequence[Tag], *, order: str = "<", is_big: bool = False, at: int = 8, following: int = 0
) -> bytes:
    """A directory to lie at this place, and behind it the values that do not fit into it."""
    entry_form, count_form, place_form = ("HHQ", "Q", "Q") if is_big else ("HHI", "H", "I")
    inline = 8 if is_big else 4
    entry_bytes = struct.calcsize("=" + entry_form) + inline
    head = struct.calcsize("=" + count_form) + len(tags) * entry_bytes + inline
    entries, values = [], b""
    for tag, kind, count, value in tags:
        entry = struct.pack(order + entry_form, tag, kind, count)
        if isinstance(value, int):
            entry += struct.pack(order + place_form, value)
        elif len(value) <= inline:
            entry += value.ljust(inline, b"\0")
        else:
            entry += struct.pack(order + place_form, at + head + len(values))
            values += value + b"\0" * (len(value) % 2)
        entries.append(entry)
    table = struct.pack(order + count_form, len(tags)) + b"".join(entries)
    return table + struct.pack(order + place_form, following) + values


def tiff_head(order: str = "<", *, is_big: bool = False, first: int | None = None) -> bytes:
    """The first bytes of a TIFF."""
    mark = b"II" if order == "<" else b"MM"
    if is_big:
        return mark + struct.pack(order + "HHHQ", 43, 8, 0, 16 if first is None else first)
    return mark + struct.pack(order + "HI", 42, 8 if first is None else first)


def tiff(
    samples: np.ndarray,
    *,
    order: str = "<",
    is_big: bool = False,
    photometric: int | None = None,
    sample_format: int = 1,
    further: Sequence[Tag] = (),
) -> bytes:
    """An uncompressed TIFF of (height, width, channels) of any integer or float type."""
    height, width, channels = samples.shape
    body = samples.astype(samples.dtype.newbyteorder(order)).tobytes()
    short, long = order + "H", order + "I"
    begin = 16 if is_big else 8
    tags: list[Tag] = [
        (256, 4, 1, struct.pack(long, width)),
        (257, 4, 1, struct.pack(long, height)),
        (258, 3, channels, struct.pack(short, samples.dtype.itemsize * 8) * channels),
        (259, 3, 1, struct.pack(short, 1)),
        (262, 3, 1, struct.pack(short, (2 if channels == 3 else 1) if photometric is None else photometric)),
        (273, 4, 1, struct.pack(long, begin)),
        (277, 3, 1, struct.pack(short, channels)),
        (278, 4, 1, struct.pack(long, height)),
        (279, 4, 1, struct.pack(long, len(body))),
        (339, 3, channels, struct.pack(short, sample_format) * channels),
    ]
    given = {tag for tag, *_ in further}
    tags = sorted([*(tag for tag in tags if tag[0] not in given), *further], key=lambda tag: tag[0])
    at = begin + len(body) + len(body) % 2
    directory = tiff_directory(tags, order=order, is_big=is_big, at=at)
    return tiff_head(order, is_big=is_big, first=at) + body + b"\0" * (len(body) % 2) + directory


def exif(tags: Sequence[Tag], *, order: str = "<", following: int = 0) -> bytes:
    """EXIF with these tags in its first directory."""
    return b"Exif\0\0" + tiff_head(order) + tiff_directory(tags, order=order, following=following)


# ---- JPEG ----------------------------------------------------------------------------------------


def segment(marker: int, body: bytes) -> bytes:
    """One segment of a JPEG."""
    return bytes((0xFF, marker)) + struct.pack(">H", 2 + len(body)) + body


def with_segments(data: bytes, *segments: bytes) -> bytes:
    """A JPEG with further segments right behind its beginning."""
    return data[:2] + b"".join(segments) + data[2:]


def mpo(*jpegs: bytes) -> bytes:
    """One file of several JPEGs, the first one primary. Pillow miscounts from the third on."""
    index_bytes = 8 + 2 + 12 + 4 + 16 * len(jpegs)
    header_at = 2 + 4 + 4  # of the index: behind SOI, the segment's head, and "MPF"
    place = len(jpegs[0]) + 4 + 4 + index_bytes - header_at
    entries = struct.pack("<IIIHH", 0x030000, len(jpegs[0]), 0, 0, 0)
    for data in jpegs[1:]:
        entries += struct.pack("<IIIHH", 0x020002, len(data), place, 0, 0)
        place += len(data)
    index = tiff_head() + tiff_directory([(0xB002, 7, len(entries), entries)])
    return with_segments(jpegs[0], segment(0xE2, b"MPF\0" + index)) + b"".join(jpegs[1:])


def resized(data: bytes, width: int, height: int) -> bytes:
    """A JPEG whose frame header claims another size."""
    at = next(at for marker in (b"\xff\xc0", b"\xff\xc2") if (at := data.find(marker)) >= 0)
    return data[: at + 5] + struct.pack(">HH", height, width) + data[at + 9 :]


def jpeg_of_many_scans(pixels: Pixels, scans: int) -> bytes:
    """A progressive JPEG whose last scan comes so many times."""
    data = encoded(pixels, "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + (data[last:-2]) * scans + data[-2:]


def ycck(data: bytes) -> bytes:
    """A CMYK JPEG whose Adobe segment says that its colours are YCCK."""
    at = data.index(b"Adobe")
    return data[: at + 11] + b"\2" + data[at + 12 :]


# ---- BMP and GIF ---------------------------------------------------------------------------------


def bmp_rle8(width: int, height: int, codes: bytes) -> bytes:
    """A BMP of 256 greys in run lengths."""
    palette = b"".join(bytes((n, n, n, 0)) for n in range(256))
    at = 54 + len(palette)
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, len(codes), 0, 0, 256, 0)
    return b"BM" + struct.pack("<IHHI", at + len(codes), 0, 0, at) + info + palette + codes


def bmp_rle8_of(pixels: Pixels) -> bytes:
    """(height, width) uint8 in runs of one."""
    rows = (b"".join(bytes((1, value)) for value in row) + b"\0\0" for row in pixels[::-1])
    return bmp_rle8(pixels.shape[1], pixels.shape[0], b"".join(rows) + b"\0\1")


def gif_image(
    left: int, top: int, width: int, height: int, *, disposal: int = 0, blocks: bytes = b"\0"
) -> bytes:
    """A GIF's image at a place of the canvas, with the extension that tells its disposal."""
    control = b"\x21\xf9\x04" + bytes((disposal << 2, 10, 0, 0, 0))
    return control + b"\x2c" + struct.pack("<HHHHB", left, top, width, height, 0) + b"\x02" + blocks


def gif(width: int, height: int, *images: bytes) -> bytes:
    """A GIF of these images, in four greys."""
    palette = b"".join(bytes((n, n, n)) for n in (0, 85, 170, 255))
    return b"GIF89a" + struct.pack("<HHBBB", width, height, 0x81, 0, 0) + palette + b"".join(images) + b";"


def moving(frames: Sequence[Image.Image], image_format: str, **options: object) -> bytes:
    """A moving picture, or a file of several, as Pillow writes it."""
    file = io.BytesIO()
    first, *others = [frame.copy() for frame in frames]  # an image remembers how it was saved before
    first.save(file, image_format, save_all=True, append_images=others, **options)
    return file.getvalue()


# ---- colour profiles -----------------------------------------------------------------------------


def ink_profile(black_only: bool = True) -> bytes:
    """A CMYK profile that shows the black ink and ignores the others, or the other way round.

    The smallest that colour management takes: a table of 2 x 2 x 2 x 2 corners in Lab. Source: ICC.1:2022,
    10.10 (lut8Type).
    """
    corners = []
    for corner in range(16):
        cyan, black = corner >> 3 & 1, corner & 1
        light = 0 if (black if black_only else cyan) else 255
        corners += [light, 128, 128]
    straight = bytes(range(256))
    matrix = b"".join(struct.pack(">i", 65_536 * (n in (0, 4, 8))) for n in range(9))
    table = b"mft1\0\0\0\0" + bytes((4, 3, 2, 0)) + matrix + straight * 4 + bytes(corners) + straight * 3
    white = b"XYZ \0\0\0\0" + struct.pack(">iii", 63_190, 65_536, 54_061)
    text = b"desc\0\0\0\0" + struct.pack(">I", 5) + b"inks\0" + bytes(78)
    tags = [(b"A2B0", table), (b"wtpt", white), (b"desc", text)]
    at = 128 + 4 + 12 * len(tags)
    index, bodies = b"", b""
    for name, body in tags:
        padded = body + bytes(-len(body) % 4)
        index += name + struct.pack(">II", at + len(bodies), len(body))
        bodies += padded
    size = at + len(bodies)
    head = struct.pack(">I4xI", size, 0x02400000) + b"prtrCMYKLab " + bytes(12) + b"acsp" + bytes(28)
    head += struct.pack(">iii", 63_190, 65_536, 54_061) + bytes(48)
    return head + struct.pack(">I", len(tags)) + index + bodies
