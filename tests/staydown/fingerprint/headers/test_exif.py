"""The orientation is read as browsers read it, and nothing that EXIF claims can cost anything."""

import struct
import tracemalloc

import pytest

from staydown.fingerprint.headers.exif import orientation_of
from tests.staydown.fingerprint.files import exif_orientation
from tests.staydown.fingerprint.odd_files import Tag, exif, tiff_directory, tiff_head


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_read_with_and_without_introduction(orientation: int) -> None:
    tags = exif_orientation(orientation)
    assert orientation_of(tags) == orientation
    assert orientation_of(tags.removeprefix(b"Exif\0\0")) == orientation
    assert orientation_of(exif([(0x0112, 3, 1, struct.pack(">H", orientation))], order=">")) == orientation


@pytest.mark.parametrize(
    "tag",
    [
        (0x0112, 3, 1, struct.pack("<H", 0)),
        (0x0112, 3, 1, struct.pack("<H", 9)),
        (0x0112, 8, 1, struct.pack("<h", -1)),
        (0x0112, 2, 2, b"6\0"),
        (0x0112, 3, 2, struct.pack("<HH", 6, 6)),
        (0x0112, 3, 0xFFFFFFFF, 8),
        (0x0112, 3, 1000, 0xFFFFFF00),
        (0x0113, 3, 1, struct.pack("<H", 6)),
    ],
    ids=["0", "9", "-1", "text", "two", "four thousand million", "outside", "another tag"],
)
def test_orientation_without_sense_is_none(tag: Tag) -> None:
    assert orientation_of(exif([tag])) == 1


@pytest.mark.parametrize(
    "tags",
    [None, b"", b"Exif\0\0", b"Exif\0\0II*\0", b"Exif\0\0II*\0\xff\xff\xff\x7f broken", bytes(99)],
)
def test_broken_tags_have_no_orientation(tags: bytes | None) -> None:
    assert orientation_of(tags) == 1


def test_directory_that_follows_itself_is_read_once() -> None:
    assert orientation_of(exif([(0x0112, 3, 1, b"\6\0")], following=8)) == 6


def test_thousands_of_tags_that_claim_megabytes_each_are_not_copied() -> None:
    # Given tags that all point at the same two megabytes, the orientation behind them
    tags: list[Tag] = [(number, 7, 2_000_000, 8) for number in range(0x0200, 0x8000)]
    tags.append((0x0112, 3, 1, b"\6\0"))
    data = tiff_head() + tiff_directory(tags) + bytes(2_000_000)

    # When they are read
    tracemalloc.start()
    orientation = orientation_of(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    # Then the orientation is there, and no value was copied
    assert orientation == 6
    assert peak < 40_000_000
