"""Items of AVIF and HEIC that are no images are made unreadable without moving a byte."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from staydown.fingerprint import decode_picture
from staydown.fingerprint.errors import TooManyParts
from staydown.fingerprint.headers.isomedia import with_images_only as kept_images
from tests.staydown.fingerprint.files import encoded
from tests.staydown.fingerprint.odd_iso import coded_image, grid
from tests.staydown.fingerprint.pictures import picture

MAX_ITEMS = 9
SEEDS = Path(__file__).parents[3] / "vectors" / "fuzz-seeds"
LAND = picture("landscape", 64, 48)


def with_images_only(data: bytes) -> bytes:
    return kept_images(data, max_items=MAX_ITEMS)


def _described_avif() -> bytes:
    exif = Image.Exif()
    exif[0x010E] = "a description"
    return encoded(LAND, "AVIF", exif=exif.tobytes(), xmp=b"<x/>")


TAGGED = {"avif": _described_avif(), "heic": (SEEDS / "heic-tags.heic").read_bytes()}


@pytest.mark.parametrize("kind", TAGGED)
def test_tags_are_declared_unknown(kind: str) -> None:
    # Given a picture with EXIF and XMP
    data = TAGGED[kind]
    assert data.count(b"Exif\0") >= 1
    assert data.count(b"mime") >= 1

    # When only its images are kept
    plain = with_images_only(data)

    # Then the kinds of two items differ and nothing moved
    assert len(plain) == len(data)
    assert sum(a != b for a, b in zip(plain, data, strict=True)) == 7  # "Exif", "mime", "skip" share an "i"
    assert with_images_only(plain) == plain


@pytest.mark.parametrize("kind", TAGGED)
def test_pixels_stay_the_same(kind: str) -> None:
    plain = with_images_only(TAGGED[kind])
    assert np.array_equal(decode_picture(plain).pixels(), decode_picture(TAGGED[kind]).pixels())


@pytest.mark.parametrize("version", [b"\0", b"\1"])
def test_item_of_an_old_form_is_no_item(version: bytes) -> None:
    data = TAGGED["heic"].replace(b"infe\2", b"infe" + version)
    assert b"infe" not in with_images_only(data)


def test_item_whose_kind_is_no_text_does_not_end_the_process() -> None:
    # Given the tags' item with four bytes as its kind that no encoding knows: pi_heif 1.4 ended at it
    data = (SEEDS / "heic-turned.heic").read_bytes()
    at = data.index(b"Exif\0")
    hostile = data[:at] + b"\xff\xff\xff\xff" + data[at + 4 :]

    # Then the picture is read
    assert np.array_equal(decode_picture(hostile).pixels(), decode_picture(data).pixels())


def test_items_without_end_are_refused() -> None:
    # Given a grid of ten tiles, which with the whole are eleven items
    tile = coded_image(encoded(LAND, "AVIF"))
    data = grid(tile, tile_size=(64, 48), columns=5, rows=2, size=(320, 96))
    with pytest.raises(TooManyParts):
        with_images_only(data)


def test_pixels_that_look_like_an_item_are_left_alone() -> None:
    # Given the bytes of an item where the pixels are
    data = encoded(LAND, "AVIF")
    item = b"infe\2\0\0\0\0\1\0\0Exif"
    with_pixels = data + (8 + len(item)).to_bytes(4) + b"mdat" + item

    # Then they stay
    assert with_images_only(with_pixels) == with_pixels


@pytest.mark.parametrize(
    "data", [b"", b"\0\0\0\1ftyp", b"\0\0\0\0meta", b"\xff\xff\xff\xffmeta", b"\0\0\0\4abcd", bytes(9999)]
)
def test_broken_file_is_handed_on(data: bytes) -> None:
    assert with_images_only(data) == data
