"""The segments of a JPEG: what is read of them, and what never reaches a picture library."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

from staydown.fingerprint.errors import DamagedFile, TooManyParts
from staydown.fingerprint.headers import jpeg as headers
from staydown.fingerprint.headers.jpeg import JpegHeader, count_scans
from tests.staydown.fingerprint.files import encoded, exif_orientation, jpeg
from tests.staydown.fingerprint.odd_files import jpeg_of_many_scans, moving, segment, with_segments
from tests.staydown.fingerprint.pictures import picture

LAND = picture("landscape", 64, 48)


def read_jpeg(data: bytes) -> JpegHeader:
    return headers.read_jpeg(data, max_parts=1000)


def _profile_parts(*parts: tuple[int, int, bytes]) -> list[bytes]:
    return [segment(0xE2, b"ICC_PROFILE\0" + bytes((n, of)) + body) for n, of, body in parts]


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"exif": exif_orientation(8)}])
@pytest.mark.parametrize(("mode", "components"), [("RGB", 3), ("L", 1), ("CMYK", 4)])
def test_size_and_colours_are_read(mode: str, components: int, options: dict[str, object]) -> None:
    header = read_jpeg(encoded(Image.fromarray(LAND).convert(mode), "JPEG", **options))
    assert (header.width, header.height, header.bits, header.components) == (64, 48, 8, components)
    assert header.orientation == (8 if options.get("exif") else 1)


def test_plain_file_has_the_same_pixels_and_no_tags() -> None:
    # Given a JPEG with all that programs add
    data = jpeg(
        64, 48, exif=exif_orientation(6), comment=b"a comment", icc_profile=b"p" * 70_000, xmp=b"<x/>"
    )
    mark = with_segments(data, segment(0xED, b"Photoshop 3.0\0"), segment(0xEF, b"whatever"))

    # When it is made plain
    plain = read_jpeg(mark).plain(mark)

    # Then its pixels are the same and nothing else is left
    for text in (b"Exif", b"comment", b"ICC_PROFILE", b"<x/>", b"Photoshop", b"whatever"):
        assert text in mark
        assert text not in plain
    assert np.array_equal(Image.open(io.BytesIO(plain)), Image.open(io.BytesIO(data)))


def test_how_colours_are_stored_stays_in_the_plain_file() -> None:
    # Given CMYK, which an Adobe segment calls inverted
    data = encoded(Image.fromarray(LAND).convert("CMYK"), "JPEG")
    assert b"Adobe" in read_jpeg(data).plain(data)


def test_profile_is_joined_in_the_order_of_its_numbers() -> None:
    data = with_segments(jpeg(64, 48), *_profile_parts((2, 3, b"b"), (1, 3, b"a"), (3, 3, b"c")))
    assert read_jpeg(data).profile == b"abc"


@pytest.mark.parametrize(
    "parts",
    [
        [(1, 2, b"a")],
        [(1, 2, b"a"), (1, 2, b"a")],
        [(2, 2, b"b"), (3, 2, b"c")],
        [(0, 1, b"a")],
        [(1, 0, b"a")],
        [(1, 1, b"")],
    ],
)
def test_incomplete_profile_is_none(parts: list[tuple[int, int, bytes]]) -> None:
    assert read_jpeg(with_segments(jpeg(64, 48), *_profile_parts(*parts))).profile is None


def test_further_pictures_are_where_the_index_says() -> None:
    data = moving([Image.fromarray(LAND), Image.fromarray(LAND[::-1].copy())], "MPO")
    (place,) = read_jpeg(data).further
    assert data[place : place + 3] == b"\xff\xd8\xff"


@pytest.mark.parametrize("index", [b"", b"II*\0", b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08\xff\xff" + bytes(40)])
def test_broken_index_names_no_further_picture(index: bytes) -> None:
    data = with_segments(jpeg(64, 48), segment(0xE2, b"MPF\0" + index))
    assert read_jpeg(data).further == ()


def test_filling_and_bytes_between_segments_are_passed_over() -> None:
    data = jpeg(64, 48)
    filled = data[:2] + b"\xff\xff\xff" + data[2:20] + b"\0\1\xff\0\xff\xd0" + data[20:]
    assert data[20:22] == b"\xff\xdb"  # right behind the JFIF segment
    assert read_jpeg(filled).width == 64


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xd8\xff",
        b"\xff\xd8\xff\xd9",
        jpeg(64, 48)[:100],
        b"\xff\xd8" + segment(0xDA, b"\1"),
        b"\xff\xd8\xff\xe1\0\1" + jpeg(64, 48),
        jpeg(64, 48).replace(b"\xff\xc0", b"\xff\xc4"),
        b"\xff\xd8" + segment(0xC0, b"\x08\0") + segment(0xDA, b"\1"),
    ],
)
def test_file_without_frame_or_scan_is_damaged(data: bytes) -> None:
    with pytest.raises(DamagedFile):
        read_jpeg(data)


@pytest.mark.parametrize("scans", [1, 2, 50])
def test_scans_are_counted(scans: int) -> None:
    usual = count_scans(jpeg(64, 48, progressive=True), at_most=100)
    data = jpeg_of_many_scans(LAND, scans)
    assert count_scans(data, at_most=100) == usual + scans - 1
    assert count_scans(data, at_most=5) == 6  # as soon as there are more


def test_scans_of_previews_inside_segments_do_not_count() -> None:
    # Given a JPEG whose EXIF brings previews
    preview = jpeg(16, 16)
    data = with_segments(jpeg(64, 48), *[segment(0xE1, b"Exif\0\0" + preview)] * 9)
    assert data.count(b"\xff\xda") == 10

    # Then only its own scan counts
    assert count_scans(data, at_most=3) == 1


def test_scans_of_pictures_behind_do_not_count() -> None:
    data = jpeg(64, 48, restart_marker_rows=1) + jpeg(64, 48) * 9
    assert count_scans(data, at_most=3) == 1


def test_segment_that_ends_outside_ends_the_count() -> None:
    data = jpeg(64, 48, progressive=True)
    cut = data[: data.rindex(b"\xff\xda")] + b"\xff\xda" + struct.pack(">H", 65_535)
    assert count_scans(cut, at_most=3) == 4
    assert count_scans(b"\xff\xda" * 4, at_most=3) <= 4


@pytest.mark.parametrize("part", [b"\xff\xe0\0\2", b"\xff\0", b"\xff\xd0", b"\xff\xff\xff\1"])
def test_segments_without_end_are_refused(part: bytes) -> None:
    data = jpeg(64, 48)
    with pytest.raises(TooManyParts):
        read_jpeg(data[:2] + part * 1001 + data[2:])


def test_filling_without_end_is_one_step() -> None:
    data = jpeg(64, 48)
    assert read_jpeg(data[:2] + b"\xff" * 5000 + data[2:]).width == 64
