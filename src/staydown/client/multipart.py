"""Finds the parts of a multipart form exactly where every framework finds them, or refuses the form.

Two readers must agree: a strict one here, which knows one spelling of each thing, and python-multipart. What
frameworks read differently (a boundary in the middle of data, bare line ends, folded or doubled headers,
transfer encodings, forms inside forms) is refused, never interpreted: the picture could lie where only one of
them looks.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import BinaryIO

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from staydown.client.errors import FormRefused

BLOCK_BYTES = 256 * 1024
# A part's headers are some hundred bytes; file names are limited to 255 bytes by most file systems.
MAX_HEADER_BYTES = 4096
# RFC 2046, 5.1.1: at most 70 of these characters. Without quotes only those of an RFC 9110 token.
_BOUNDARY_QUOTED = r"[0-9A-Za-z'()+_,\-./:=?]{1,70}"
_BOUNDARY_TOKEN = r"[0-9A-Za-z'+_\-.]{1,70}"
_CONTENT_TYPE = re.compile(
    rf'\s*multipart/form-data(?:\s*;\s*charset="?utf-8"?)?'
    rf'\s*;\s*boundary=(?:"(?P<quoted>{_BOUNDARY_QUOTED})"|(?P<token>{_BOUNDARY_TOKEN}))'
    rf'(?:\s*;\s*charset="?utf-8"?)?\s*',
    re.IGNORECASE,
)
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ ]*([^\x00-\x1f\x7f]*)")
# A value in quotes has no quote and no backslash: what a backslash means there is read in three ways.
# filename* is a file to Django and none to Starlette; RFC 7578, 4.2, forbids it.
_PARAMETER = re.compile(
    r""";[ ]*(?P<key>name|filename)=(?:"(?P<quoted>[^"\\]*)"|(?P<token>[\w.%+\-]+))""",
    re.IGNORECASE | re.ASCII,
)
# Encodings that change nothing. base64 and quoted-printable are undone by Django and by nobody else.
_PLAIN_ENCODINGS = ("binary", "8bit", "7bit")


@dataclass(frozen=True, slots=True)
class FormPart:
    """One part of a form: where its content lies in the body."""

    name: str
    is_file: bool
    """It has a file name."""
    content_type: str
    """Lower-case, without parameters; "" if the part has none."""
    start: int
    size_bytes: int


@dataclass(slots=True)
class _Seen:
    """A part as python-multipart sees it."""

    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    size_bytes: int = 0


def read_form(body: BinaryIO, content_type: str, *, max_parts: int) -> tuple[FormPart, ...]:
    """The parts of the form, in order. Raises FormRefused."""
    boundary = _boundary(content_type)
    delimiter = b"--" + boundary
    places = list(_places(body, delimiter, most=max_parts + 1))
    if not places or places[0] != 0:
        raise FormRefused("it does not begin with its boundary")
    end = _bytes_at(body, places[-1] + len(delimiter), 8)
    if end not in (b"--", b"--\r\n"):
        raise FormRefused("it does not end with its boundary")
    found = [_part(body, begin=begin + len(delimiter), end=until) for begin, until in pairwise(places)]
    _check_second_reader(body, boundary, [headers for _, headers in found], [part for part, _ in found])
    return tuple(part for part, _ in found)


def _boundary(content_type: str) -> bytes:
    found = _CONTENT_TYPE.fullmatch(content_type)
    if found is None:
        raise FormRefused("its Content-Type is not multipart/form-data with one plain boundary")
    return (found["quoted"] or found["token"]).encode("ascii")


def _blocks(body: BinaryIO) -> Iterator[bytes]:
    body.seek(0)
    while block := body.read(BLOCK_BYTES):
        yield block


def _places(body: BinaryIO, delimiter: bytes, *, most: int) -> Iterator[int]:
    """Where the delimiter stands, anywhere: in data too, where some frameworks would see a boundary."""
    kept, offset, count = b"", 0, 0
    for block in _blocks(body):
        text = kept + block
        at = text.find(delimiter)
        while at != -1:
            count += 1
            if count > most:
                raise FormRefused(f"it has more than {most - 1} parts")
            yield offset + at
            at = text.find(delimiter, at + 1)
        kept = text[-(len(delimiter) - 1) :]
        offset += len(text) - len(kept)


def _bytes_at(body: BinaryIO, start: int, count: int) -> bytes:
    body.seek(start)
    return body.read(count)


