"""Hostile EXIF and texts: the picture is read as if they were not there, and none of them costs anything."""

import struct
import tracemalloc
import zlib

import numpy as np
import pytest

from staydown.fingerprint.decode import decode_picture
from tests.staydown.fingerprint.files import encoded, png_chunk
from tests.staydown.fingerprint.odd_files import Tag, exif, segment, tiff, with_chunks, with_segments
from tests.staydown.fingerprint.pictures import picture

LAND = picture("landscape", 160, 120, seed=5)
MANY: list[Tag] = [(number, 7, 60_000, 8) for number in range(0x8000, 0xFF00)]

DIRECTORIES = (0x014A, 0x8769, 0x8825, 0xA005)  # tags whose value is the place of another directory

HOSTILE_EXIF: dict[str, bytes] = {
    "nothing": b"Exif\0\0",
    "cut off": exif([(0x0112, 3, 1, b"\6\0")])[:14],
    "garbage": b"Exif\0\0" + np.random.default_rng(1).bytes(3000),
    "orientation 0": exif([(0x0112, 3, 1, b"\0\0")]),
    "orientation 9": exif([(0x0112, 3, 1, b"\x09\0")]),
    "orientation -1": exif([(0x0112, 8, 1, b"\xff\xff")]),
    "orientation as text": exif([(0x0112, 2, 2, b"6\0")]),
    "orientation a thousand times": exif([(0x0112, 3, 1000, b"\6\0" * 1000)]),
    "directory outside": b"Exif\0\0II*\0\xff\xff\xff\x7f broken",
    "directory that follows itself": exif([(0x010E, 2, 4, b"abc\0")], following=8),
    "EXIF directory in itself": exif([(0x8769, 4, 1, struct.pack("<I", 8))]),
    "GPS directory in itself": exif([(0x8825, 4, 1, struct.pack("<I", 8))]),
    "all directories in themselves": exif([(tag, 4, 1, b"\x08\0\0\0") for tag in DIRECTORIES]),
    "four thousand million values": exif([(0x010E, 2, 0xFFFFFFFF, 8), (0x0112, 12, 0x7FFFFFFF, 8)]),
    "thousands of tags": exif([(number, 3, 1, b"\1\0") for number in range(5000)]),
    "rational by zero": exif([(0x011A, 5, 1, struct.pack("<II", 1, 0)), (0x0128, 3, 1, b"\2\0")]),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "AVIF"])
@pytest.mark.parametrize("kind", HOSTILE_EXIF)
def test_hostile_exif_neither_turns_nor_hides_a_picture(kind: str, image_format: str) -> None:
    # Given a picture with tags that make no sense
    tags, options = HOSTILE_EXIF[kind], {"lossless": True} if image_format == "WEBP" else {}
    plain = encoded(LAND, image_format, **options)
    if image_format == "JPEG":
        data = with_segments(plain, *([segment(0xE1, tags)] if len(tags) < 65_000 else []))
    elif image_format == "PNG":
        data = with_chunks(plain, [png_chunk(b"eXIf", tags[6:])])
    else:
        try:
            data = encoded(LAND, image_format, exif=tags, **options)
        except Exception as refusal:  # Pillow does not write what it cannot read
            pytest.skip(f"Pillow does not write it: {refusal}")
    if b"irot" in data:
        pytest.skip("Pillow's writer took the orientation for one, and says so where it counts")

    # Then it is as it would be without them
    assert np.array_equal(decode_picture(data).pixels(), decode_picture(plain).pixels())


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_tags_that_point_at_the_same_bytes_a_thousand_times_cost_no_memory(image_format: str) -> None:
    # Given 32,000 tags, each of which claims the same 60,000 bytes: 2 GB if they were copied
    tags = exif(MANY)
    if image_format == "JPEG":
        parts = [tags[at : at + 60_000] for at in range(0, len(tags), 60_000)]
        data = with_segments(
            encoded(LAND, "JPEG"),
            *(segment(0xE1, part if n == 0 else b"Exif\0\0" + part) for n, part in enumerate(parts)),
        )
    elif image_format == "PNG":
        data = with_chunks(encoded(LAND, "PNG"), [png_chunk(b"eXIf", tags[6:])])
    elif image_format == "WEBP":
        data = _webp_with_exif(tags)
    else:
        data = tiff(LAND, further=MANY)

    # When it is read
    tracemalloc.start()
    pixels = decode_picture(data).pixels()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    # Then it is the picture, for a few megabytes
    assert np.abs(pixels.astype(int) - LAND).mean() < 3
    assert peak < 60_000_000


def _webp_with_exif(tags: bytes) -> bytes:
    data = encoded(LAND, "WEBP", lossless=True, exif=b"Exif\0\0MARK")
    at = data.index(b"EXIF")
    chunk = b"EXIF" + struct.pack("<I", len(tags)) + tags + b"\0" * (len(tags) % 2)
    body = data[8:at] + chunk
    return b"RIFF" + struct.pack("<I", len(body)) + body


def test_texts_of_every_kind_do_not_hide_a_picture() -> None:
    # Given texts that are broken, and texts of many languages that are not
    chunks = [
        png_chunk(b"tEXt", b""),
        png_chunk(b"tEXt", b"no end"),
        png_chunk(b"zTXt", b"a\0\0not packed"),
        png_chunk(b"zTXt", b"a\0\7" + zlib.compress(b"another method")),
        png_chunk(b"iTXt", b"a\0\1\0\xff\xfe\0\xff\0" + zlib.compress(b"\xff")),
        png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0<x tiff:Orientation='6'/>"),
        png_chunk(b"tEXt", b"Raw profile type exif\0\nexif\n6\n457869660000"),
        png_chunk(b"gAMA", b""),
        png_chunk(b"cHRM", b"\1"),
        png_chunk(b"pHYs", b""),
        png_chunk(b"sRGB", b""),
        b"\0\0\0\1tIME\0\0\0\0\0",  # its checksum is wrong
    ]
    data = with_chunks(encoded(LAND, "PNG"), chunks)

    # Then it is the picture
    assert np.array_equal(decode_picture(data).pixels(), LAND)


def test_orientation_in_xmp_does_not_turn_a_picture() -> None:
    # Given what browsers do not look at either
    data = encoded(LAND, "PNG", pnginfo=None)
    xmp = b"XML:com.adobe.xmp\0\0\0\0\0<x:xmpmeta><tiff:Orientation>6</tiff:Orientation></x:xmpmeta>"
    assert np.array_equal(decode_picture(with_chunks(data, [png_chunk(b"iTXt", xmp)])).pixels(), LAND)
