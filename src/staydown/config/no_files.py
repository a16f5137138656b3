"""Refuses files: a file part of a form is read past in small pieces and kept nowhere, not even in memory.

With no upload handler at all Django drops files too, but reads the whole body in one piece first.
"""

from __future__ import annotations

from typing import NoReturn

from django.core.files.uploadhandler import FileUploadHandler, SkipFile


class NoFiles(FileUploadHandler):
    """An upload handler that skips every file."""

    # The body is read in pieces of this size; 64 kB is Django's own default.
    chunk_size = 64 * 2**10

    def new_file(self, *args: object, **kwargs: object) -> NoReturn:
        """Skips the file before its first byte."""
        raise SkipFile

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Is never reached; keeps nothing if it is."""

    def file_complete(self, file_size: int) -> None:
        """There is no file to hand over."""
