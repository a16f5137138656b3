"""Files for tests of decoding and of the sandbox, made in memory from generated pictures."""

import io
import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image

from tests.staydown.fingerprint.pictures import Pixels, picture


def encoded(image: Image.Image | Pixels, image_format: str, **options: Any) -> bytes:
    """The bytes of a file of this format, as Pillow writes it."""
    image = image if isinstance(image, Image.Image) else Image.fromarray(image)
    file = io.BytesIO()
    image.save(file, image_format, **options)
    return file.getvalue()


def jpeg(width: int = 640, height: int = 480, *, seed: int = 0, **options: Any) -> bytes:
    """A landscape as a JPEG."""
    return encoded(picture("landscape", width, height, seed=seed), "JPEG", **options)


def png_chunk(kind: bytes, data: bytes) -> bytes:
    """One chunk of a PNG, with its checksum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_of_zeros(width: int, height: int, *, bits: int = 1, rows: int | None = None) -> bytes:
    """A grey PNG of any size that stays small: black rows, compressed. Fewer `rows` make it a bare claim."""
    line = bytes(1 + (width * bits + 7) // 8)
    compressor = zlib.compressobj(9)
    body = (
        b"".join(compressor.compress(line) for _ in range(height if rows is None else rows))
        + compressor.flush()
    )
    header = struct.pack(">IIBBBBB", width, height, bits, 0, 0, 0, 0)
    chunks = png_chunk(b"IHDR", header) + png_chunk(b"IDAT", body) + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def webp_claim(width: int, height: int) -> bytes:
    """The header of an extended WebP that claims this size."""
    body = bytes(4) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    chunk = b"VP8X" + struct.pack("<I", len(body)) + body
    return b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk


def bmp_claim(width: int, height: int) -> bytes:
    """The header of a BMP that claims this size and has no pixels."""
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + info


def exif_orientation(orientation: int) -> bytes:
    """EXIF tags that hold an orientation and nothing else."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif.tobytes()


def as_stored(upright: Pixels, orientation: int) -> Pixels:
    """How a camera stores an upright picture when it notes this EXIF orientation."""
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.swapaxes(0, 1),
        6: np.rot90(upright, 1),
        7: upright[::-1, ::-1].swapaxes(0, 1),
        8: np.rot90(upright, -1),
    }
    return np.ascontiguousarray(stored[orientation])


MP4_HEAD = b"\0\0\0\x18ftypisom\0\0\0\0isommp42" + bytes(64)
"""The beginning of a video; enough to be told, nothing to be decoded."""
