"""Directories of tags are read within their data, whatever they claim."""

import struct

import pytest

from staydown.fingerprint.headers.directory import (
    BrokenDirectory,
    integer,
    read_directory,
    read_layout,
)
from tests.staydown.fingerprint.odd_files import Tag, tiff_directory, tiff_head

FORMS = [("<", False), (">", False), ("<", True), (">", True)]


def _read(tags: list[Tag], order: str = "<", is_big: bool = False, tail: bytes = b"", following: int = 0):
    head = tiff_head(order, is_big=is_big)
    at = len(head)
    data = head + tiff_directory(tags, order=order, is_big=is_big, at=at, following=following) + tail
    layout = read_layout(data)
    assert layout.first == at
    return data, layout, *read_directory(data, layout, at)


@pytest.mark.parametrize(("order", "is_big"), FORMS)
def test_values_are_found_in_place_and_behind(order: str, is_big: bool) -> None:
    # Given an integer in its entry and a text behind the directory
    number = struct.pack(order + "H", 6)
    tags: list[Tag] = [(274, 3, 1, number), (305, 2, 20, b"a program's own name")]

    # When they are read
    data, layout, entries, following = _read(tags, order, is_big, following=99)

    # Then both are where they should be
    assert integer(data, layout, entries[274]) == 6
    text = entries[305]
    assert data[text.at : text.at + text.size] == b"a program's own name"
    assert following == 99


@pytest.mark.parametrize(
    "tag",
    [
        (305, 2, 99, 10_000_000),  # behind the end
        (305, 2, 0xFFFFFFFF, 8),  # longer than the file
        (305, 0, 1, b"\0"),  # of no kind
        (305, 99, 1, b"\0"),
        (305, 2, 0, b"\0"),  # of no values
    ],
)
def test_tag_that_lies_outside_is_left_out(tag: Tag) -> None:
    _, _, entries, _ = _read([(274, 3, 1, b"\6\0"), tag])
    assert set(entries) == {274}


def test_first_of_two_equal_tags_counts() -> None:
    data, layout, entries, _ = _read([(274, 3, 1, b"\6\0"), (274, 3, 1, b"\3\0")])
    assert integer(data, layout, entries[274]) == 6


def test_only_unsigned_integers_are_integers() -> None:
    data, layout, entries, _ = _read([(1, 2, 2, b"6\0"), (2, 8, 1, b"\6\0"), (3, 1, 1, b"\6")])
    assert [integer(data, layout, entries.get(tag)) for tag in (1, 2, 3, 4)] == [None, None, 6, None]


@pytest.mark.parametrize("data", [b"", b"II*\0", b"XX*\0" + bytes(20), b"II\0\0" + bytes(20)])
def test_other_bytes_have_no_layout(data: bytes) -> None:
    with pytest.raises(BrokenDirectory):
        read_layout(data)


@pytest.mark.parametrize("first", [9999, 0xFFFFFFFF, 20])
def test_directory_outside_the_data_is_broken(first: int) -> None:
    data = tiff_head(first=first) + b"\xff" * 14
    layout = read_layout(data)
    with pytest.raises(BrokenDirectory):
        read_directory(data, layout, layout.first)


def test_big_directory_that_claims_more_tags_than_can_be_is_broken() -> None:
    data = tiff_head(is_big=True) + struct.pack("<Q", 1 << 60) + bytes(99)
    with pytest.raises(BrokenDirectory):
        read_directory(data, read_layout(data), 16)


def test_directory_without_a_following_place_is_the_last() -> None:
    # Given EXIF as some cameras write it: it ends with its last entry
    data = tiff_head() + tiff_directory([(274, 3, 1, b"\6\0")])[:-4]
    assert read_directory(data, read_layout(data), 8)[1] == 0
