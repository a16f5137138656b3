"""A PNG's chunks: profile and orientation are read under limits, and only pixels reach a picture library."""

import io
import zlib

import numpy as np
import pytest
from PIL import Image

from staydown.fingerprint.errors import TooManyParts
from staydown.fingerprint.headers.png import PngHeader, read_png
from tests.staydown.fingerprint.files import encoded, exif_orientation, png_chunk
from tests.staydown.fingerprint.odd_files import moving, with_chunks, zeros_unfolded
from tests.staydown.fingerprint.pictures import picture

LAND = picture("landscape", 64, 48)
PLAIN = encoded(LAND, "PNG")


def _read(data: bytes, *, max_parts: int = 1000, max_profile_bytes: int = 1 << 20) -> PngHeader:
    return read_png(data, max_parts=max_parts, max_profile_bytes=max_profile_bytes)


def _profile(packed: bytes, name: bytes = b"a name", method: bytes = b"\0") -> bytes:
    return png_chunk(b"iCCP", name + b"\0" + method + packed)


def test_plain_file_is_what_it_was() -> None:
    header = _read(PLAIN)
    assert (header.plain, header.orientation, header.profile, header.is_moving) == (PLAIN, 1, None, False)


def test_texts_tags_and_what_lies_behind_are_left_out() -> None:
    # Given a PNG with much beside its pixels
    chunks = [png_chunk(kind, b"a\0secret") for kind in (b"tEXt", b"zTXt", b"iTXt", b"tIME", b"prVt")]
    data = with_chunks(PLAIN, chunks) + b"PK\3\4 an archive"

    # Then only the pixels are left
    assert _read(data).plain == PLAIN


def test_profile_and_orientation_are_read() -> None:
    chunks = [_profile(zlib.compress(b"profile")), png_chunk(b"eXIf", exif_orientation(6)[6:])]
    header = _read(with_chunks(PLAIN, chunks))
    assert (header.profile, header.orientation) == (b"profile", 6)
    assert header.plain == PLAIN


@pytest.mark.parametrize(
    "chunk",
    [
        _profile(b"no zlib"),
        _profile(zlib.compress(b"profile")[:-3]),
        _profile(zlib.compress(b"profile"), name=b""),
        _profile(zlib.compress(b"profile"), method=b"\1"),
        png_chunk(b"iCCP", b""),
        _profile(zeros_unfolded(3 << 20)),
    ],
    ids=["not packed", "cut off", "without a name", "another method", "empty", "too large"],
)
def test_profile_that_cannot_be_unfolded_is_none(chunk: bytes) -> None:
    assert _read(with_chunks(PLAIN, [chunk])).profile is None


def test_profile_behind_the_pixels_does_not_count() -> None:
    behind = PLAIN[:-12] + _profile(zlib.compress(b"profile")) + PLAIN[-12:]
    assert _read(behind).profile is None


def test_palette_and_transparency_stay() -> None:
    palette = encoded(Image.fromarray(LAND).quantize(16), "PNG", transparency=0)
    assert _read(palette).plain == palette


def test_moving_picture_stays_and_is_told() -> None:
    data = moving([Image.fromarray(LAND), Image.fromarray(LAND[::-1].copy())], "PNG")
    header = _read(data)
    assert header.is_moving
    assert Image.open(io.BytesIO(header.plain)).n_frames == 2


@pytest.mark.parametrize("end", range(0, len(PLAIN), 7))
def test_cut_file_is_handed_on_as_far_as_it_goes(end: int) -> None:
    assert _read(PLAIN[:end]).plain == PLAIN[:end]


def test_length_that_points_outside_ends_the_file() -> None:
    lying = PLAIN[:33] + b"\xff\xff\xff\xfftEXtabc"
    assert PLAIN[:33] in _read(lying).plain


def test_chunks_without_end_are_refused() -> None:
    with pytest.raises(TooManyParts):
        _read(with_chunks(PLAIN, [png_chunk(b"IDAT", b"")] * 1001))


def test_pixels_are_the_same() -> None:
    data = with_chunks(PLAIN, [png_chunk(b"tEXt", b"a\0b")])
    assert np.array_equal(Image.open(io.BytesIO(_read(data).plain)), LAND)
