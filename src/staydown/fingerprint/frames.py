"""What the sandbox and its children say to each other: length-prefixed frames over a socket and a pipe.

Refuses pickle, because a child that reads hostile files must not be able to make its parent run anything.
A frame is eight bytes of length, big-endian, then the body. A request is two frames, a header in JSON and the
file's bytes; instead of bytes an open file may travel beside the header. Where the system can, many bytes
travel as a file in memory, in one step. An answer is one frame of JSON (answers.py).
"""

import json
import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

PREFIX_BYTES = 8

# The longest answer: 512 frames of a video that is looked up, with 18 codes of 100 bytes of JSON each, take
# 920 KB.
MAX_ANSWER_BYTES = 1 << 21

# Bodies from here on travel in a file in memory: a socket takes some 200 KB at a time, and each time one side
# waits for the other.
_BESIDE_FROM_BYTES = 64 * 1024
# In the header of a request: how many bytes the file in memory has.
_BESIDE = "body_beside"

_PART_BYTES = 1 << 20  # one read or write of the socket: large enough to hide the system call

# Sends some of the bytes, with an open file beside the first of them or None, and says how many went.
SendPart = Callable[[memoryview, int | None], int]


class BrokenAnswer(ValueError):
    """The child's answer is not of the agreed form; only child.py sees this, and ends the child."""


@dataclass(frozen=True, slots=True)
class Request:
    """One thing that a child is asked to do."""

    header: Mapping[str, Any]
    """{"do": "register", "set": ...}, {"do": "query", "level": ...} or {"do": "video", ...}."""
    body: bytes = field(default=b"", repr=False)
    descriptor: int | None = None
    """An open file to read instead of the body. The child gets a copy; who opened it closes it."""


def frame_prefix(length: int) -> bytes:
    """The eight bytes in front of a body of this length."""
    return length.to_bytes(PREFIX_BYTES)


def write_frame(stream: BinaryIO, body: bytes) -> None:
    """Writes one frame and flushes it."""
    stream.write(frame_prefix(len(body)) + body)
    stream.flush()


def send_request(request: Request, send: SendPart) -> None:
    """Sends a request in as many parts as `send` needs. Raises what `send` raises, and OSError."""
    if len(request.body) < _BESIDE_FROM_BYTES or not hasattr(os, "memfd_create"):
        _send(request, send)
        return
    with os.fdopen(os.memfd_create("media", os.MFD_CLOEXEC), "wb", buffering=0) as file:
        rest = memoryview(request.body)
        while rest:
            rest = rest[file.write(rest) or 0 :]
        header = {**request.header, _BESIDE: len(request.body)}
        _send(Request(header, descriptor=file.fileno()), send)


def _send(request: Request, send: SendPart) -> None:
    header = json.dumps(dict(request.header)).encode()
    beside = request.descriptor
    for part in (frame_prefix(len(header)) + header + frame_prefix(len(request.body)), request.body):
        rest = memoryview(part)
        while rest:
            rest = rest[send(rest[:_PART_BYTES], beside) :]
            beside = None


def receive_request(source: socket.socket) -> Request | None:
    """The next request on a blocking socket, or None once the other side has closed it.

    An open file that came beside it belongs to the caller, who closes it.
    """
    descriptors: list[int] = []
    try:
        header = json.loads(_frame(source, descriptors))
        body = _frame(source, descriptors)
    except EOFError:
        for descriptor in descriptors:
            os.close(descriptor)
        return None
    if (length := header.pop(_BESIDE, None)) is not None:
        with os.fdopen(descriptors[0], "rb") as file:
            file.seek(0)
            return Request(header, file.read(length))
    return Request(header, body, descriptors[0] if descriptors else None)


def _frame(source: socket.socket, descriptors: list[int]) -> bytes:
    return _exactly(source, int.from_bytes(_exactly(source, PREFIX_BYTES, descriptors)), descriptors)


def _exactly(source: socket.socket, count: int, descriptors: list[int]) -> bytes:
    """So many bytes; open files that came with them are appended. Raises EOFError."""
    # A plain read would close the open file that lies beside the bytes.
    whole = bytearray()
    while len(whole) < count:
        part, received, _, _ = socket.recv_fds(source, min(count - len(whole), _PART_BYTES), 1)
        descriptors += received
        if not part:
            raise EOFError
        whole += part
    return bytes(whole)
