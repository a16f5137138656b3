"""EXIF of AVIF and HEIC is made unreadable without moving a byte."""

from pathlib import Path

import pytest
from PIL import Image

from staydown.fingerprint.headers.isomedia import without_exif
from tests.staydown.fingerprint.files import encoded, exif_orientation
from tests.staydown.fingerprint.pictures import picture

SEEDS = Path(__file__).parents[3] / "vectors" / "fuzz-seeds"


@pytest.mark.parametrize("kind", ["avif", "heic"])
def test_exif_item_is_declared_unknown(kind: str) -> None:
    # Given a picture with EXIF (of another tag than the orientation, which becomes a property)
    if kind == "avif":
        data = encoded(picture("landscape", 64, 48), "AVIF", exif=_comment())
    else:
        data = (SEEDS / "heic-turned.heic").read_bytes()
    assert b"Exif" in data

    # When it is taken out
    plain = without_exif(data)

    # Then only the item's kind differs
    assert len(plain) == len(data)
    assert sum(a != b for a, b in zip(plain, data, strict=True)) == 3  # "Exif" and "skip" share an "i"
    assert without_exif(plain) == plain


def _comment() -> bytes:
    exif = Image.Exif()
    exif[0x010E] = "a description"
    return exif.tobytes()


def test_pixels_that_look_like_an_item_are_left_alone() -> None:
    # Given the bytes of an EXIF item where the pixels are
    data = encoded(picture("landscape", 64, 48), "AVIF")
    item = b"infe\2\0\0\0\0\1\0\0Exif"
    with_pixels = data + (8 + len(item)).to_bytes(4) + b"mdat" + item

    # Then they stay
    assert without_exif(with_pixels) == with_pixels


@pytest.mark.parametrize(
    "data", [b"", b"\0\0\0\1ftyp", b"\0\0\0\0meta", b"\xff\xff\xff\xffmeta", b"\0\0\0\4abcd", bytes(9999)]
)
def test_broken_file_is_handed_on(data: bytes) -> None:
    assert without_exif(data) == data


def test_orientation_of_exif_does_not_turn_an_avif() -> None:
    data = encoded(picture("landscape", 64, 48), "AVIF", exif=exif_orientation(6))
    assert len(without_exif(data)) == len(data)
