"""Requests and answers survive the way between the sandbox and its children, whole and in order."""

import io
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from staydown.fingerprint.frames import Request, frame_prefix, receive_request, send_request, write_frame

Sockets = tuple[socket.socket, socket.socket]


@pytest.fixture(name="sockets")
def _sockets() -> Iterator[Sockets]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def _send(ours: socket.socket, request: Request) -> None:
    def send(part: memoryview, beside: int | None) -> int:
        return ours.send(part) if beside is None else socket.send_fds(ours, [part], [beside])

    send_request(request, send)


def test_frame_is_its_length_and_its_body() -> None:
    stream = io.BytesIO()
    write_frame(stream, b"one")
    write_frame(stream, b"")
    assert stream.getvalue() == b"\0\0\0\0\0\0\0\x03one" + bytes(8)


def test_requests_come_out_as_they_went_in_and_end_with_the_socket(sockets: Sockets) -> None:
    # Given a small request and one that no socket holds at once
    ours, theirs = sockets
    sent = [
        Request({"do": "register", "set": "crops32"}, b"picture"),
        Request({"do": "query", "level": "geo9"}, os.urandom(5_000_000)),
    ]

    def send_all() -> None:
        for request in sent:
            _send(ours, request)
        ours.close()

    # When they are sent
    sender = threading.Thread(target=send_all)
    sender.start()

    # Then they arrive, and then nothing more
    assert [receive_request(theirs) for _ in range(3)] == [*sent, None]
    sender.join()


def test_open_file_travels_beside_its_request_and_no_other(sockets: Sockets, tmp_path: Path) -> None:
    # Given a file that is open here
    ours, theirs = sockets
    (tmp_path / "video").write_bytes(b"frames")
    with (tmp_path / "video").open("rb") as file:
        # When it is sent with a request, and another request follows
        _send(ours, Request({"do": "video"}, descriptor=file.fileno()))
        _send(ours, Request({"do": "register"}, b"picture"))
        first, second = receive_request(theirs), receive_request(theirs)

    # Then the first has a copy that outlives ours, and the second has none
    assert first is not None
    assert first.descriptor is not None
    assert os.pread(first.descriptor, 99, 0) == b"frames"
    os.close(first.descriptor)
    assert second == Request({"do": "register"}, b"picture")


def test_request_that_breaks_off_is_the_end_and_leaves_no_file_open(sockets: Sockets, tmp_path: Path) -> None:
    # Given a request whose sender dies in the middle, after its file has arrived
    ours, theirs = sockets
    with (tmp_path / "video").open("wb") as file:
        header = frame_prefix(9) + b'{"a'
        socket.send_fds(ours, [header], [file.fileno()])
        ours.close()
        open_before = len(os.listdir("/proc/self/fd"))

        # When it is received, Then it counts as the end, and the file is closed again
        assert receive_request(theirs) is None
        assert len(os.listdir("/proc/self/fd")) == open_before


def test_request_never_shows_the_file_in_a_log() -> None:
    assert "picture" not in repr(Request({"do": "register"}, b"picture"))
