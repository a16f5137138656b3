"""Reads a multipart form piece by piece into memory. Refuses forms that are endless, broken or ambiguous.

Nothing is ever put on disk, which is why the framework's own form parser (temporary files from 1 MB) is not
used; file names and types that the sender gives are ignored.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from staydown.match_api.refusals import invalid_request, not_processable
from staydown.match_api.terms import MAX_CONTENT_URL_CHARACTERS

TEXT_FIELDS = ("content_id", "content_url", "level")
# A character of UTF-8 has four bytes at most; longer texts are refused before they are decoded.
MAX_TEXT_BYTES = 4 * MAX_CONTENT_URL_CHARACTERS


@dataclass(slots=True)
class Form:
    """What a form said: the picture, and the text fields that are known."""

    media: bytearray | None = None
    texts: dict[str, str] = field(default_factory=dict)


class FormReader:
    """Feed it the body with `write`; `finish` gives the form. Both raise Refused."""

    def __init__(self, content_type: str, *, max_parts: int) -> None:
        _, options = parse_options_header(content_type)
        boundary = options.get(b"boundary")
        if not boundary:
            raise invalid_request("The Content-Type of a form needs a boundary.")
        self._max_parts = max_parts
        self._parts = 0
        self._is_complete = False
        self._form = Form()
        self._header_name = b""
        self._header_value = b""
        self._disposition = b""
        self._name = ""
        self._text = bytearray()
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._on_part_begin,
                    "on_header_field": self._on_header_field,
                    "on_header_value": self._on_header_value,
                    "on_header_end": self._on_header_end,
                    "on_headers_finished": self._on_headers_finished,
                    "on_part_data": self._on_part_data,
                    "on_part_end": self._on_part_end,
                    "on_end": self._on_end,
                },
            )
        except FormParserError:
            raise invalid_request("The boundary of the form is too long.") from None

    def write(self, piece: bytes) -> None:
        """Takes the next piece of the body."""
        try:
            self._parser.write(piece)
        except FormParserError:
            raise invalid_request("The form is malformed.", slug="malformed-form") from None

    def finish(self) -> Form:
        """The whole form."""
        if not self._is_complete:
            raise invalid_request("The form ends before its last boundary.", slug="malformed-form")
        return self._form

    def _on_part_begin(self) -> None:
        self._parts += 1
        if self._parts > self._max_parts:
            raise invalid_request(f"A form may have at most {self._max_parts} parts.", slug="too-many-parts")
        self._disposition = b""

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _on_header_end(self) -> None:
        if self._header_name.lower() == b"content-disposition":
            self._disposition = self._header_value
        self._header_name = self._header_value = b""

    def _on_headers_finished(self) -> None:
        _, options = parse_options_header(self._disposition.decode("latin-1"))
        self._name = options.get(b"name", b"").decode("latin-1")
        self._text = bytearray()
        if self._name == "media":
            if self._form.media is not None:
                raise invalid_request('Send one part named "media", not several.', slug="several-media")
            self._form.media = bytearray()
        elif self._name in self._form.texts:
            raise invalid_request(f'The field "{self._name}" is there twice.')

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._name == "media" and self._form.media is not None:
            self._form.media += data[start:end]
        elif self._name in TEXT_FIELDS:
            if len(self._text) + end - start > MAX_TEXT_BYTES:
                raise not_processable(f'The field "{self._name}" is too long.')
            self._text += data[start:end]

    def _on_part_end(self) -> None:
        if self._name in TEXT_FIELDS:
            try:
                self._form.texts[self._name] = self._text.decode()
            except UnicodeDecodeError:
                raise not_processable(f'The field "{self._name}" is not UTF-8.') from None

    def _on_end(self) -> None:
        self._is_complete = True
