"""Whatever is no ordinary file is refused at once: nothing waits for a pipe, nothing reads a device."""

import os
import socket
from pathlib import Path

import pytest

from staydown.fingerprint import NotFingerprintable, fingerprint_file, fingerprint_image
from staydown.fingerprint.errors import NotAFile
from staydown.fingerprint.sources import open_regular
from tests.staydown.fingerprint.files import jpeg


def _pipe(folder: Path) -> Path:
    os.mkfifo(folder / "pipe.jpg")
    return folder / "pipe.jpg"


def _socket(folder: Path) -> Path:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "s.jpg"))
    return folder / "s.jpg"


def _link_to_pipe(folder: Path) -> Path:
    (folder / "link.jpg").symlink_to(_pipe(folder))
    return folder / "link.jpg"


IRREGULAR = {
    "folder": lambda folder: folder,
    "pipe that nobody writes into": _pipe,
    "link to a pipe": _link_to_pipe,
    "socket": _socket,
    "device without an end": lambda _: Path("/dev/zero"),
    "device without content": lambda _: Path("/dev/null"),
}


@pytest.mark.parametrize("kind", IRREGULAR)
def test_what_is_no_ordinary_file_is_refused_by_name(kind: str, tmp_path: Path) -> None:
    path = IRREGULAR[kind](tmp_path)
    for read in (fingerprint_image, fingerprint_file):
        with pytest.raises(NotAFile, match="no ordinary file") as raised:
            read(path)
        assert isinstance(raised.value, NotFingerprintable)


def test_pipe_that_takes_the_place_of_a_file_is_not_waited_for(tmp_path: Path) -> None:
    # Given a name that is a file's when it is first looked up, and a pipe's then
    (tmp_path / "a.jpg").write_bytes(b"x")
    places = [str(tmp_path / "a.jpg"), str(_pipe(tmp_path))]

    class Changing(os.PathLike[str]):
        def __fspath__(self) -> str:
            return places.pop(0)

    # Then opening it returns, and it is refused
    with pytest.raises(NotAFile):
        open_regular(Changing())
    assert not places


def test_link_to_a_file_is_followed(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(jpeg())
    (tmp_path / "link.jpg").symlink_to(tmp_path / "a.jpg")
    assert fingerprint_image(tmp_path / "link.jpg") == fingerprint_image(jpeg())


def test_open_pipe_may_be_read_by_who_passes_it() -> None:
    # Given a pipe into which a picture is written
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as into:
        into.write(jpeg(64, 48))

    # Then it is read to its end
    with os.fdopen(reading, "rb") as source:
        assert fingerprint_image(source) == fingerprint_image(jpeg(64, 48))


def test_absent_file_and_file_that_may_not_be_read_are_errors_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        open_regular(tmp_path / "absent.jpg")
