"""A file that somebody attaches to a form is never held: not on disk, not in memory, not in the request."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from django.core.handlers.wsgi import WSGIRequest

FILE = b"\xff\xd8" + bytes(range(256)) * 4000  # a megabyte
PIECE = 64 * 2**10


class Watched(BytesIO):
    """A body that remembers the largest piece that was read of it."""

    largest = 0

    def read(self, size: int | None = -1) -> bytes:
        piece = super().read(size)
        self.largest = max(self.largest, len(piece))
        return piece


def a_form_with_a_file(**fields: str) -> tuple[Watched, WSGIRequest]:
    parts = [
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n'.encode()
        for name, text in fields.items()
    ]
    head = b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.jpg"\r\n\r\n'
    body = b"".join([head, FILE, b"\r\n", *parts, b"--b--\r\n"])
    stream = Watched(body)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/register",
        "CONTENT_TYPE": "multipart/form-data; boundary=b",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": stream,
    }
    return stream, WSGIRequest(environ)


def test_file_is_read_past_in_small_pieces_and_the_fields_after_it_are_taken() -> None:
    # Given a form with a megabyte of file before its other fields
    stream, request = a_form_with_a_file(adult="yes", send_id="s")

    # When the form is read
    fields = request.POST.dict()

    # Then the file is nowhere, and at no time was more than a piece of it in memory
    assert fields == {"adult": "yes", "send_id": "s"}
    assert len(request.FILES) == 0
    assert 0 < stream.largest <= PIECE


def test_handler_keeps_nothing_even_if_it_is_given_something() -> None:
    from staydown.config.no_files import NoFiles

    handler = NoFiles()

    assert handler.receive_data_chunk(b"anything", 0) is None
    assert handler.file_complete(8) is None