def _part(body: BinaryIO, *, begin: int, end: int) -> tuple[FormPart, list[tuple[bytes, bytes]]]:
    """The part whose delimiter ends at `begin` and whose successor's begins at `end`, and its headers."""
    region = _bytes_at(body, begin, min(MAX_HEADER_BYTES, end - begin))
    if not region.startswith(b"\r\n") or _bytes_at(body, end - 2, 2) != b"\r\n":
        raise FormRefused("a boundary does not stand on a line of its own")
    block, blank, _ = region[2:].partition(b"\r\n\r\n")
    start = begin + 2 + len(block) + 4
    size_bytes = end - 2 - start
    if not blank or size_bytes < 0:
        raise FormRefused("a part has no end of its headers, or too many of them")
    headers = [_header(line) for line in block.split(b"\r\n")]
    return _described(headers, start=start, size_bytes=size_bytes), headers


def _header(line: bytes) -> tuple[bytes, bytes]:
    found = _HEADER.fullmatch(line)
    if found is None:
        raise FormRefused("a part has a malformed header")
    return found[1].lower(), found[2].rstrip(b" ")


def _described(headers: list[tuple[bytes, bytes]], *, start: int, size_bytes: int) -> FormPart:
    given = dict(headers)
    if len(given) != len(headers):
        raise FormRefused("a part has a header twice")
    unknown = given.keys() - {
        b"content-disposition",
        b"content-type",
        b"content-length",
        b"content-transfer-encoding",
    }
    if unknown:
        raise FormRefused("a part has a header that forms do not have")
    encoding = given.get(b"content-transfer-encoding", b"binary").decode("latin-1").lower()
    if encoding not in _PLAIN_ENCODINGS:
        raise FormRefused("a part has a transfer encoding")
    if given.get(b"content-length", str(size_bytes).encode()) != str(size_bytes).encode():
        raise FormRefused("a part's length is not the one that it tells")
    content_type = given.get(b"content-type", b"").decode("latin-1").partition(";")[0].strip().lower()
    if content_type.startswith(("multipart/", "message/")):
        raise FormRefused("a part holds parts of its own")
    parameters = _parameters(given.get(b"content-disposition", b""))
    return FormPart(
        name=parameters["name"],
        is_file="filename" in parameters,
        content_type=content_type,
        start=start,
        size_bytes=size_bytes,
    )


def _parameters(disposition: bytes) -> dict[str, str]:
    try:
        text = disposition.decode("utf-8")
    except UnicodeDecodeError:
        raise FormRefused("a name is not UTF-8") from None
    kind = text[: len("form-data")]
    if kind.lower() != "form-data":
        raise FormRefused("a part is not form-data")
    parameters: dict[str, str] = {}
    at = len(kind)
    while at < len(text):
        found = _PARAMETER.match(text, at)
        if found is None or found["key"].lower() in parameters:
            raise FormRefused("a part's Content-Disposition is malformed, or says something twice")
        parameters[found["key"].lower()] = found["quoted"] if found["token"] is None else found["token"]
        at = found.end()
    if not parameters.get("name"):
        raise FormRefused("a part has no name")
    return parameters


def _check_second_reader(
    body: BinaryIO, boundary: bytes, headers: list[list[tuple[bytes, bytes]]], parts: list[FormPart]
) -> None:
    """Raise FormRefused unless python-multipart finds the same headers and the same content in each part."""
    seen = _read_again(body, boundary)
    if [one.size_bytes for one in seen] != [part.size_bytes for part in parts]:
        raise FormRefused("two readers see different parts")
    for one, ours, part in zip(seen, headers, parts, strict=True):
        if one.headers != ours:
            raise FormRefused("two readers see different headers")
        _, options = parse_options_header(dict(ours)[b"content-disposition"].decode("latin-1"))
        if options.get(b"name", b"").decode("utf-8", "replace") != part.name:
            raise FormRefused("two readers see different names")
        if (b"filename" in options) is not part.is_file:
            raise FormRefused("two readers disagree about what is a file")


def _read_again(body: BinaryIO, boundary: bytes) -> list[_Seen]:
    seen: list[_Seen] = []
    name, value, is_complete = bytearray(), bytearray(), False

    def on_part_begin() -> None:
        seen.append(_Seen())

    def on_header_field(data: bytes, start: int, end: int) -> None:
        name.extend(data[start:end])

    def on_header_value(data: bytes, start: int, end: int) -> None:
        value.extend(data[start:end])

    def on_header_end() -> None:
        seen[-1].headers.append((bytes(name).lower(), bytes(value).rstrip(b" ")))
        name.clear()
        value.clear()

    def on_part_data(data: bytes, start: int, end: int) -> None:
        seen[-1].size_bytes += end - start

    def on_end() -> None:
        nonlocal is_complete
        is_complete = True

    try:
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": on_part_begin,
                "on_header_field": on_header_field,
                "on_header_value": on_header_value,
                "on_header_end": on_header_end,
                "on_part_data": on_part_data,
                "on_end": on_end,
            },
        )
        for block in _blocks(body):
            parser.write(block)
    except FormParserError:
        raise FormRefused("the second reader finds it malformed") from None
    if not is_complete:
        raise FormRefused("it has no parts, or no end")
    return seen
