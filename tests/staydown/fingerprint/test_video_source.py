"""A video's file is opened once, read from any place, and only if it is a plain file."""

import os
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from staydown.fingerprint import EmptyFile, FileTooLarge
from staydown.fingerprint.errors import NotAFile
from staydown.fingerprint.video_limits import DEFAULT_VIDEO_LIMITS
from staydown.fingerprint.video_source import check_video_bytes, open_descriptor, open_file


@pytest.fixture(name="path")
def _path(tmp_path: Path) -> Path:
    path = tmp_path / "film.mp4"
    path.write_bytes(bytes(range(256)) * 1000)
    return path


def test_open_file_reads_from_any_place_and_moves_nobody_else(path: Path) -> None:
    # Given one descriptor behind two files
    with open_descriptor(path, limits=DEFAULT_VIDEO_LIMITS) as descriptor:
        one, other = open_file(descriptor), open_file(descriptor)

        # When one moves about
        one.seek(-6, os.SEEK_END)
        end = one.read()
        one.seek(3)
        one.seek(2, os.SEEK_CUR)

        # Then each reads from its own place
        assert end == bytes(range(250, 256))
        assert (one.tell(), one.read(2)) == (5, b"\x05\x06")
        assert other.read(2) == b"\x00\x01"
        assert len(other.read()) == 255_998
        assert other.read(9) == b""


def test_place_before_the_start_is_refused(path: Path) -> None:
    with open_descriptor(path, limits=DEFAULT_VIDEO_LIMITS) as descriptor, pytest.raises(ValueError):
        open_file(descriptor).seek(-1)


def test_descriptor_is_closed_whatever_happens(path: Path) -> None:
    with pytest.raises(KeyError), open_descriptor(path, limits=DEFAULT_VIDEO_LIMITS) as descriptor:
        raise KeyError
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


def test_what_is_no_plain_file_is_refused_at_once(tmp_path: Path) -> None:
    # Given a pipe that nobody writes into, a socket and a device
    os.mkfifo(tmp_path / "pipe")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "socket"))

    # Then none of them is waited for
    for path, error in [
        (tmp_path / "pipe", NotAFile),
        (Path("/dev/zero"), NotAFile),
        (tmp_path / "socket", NotAFile),
        (tmp_path, NotAFile),
        (tmp_path / "nothing", FileNotFoundError),
    ]:
        with pytest.raises(error), open_descriptor(path, limits=DEFAULT_VIDEO_LIMITS):
            pass
    listener.close()


def test_file_that_is_empty_or_too_large_is_refused(tmp_path: Path) -> None:
    # Given a file of no bytes, and one of seventeen gibibytes with nothing on the disk
    (tmp_path / "empty.mp4").touch()
    with (tmp_path / "large.mp4").open("wb") as file:
        file.truncate(17 << 30)

    # Then both have their names
    for name, error in [("empty.mp4", EmptyFile), ("large.mp4", FileTooLarge)]:
        with pytest.raises(error), open_descriptor(tmp_path / name, limits=DEFAULT_VIDEO_LIMITS):
            pass


def test_number_of_bytes_is_checked_on_both_sides() -> None:
    limits = replace(DEFAULT_VIDEO_LIMITS, max_bytes=10)
    check_video_bytes(10, most=limits.max_bytes)
    with pytest.raises(FileTooLarge):
        check_video_bytes(11, most=limits.max_bytes)
    with pytest.raises(EmptyFile):
        check_video_bytes(0, most=limits.max_bytes)
