"""A file is told by its first bytes."""

import pytest
from PIL import Image

from staydown.fingerprint.formats import ImageFormat, image_format_of, is_video, webp_size
from tests.staydown.fingerprint.files import MP4_HEAD, encoded, webp_claim
from tests.staydown.fingerprint.pictures import picture


def _ftyp(*brands: bytes) -> bytes:
    body = brands[0] + bytes(4) + b"".join(brands[1:])
    return (8 + len(body)).to_bytes(4) + b"ftyp" + body + bytes(20)


@pytest.mark.parametrize("image_format", [f for f in ImageFormat if f is not ImageFormat.HEIC])
def test_written_file_is_recognised(image_format: ImageFormat) -> None:
    head = encoded(picture("ramp", 20, 20), image_format.value)[:4096]
    assert image_format_of(head) is image_format
    assert not is_video(head)


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (_ftyp(b"heic", b"mif1"), ImageFormat.HEIC),
        (_ftyp(b"mif1", b"heic"), ImageFormat.HEIC),
        (_ftyp(b"mif1", b"avif"), ImageFormat.AVIF),
        (_ftyp(b"avis", b"msf1"), ImageFormat.AVIF),
        (_ftyp(b"isom", b"mp42"), None),
        (b"", None),
        (b"\xff\xd8", None),
        (b"GIF88a", None),
    ],
)
def test_brand_decides_between_formats_of_one_container(head: bytes, expected: ImageFormat | None) -> None:
    assert image_format_of(head) is expected


@pytest.mark.parametrize(
    "head",
    [
        MP4_HEAD,
        _ftyp(b"qt  "),
        _ftyp(b"3gp4"),
        b"\x1a\x45\xdf\xa3" + bytes(40),
        b"RIFF\0\0\0\0AVI LIST",
        b"G" + bytes(187) + b"G" + bytes(187),
        b"\0\0\0\x08wide\0\0\0\0mdat",
        b"\0\0\x01\xba" + bytes(20),
    ],
)
def test_video_is_recognised(head: bytes) -> None:
    assert is_video(head)
    assert image_format_of(head) is None


@pytest.mark.parametrize(
    "head", [b"", b"G", b"Good morning, this is a letter." * 9, _ftyp(b"M4A "), _ftyp(b"heic")]
)
def test_other_file_is_no_video(head: bytes) -> None:
    assert not is_video(head)


@pytest.mark.parametrize(
    "options", [{"lossless": True}, {"quality": 50}, {"quality": 50, "exif": b"Exif\0\0"}]
)
def test_webp_size_is_read_from_the_header(options: dict[str, object]) -> None:
    assert webp_size(encoded(Image.new("RGB", (301, 203)), "WEBP", **options)[:40]) == (301, 203)


def test_extended_webp_of_the_largest_size_is_read() -> None:
    assert webp_size(webp_claim(16_777_216, 9)) == (16_777_216, 9)


@pytest.mark.parametrize("head", [webp_claim(9, 9)[:25], b"RIFF\0\0\0\0WEBPVP8L\0\0\0\0" + bytes(20)])
def test_broken_webp_header_has_no_size(head: bytes) -> None:
    assert webp_size(head) is None
