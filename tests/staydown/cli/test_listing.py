"""Which files a command looks at: nothing twice, nothing lost without a word, and always an end."""

from __future__ import annotations

import io
import os
import socket
import sys
import threading
from pathlib import Path

import pytest

from staydown.cli.listing import Listing


def names(listing: Listing, folder: Path) -> list[str]:
    """What is listed, relative to the folder; a reason beside what could not be read."""
    return [
        os.path.relpath(listed.path, folder) + (f": {listed.error}" if listed.error else "")
        for listed in listing
    ]


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    for name in ("b.jpg", "a.jpg", "below/c.jpg", "below/deep/d.jpg", "z/e.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


EVERYTHING = ["a.jpg", "b.jpg", "below/c.jpg", "below/deep/d.jpg", "z/e.png"]


def test_folder_is_searched_through_files_first_each_in_alphabetical_order(folder: Path) -> None:
    assert names(Listing([str(folder)]), folder) == EVERYTHING


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.jpg", ["a.jpg", "b.jpg"]),
        ("[b-z].jpg", ["b.jpg"]),
        ("**/*.jpg", ["a.jpg", "b.jpg", "below/c.jpg", "below/deep/d.jpg"]),
        ("**/d.jpg", ["below/deep/d.jpg"]),
        ("*/*.png", ["z/e.png"]),
        ("be*", ["below/c.jpg", "below/deep/d.jpg"]),
        ("**", EVERYTHING),
        ("b*/**", ["below/c.jpg", "below/deep/d.jpg"]),
        ("*.gif", ["*.gif"]),
    ],
)
def test_pattern_means_what_it_means_in_a_shell(folder: Path, pattern: str, expected: list[str]) -> None:
    assert names(Listing([str(folder / pattern)]), folder) == expected


def test_pattern_is_taken_from_where_one_is(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)

    assert [str(listed.path) for listed in Listing(["*.jpg", "./z", "b?low"])] == [
        "a.jpg",
        "b.jpg",
        "z/e.png",
        "below/c.jpg",
        "below/deep/d.jpg",
    ]


def test_file_that_is_called_like_a_pattern_is_that_file(folder: Path) -> None:
    (folder / "[ab].jpg").touch()

    assert names(Listing([str(folder / "[ab].jpg")]), folder) == ["[ab].jpg"]


def test_name_that_is_nothing_stays_in_the_list(folder: Path) -> None:
    assert names(Listing([str(folder / "absent.jpg"), str(folder / "a.jpg")]), folder) == [
        "absent.jpg",
        "a.jpg",
    ]


def test_hidden_files_and_folders_are_left_out_and_counted_unless_they_are_asked_for(folder: Path) -> None:
    # Given
    (folder / ".thumbnails").mkdir()
    (folder / ".thumbnails" / "small.jpg").touch()
    (folder / "below" / ".DS_Store").touch()

    # Then
    listing = Listing([str(folder)])
    assert names(listing, folder) == EVERYTHING
    assert listing.hidden_left_out == 2
    asked = Listing([str(folder)], hidden=True)
    assert {".thumbnails/small.jpg", "below/.DS_Store"} <= set(names(asked, folder))
    assert asked.hidden_left_out == 0
    # And what is named is taken
    assert names(Listing([str(folder / ".thumbnails")]), folder) == [".thumbnails/small.jpg"]
    assert names(Listing([str(folder / ".th*" / "*.jpg")]), folder) == [".thumbnails/small.jpg"]


def test_links_in_a_circle_come_to_an_end(folder: Path) -> None:
    # Given links from folders to the folders above them, and one to a file
    for place in (folder, folder / "below", folder / "below" / "deep"):
        (place / "up").symlink_to(folder)
        (place / "self").symlink_to(place)
    (folder / "link.jpg").symlink_to(folder / "a.jpg")

    # Then each file is there once, by a link too, and the links to folders are counted
    listing = Listing([str(folder)])
    assert sorted(names(listing, folder)) == sorted([*EVERYTHING, "link.jpg"])
    assert listing.links_left_out == 6
    assert len(names(Listing([str(folder / "**" / "*.jpg")]), folder)) == 5
    # And a link that is named is followed
    assert len(names(Listing([str(folder / "up")]), folder)) == 6


def test_folder_that_cannot_be_read_is_told_and_the_rest_go_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given (who runs the tests may be allowed everything, so a lock would not do)
    scandir = os.scandir

    def refusing(place: str) -> os._ScandirIterator[str]:
        if place.endswith("below"):
            raise PermissionError(13, "Permission denied")
        return scandir(place)

    monkeypatch.setattr(os, "scandir", refusing)

    # Then, in a folder and in a pattern
    told = "below: The folder cannot be read: Permission denied."
    assert names(Listing([str(folder)]), folder) == ["a.jpg", "b.jpg", told, "z/e.png"]
    assert told in names(Listing([str(folder / "**" / "*.jpg")]), folder)


def test_pipes_and_sockets_are_listed_so_that_somebody_says_what_they_are(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / "socket"))

        assert {"pipe", "socket"} <= set(names(Listing([str(folder)]), folder))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\0"])
def test_list_names_files_and_folders_and_no_patterns(folder: Path, end: str) -> None:
    # Given a list with an empty line, a pattern, a folder, and a name with a space and an odd byte
    odd = os.fsencode(str(folder)) + b"/a b \xe9.jpg"
    Path(os.fsdecode(odd)).touch()
    lines = [
        os.fsencode(folder / "b.jpg"),
        b"",
        os.fsencode(folder / "*.jpg"),
        os.fsencode(folder / "z"),
        odd,
    ]
    (folder / "names.txt").write_bytes(end.encode().join(lines))

    # Then
    listed = names(Listing([], lists=[str(folder / "names.txt")]), folder)
    assert listed == ["b.jpg", "*.jpg", "z/e.png", os.fsdecode(b"a b \xe9.jpg")]


def test_list_from_a_pipe_is_worked_on_while_it_is_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a pipe as standard input
    reading, writing = os.pipe()
    with open(reading, "rb") as source, open(writing, "wb", buffering=0) as target:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(source))
        listing = Listing([], lists=["-"])
        assert not listing.can_be_read_twice
        files = iter(listing)

        # Then each name is there as soon as its line is
        for name in ("a.jpg", "b.jpg"):
            target.write(os.fsencode(folder / name) + b"\n")
            assert next(files).path == folder / name
        target.close()
        assert list(files) == []


def test_list_may_be_a_named_pipe(folder: Path) -> None:
    os.mkfifo(folder / "names")
    content = os.fsencode(folder / "a.jpg")
    writer = threading.Thread(target=lambda: (folder / "names").write_bytes(content))
    writer.start()

    listing = Listing([], lists=[str(folder / "names")])
    assert not listing.can_be_read_twice
    assert names(listing, folder) == ["a.jpg"]
    writer.join()


def test_list_that_is_not_there_is_told(folder: Path) -> None:
    listing = Listing([str(folder / "a.jpg")], lists=[str(folder / "absent")])

    assert names(listing, folder) == [
        "a.jpg",
        "absent: The list cannot be read: No such file or directory.",
    ]


def test_listing_holds_no_more_than_one_folder(folder: Path) -> None:
    # Given a listing that stopped after the first file
    files = iter(Listing([str(folder)]))
    next(files)

    # When a folder that it has not come to changes
    (folder / "z" / "late.png").touch()

    # Then that is seen
    assert folder / "z" / "late.png" in [listed.path for listed in files]
