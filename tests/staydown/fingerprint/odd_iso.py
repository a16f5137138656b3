"""HEIC and AVIF files put together box by box: grids of tiles, and sizes that lie."""

import struct
from dataclasses import dataclass


@dataclass(frozen=True)
class CodedImage:
    """A coded picture out of a file: what its decoder needs to know, and its bytes."""

    kind: bytes
    """Of its item: b"hvc1" or b"av01"."""
    configuration: bytes
    """The whole box hvcC or av1C."""
    data: bytes


def coded_image(file: bytes) -> CodedImage:
    """The only image of a HEIC or AVIF file without tags."""
    is_avif = b"av1C" in file
    name = b"av1C" if is_avif else b"hvcC"
    at = file.index(name) - 4
    data_at = file.index(b"mdat") - 4
    return CodedImage(
        b"av01" if is_avif else b"hvc1",
        file[at : at + int.from_bytes(file[at : at + 4])],
        file[data_at + 8 : data_at + int.from_bytes(file[data_at : data_at + 4])],
    )


def with_claimed_size(file: bytes, width: int, height: int) -> bytes:
    """The file with other numbers in each `ispe`, the property that tells an image's size."""
    out = bytearray(file)
    at = out.find(b"ispe")
    while at >= 0:
        out[at + 8 : at + 16] = struct.pack(">II", width, height)
        at = out.find(b"ispe", at + 1)
    return bytes(out)


def grid(
    tile: CodedImage,
    *,
    tile_size: tuple[int, int],
    columns: int,
    rows: int,
    size: tuple[int, int],
    claimed_size: tuple[int, int] | None = None,
) -> bytes:
    """A picture of columns x rows equal tiles that all lie at the same place in the file.

    size: of the whole, as the grid tells it. claimed_size: as its `ispe` tells it.
    """
    count = columns * rows
    whole = count + 1
    payload = struct.pack(">BBBBII", 0, 1, rows - 1, columns - 1, *size)
    items = [(number, tile.kind) for number in range(1, count + 1)] + [(whole, b"grid")]
    entries = b"".join(
        _box(b"infe", b"\2\0\0\0" + struct.pack(">HH", n, 0) + kind + b"\0") for n, kind in items
    )
    properties = (
        tile.configuration
        + _box(b"ispe", bytes(4) + struct.pack(">II", *tile_size))
        + _box(b"ispe", bytes(4) + struct.pack(">II", *(claimed_size or size)))
    )
    of_tiles = b"".join(struct.pack(">HBBB", n, 2, 0x81, 2) for n in range(1, whole))
    associations = struct.pack(">II", 0, whole) + of_tiles + struct.pack(">HBB", whole, 1, 3)
    tiles = struct.pack(f">HH{count}H", whole, count, *range(1, whole))
    brand = b"avif" if tile.kind == b"av01" else b"heic"
    head = _box(b"ftyp", brand + bytes(4) + brand + b"mif1miaf")

    def meta(data_at: int) -> bytes:
        places = b"".join(_place(n, 0, data_at, len(tile.data)) for n in range(1, whole))
        places += _place(whole, 1, 0, len(payload))
        return _box(
            b"meta",
            bytes(4)
            + _box(b"hdlr", bytes(8) + b"pict" + bytes(13))
            + _box(b"pitm", bytes(4) + struct.pack(">H", whole))
            + _box(b"iloc", b"\1\0\0\0\x44\0" + struct.pack(">H", whole) + places)
            + _box(b"iinf", bytes(4) + struct.pack(">H", whole) + entries)
            + _box(b"iref", bytes(4) + _box(b"dimg", tiles))
            + _box(b"iprp", _box(b"ipco", properties) + _box(b"ipma", associations))
            + _box(b"idat", payload),
        )

    data_at = len(head) + len(meta(0)) + 8
    return head + meta(data_at) + _box(b"mdat", tile.data)


def _place(item: int, method: int, offset: int, length: int) -> bytes:
    return struct.pack(">HHHHII", item, method, 0, 1, offset, length)


def _box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", 8 + len(body)) + kind + body
