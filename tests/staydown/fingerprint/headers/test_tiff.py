"""The pages of a TIFF, each alone with the tags that make its pixels, and none that costs more than that."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

from staydown.fingerprint.errors import DamagedFile, TooManyParts, TooManyPixels
from staydown.fingerprint.headers.terms import Header
from staydown.fingerprint.headers.tiff import pages
from tests.staydown.fingerprint.files import encoded
from tests.staydown.fingerprint.odd_files import Tag, moving, tiff, tiff_directory, tiff_head
from tests.staydown.fingerprint.pictures import picture

LAND = picture("landscape", 64, 48)
FORMS = [("<", False), (">", False), ("<", True)]


def _pages(data: bytes, *, max_parts: int = 100, max_profile_bytes: int = 1000) -> list[Header]:
    return list(pages(data, max_pixels=10_000, max_parts=max_parts, max_profile_bytes=max_profile_bytes))


def _pixels(page: Header) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(page.plain)))


@pytest.mark.parametrize(("order", "is_big"), FORMS)
def test_page_alone_has_its_pixels(order: str, is_big: bool) -> None:
    (page,) = _pages(tiff(LAND, order=order, is_big=is_big))
    assert np.array_equal(_pixels(page), LAND)


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_deflate", "packbits"])
def test_each_page_is_a_file_of_its_own(compression: str) -> None:
    # Given three pages
    images = [Image.fromarray(picture(kind, 64, 48)) for kind in ("landscape", "checks", "ramp")]
    data = moving(images, "TIFF", compression=compression)

    # Then each is there alone
    found = _pages(data)
    assert len(found) == 3
    for page, image in zip(found, images, strict=True):
        assert np.array_equal(_pixels(page), image)
        assert Image.open(io.BytesIO(page.plain)).n_frames == 1


@pytest.mark.parametrize("orientation", [*range(1, 9), 0, 9, 65_535])
def test_orientation_is_told_and_left_out(orientation: int) -> None:
    (page,) = _pages(tiff(LAND, further=[(274, 3, 1, struct.pack("<H", orientation))]))
    assert page.orientation == (orientation if 1 <= orientation <= 8 else 1)
    assert np.array_equal(_pixels(page), LAND)


def test_profile_is_told_if_it_is_not_too_large() -> None:
    for length, expected in ((1000, b"p" * 1000), (1001, None)):
        (page,) = _pages(tiff(LAND, further=[(34675, 7, length, b"p" * length)]))
        assert page.profile == expected


def test_tags_that_are_not_pixels_do_not_reach_the_library() -> None:
    # Given a description, EXIF and GPS directories that point into the void, and a thousand tags of our own
    further: list[Tag] = [(270, 2, 6, b"secret"), (34665, 4, 1, 1 << 20), (34853, 4, 1, 1 << 30)]
    further += [(50_000 + n, 7, 3000, 8) for n in range(1000)]
    (page,) = _pages(tiff(LAND, further=further))

    # Then none of them is left
    image = Image.open(io.BytesIO(page.plain))
    assert set(image.tag_v2) <= {256, 257, 258, 259, 262, 273, 277, 278, 279, 339}
    assert np.array_equal(image, LAND)


@pytest.mark.parametrize(("kind", "is_there"), [(0, True), (2, True), (1, False), (4, False)])
def test_thumbnails_and_masks_after_the_first_page_are_left_out(kind: int, is_there: bool) -> None:
    # Given a second page of some kind
    first, second = tiff(LAND), tiff(LAND, further=[(254, 4, 1, struct.pack("<I", kind))])
    assert len(_pages(second)) == 1  # as the first page it counts whatever it is

    # Then it is a page, or not
    assert len(_pages(_chained(first, second))) == 1 + is_there


def _chained(first: bytes, second: bytes) -> bytes:
    """One file whose second directory is the second file's; its places are moved."""
    tags: list[Tag] = []
    at = struct.unpack_from("<I", second, 4)[0]
    for place in range(at + 2, at + 2 + 12 * struct.unpack_from("<H", second, at)[0], 12):
        tag, kind, count, value = struct.unpack_from("<HHII", second, place)
        size = count * {3: 2, 4: 4}[kind]
        tags.append(
            (tag, kind, count, second[value : value + size] if size > 4 else second[place + 8 :][:size])
        )
    directory_at = len(first) + len(first) % 2
    first_at = struct.unpack_from("<I", first, 4)[0]
    following = first_at + 2 + 12 * struct.unpack_from("<H", first, first_at)[0]
    data = bytearray(first + b"\0" * (len(first) % 2) + tiff_directory(tags, at=directory_at))
    struct.pack_into("<I", data, following, directory_at)
    return bytes(data)


def test_directory_that_follows_itself_is_one_page() -> None:
    data = bytearray(tiff(LAND))
    at = struct.unpack_from("<I", data, 4)[0]
    struct.pack_into("<I", data, at + 2 + 12 * struct.unpack_from("<H", data, at)[0], at)
    assert len(_pages(bytes(data))) == 1


@pytest.mark.parametrize("tag", [273, 279, 324, 325])
def test_strips_without_end_are_refused(tag: int) -> None:
    data = tiff(LAND, further=[(tag, 4, 101, bytes(404))])
    with pytest.raises(TooManyParts):
        _pages(data)


def test_tile_beyond_the_limit_is_refused() -> None:
    sides = struct.pack("<I", 65_000)
    with pytest.raises(TooManyPixels, match="tiles of 65000 x 65000"):
        _pages(tiff(LAND, further=[(322, 4, 1, sides), (323, 4, 1, sides)]))


def test_value_of_megabytes_that_no_picture_has_is_damage() -> None:
    with pytest.raises(DamagedFile):
        _pages(tiff(LAND, further=[(258, 3, 500_000, bytes(1_000_000))]))


@pytest.mark.parametrize("data", [b"II*\0", tiff_head(first=99), tiff(LAND)[:3000], encoded(LAND, "PNG")])
def test_broken_file_is_damaged(data: bytes) -> None:
    with pytest.raises(DamagedFile):
        _pages(data)
