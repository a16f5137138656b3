"""The form reader: what it accepts is read alike by Django, Starlette and the standard library."""

import asyncio
import email.parser
import email.policy
import io
from typing import Any

import pytest
from django.core.files.uploadhandler import MemoryFileUploadHandler
from django.http import QueryDict
from django.http.multipartparser import MultiPartParser
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartParser as StarletteParser

from staydown.client import FormRefused
from staydown.client.multipart import BLOCK_BYTES, FormPart, read_form

TYPE = "multipart/form-data; boundary=lagoon"
PICTURE = bytes(range(256)) * 8
FILE = b'Content-Disposition: form-data; name="picture"; filename="a.jpg"\r\nContent-Type: image/jpeg'
TEXT = b'Content-Disposition: form-data; name="title"'


def form(*parts: tuple[bytes, bytes], boundary: bytes = b"lagoon", end: bytes = b"--\r\n") -> bytes:
    body = b"".join(b"--%b\r\n%b\r\n\r\n%b\r\n" % (boundary, head, data) for head, data in parts)
    return body + b"--" + boundary + end


def read(body: bytes, content_type: str = TYPE) -> tuple[FormPart, ...]:
    return read_form(io.BytesIO(body), content_type, max_parts=10)


def content(body: bytes, part: FormPart) -> bytes:
    return body[part.start : part.start + part.size_bytes]


def test_parts_are_found_with_their_content_and_kind() -> None:
    # Given
    body = form((TEXT, b"Low tide"), (FILE, PICTURE))

    # When
    title, picture = read(body)

    # Then
    assert (title.name, title.is_file, content(body, title)) == ("title", False, b"Low tide")
    assert (picture.name, picture.is_file, picture.content_type) == ("picture", True, "image/jpeg")
    assert content(body, picture) == PICTURE


@pytest.mark.parametrize(
    "size", [0, 1, BLOCK_BYTES - 180, BLOCK_BYTES - 100, BLOCK_BYTES, 3 * BLOCK_BYTES + 7]
)
def test_boundary_is_found_wherever_blocks_are_cut(size: int) -> None:
    # Given
    body = form((FILE, b"x" * size), (TEXT, b"after"))

    # When
    picture, title = read(body)

    # Then
    assert picture.size_bytes == size
    assert content(body, title) == b"after"


@pytest.mark.parametrize(
    "head",
    [
        FILE,
        b'content-disposition: form-data; name="picture"; filename=""',
        b"Content-Disposition: form-data; name=picture; filename=a.jpg",
        b'Content-Disposition: form-data; name="picture"; filename="caf\xc3\xa9.jpg"',
        FILE + b"\r\nContent-Transfer-Encoding: binary",
        FILE + b"\r\nContent-Length: 2048",
    ],
)
def test_spellings_that_all_frameworks_know_are_files(head: bytes) -> None:
    [picture] = read(form((head, PICTURE)))

    assert (picture.name, picture.is_file, picture.size_bytes) == ("picture", True, 2048)


@pytest.mark.parametrize(
    "content_type",
    [
        TYPE,
        "Multipart/Form-Data;boundary=lagoon",
        'multipart/form-data; boundary="lagoon"',
        "multipart/form-data; charset=utf-8; boundary=lagoon",
        "multipart/form-data; boundary=lagoon; charset=UTF-8",
    ],
)
def test_content_type_may_be_spelt_as_clients_do(content_type: str) -> None:
    assert len(read(form((FILE, PICTURE)), content_type)) == 1


def test_form_without_parts_has_none_and_the_last_line_end_may_be_missing() -> None:
    assert read(form((TEXT, b"x"), end=b"--")) == read(form((TEXT, b"x")))


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=lagoon; boundary=other",
        "multipart/form-data; boundary=lagoon, multipart/form-data; boundary=other",
        "multipart/form-data; boundary*=UTF-8''lagoon",
        "multipart/form-data; boundary=lagoon; charset=utf-16",
        "multipart/form-data; boundary=lagoon; x=y",
        'multipart/form-data; boundary="la\\goon"',
        'multipart/form-data; boundary="lagoon',
        "multipart/form-data; boundary=la goon",
        "multipart/form-data; boundary=" + "a" * 71,
        "multipart/mixed; boundary=lagoon",
        "multipart/related; boundary=lagoon",
        "message/http",
    ],
)
def test_content_type_that_is_read_in_several_ways_is_refused(content_type: str) -> None:
    with pytest.raises(FormRefused):
        read(form((FILE, PICTURE)), content_type)


ODD = {
    "empty": b"",
    "no boundary": b"hello",
    "preamble": b"preamble\r\n" + form((FILE, PICTURE)),
    "line end first": b"\r\n" + form((FILE, PICTURE)),
    "epilogue": form((FILE, PICTURE)) + b"epilogue",
    "second form after the end": form((TEXT, b"x")) + form((FILE, PICTURE)),
    "no end": form((FILE, PICTURE), end=b""),
    "cut in the data": form((FILE, PICTURE))[:-200],
    "half an end": form((FILE, PICTURE), end=b"-"),
    "spaces after a boundary": form((TEXT, b"x"), (FILE, PICTURE)).replace(
        b"--lagoon\r\n", b"--lagoon  \r\n"
    ),
    "bare line ends": form((FILE, PICTURE)).replace(b"\r\n", b"\n"),
    "boundary after a bare line end in data": form((TEXT, b"x\n--lagoon\n" + FILE + b"\n\n" + PICTURE)),
    "boundary after a carriage return in data": form((TEXT, b"x\r--lagoon\r\n" + FILE)),
    "boundary in the middle of data": form((TEXT, b"x--lagoon--y")),
    "longer boundary in data": form((TEXT, b"x\r\n--lagoons\r\ny")),
    "end in the middle": form((TEXT, b"x\r\n--lagoon--\r\n" + PICTURE)),
    "boundary in a header": form((TEXT + b"\r\nContent-Type: a/--lagoon", b"x")),
    "no headers": b"--lagoon\r\n\r\nx\r\n--lagoon--\r\n",
    "no blank line": b"--lagoon\r\n" + TEXT + b"\r\n--lagoon--\r\n",
    "no disposition": form((b"Content-Type: image/jpeg", PICTURE)),
    "not form-data": form((b'Content-Disposition: attachment; name="a"; filename="b"', PICTURE)),
    "no name": form((b'Content-Disposition: form-data; filename="a.jpg"', PICTURE)),
    "empty name": form((b'Content-Disposition: form-data; name=""; filename="a.jpg"', PICTURE)),
    "name twice": form((b'Content-Disposition: form-data; name="a"; name="b"', b"x")),
    "file name twice": form((FILE.replace(b"; filename", b'; filename="b"; filename'), PICTURE)),
    "disposition twice": form((TEXT + b"\r\n" + FILE, PICTURE)),
    "type twice": form((FILE + b"\r\nContent-Type: text/plain", PICTURE)),
    "folded header": form((b'Content-Disposition: form-data;\r\n name="a"; filename="b"', PICTURE)),
    "tab in a header": form((b'Content-Disposition:\tform-data; name="a"', b"x")),
    "space before the colon": form((b'Content-Disposition : form-data; name="a"', b"x")),
    "bare line end in a header": form((TEXT + b"\nContent-Type: image/jpeg", b"x")),
    "NUL in a header": form((b'Content-Disposition: form-data; name="a\0b"', b"x")),
    "quote escaped": form((b'Content-Disposition: form-data; name="a\\"; filename=\\"b"', PICTURE)),
    "quote not closed": form((b'Content-Disposition: form-data; name="a; filename=b', PICTURE)),
    "other parameter": form((b'Content-Disposition: form-data; name="a"; size=5', b"x")),
    "name in an extended form": form((b"Content-Disposition: form-data; name*=UTF-8''a", b"x")),
    "file name in an extended form": form(
        (b"Content-Disposition: form-data; name=\"a\"; filename*=UTF-8''b.jpg", PICTURE)
    ),
    "name not UTF-8": form((b'Content-Disposition: form-data; name="\xff"', b"x")),
    "base64": form((FILE + b"\r\nContent-Transfer-Encoding: base64", b"aGVsbG8=")),
    "quoted-printable": form((TEXT + b"\r\nContent-Transfer-Encoding: Quoted-Printable", b"=41")),
    "content encoding": form((FILE + b"\r\nContent-Encoding: gzip", PICTURE)),
    "wrong length": form((FILE + b"\r\nContent-Length: 5", PICTURE)),
    "form inside": form((TEXT + b"\r\nContent-Type: multipart/mixed; boundary=b", b"--b\r\n\r\nx\r\n--b--")),
    "message inside": form((TEXT + b"\r\nContent-Type: message/rfc822", b"x")),
    "headers without end": form((TEXT + b"\r\nContent-Type: " + b"a" * 5000, b"x")),
    "too many parts": form(*[(TEXT, b"x")] * 11),
}


@pytest.mark.parametrize("body", ODD.values(), ids=ODD.keys())
def test_form_that_frameworks_read_differently_is_refused(body: bytes) -> None:
    with pytest.raises(FormRefused):
        read(body)


# --- what is accepted is read alike by others

Parts = list[tuple[str, bytes | None]]


def as_django_sees_it(body: bytes) -> Parts:
    meta = {"CONTENT_TYPE": TYPE, "CONTENT_LENGTH": str(len(body))}
    handler = MemoryFileUploadHandler()
    handler.activated = True
    post, files = MultiPartParser(meta, io.BytesIO(body), [handler], "utf-8").parse()
    assert isinstance(post, QueryDict)
    found: Parts = [(name, value.encode()) for name, values in post.lists() for value in values]
    found += [(name, file.read()) for name, values in files.lists() for file in values]
    return sorted(found, key=repr)


def as_starlette_sees_it(body: bytes) -> Parts:
    async def stream() -> Any:
        yield body

    async def parse() -> Parts:
        parsed = await StarletteParser(Headers({"content-type": TYPE}), stream()).parse()
        return [
            (name, await value.read() if isinstance(value, UploadFile) else value.encode())
            for name, value in parsed.multi_items()
        ]

    return sorted(asyncio.run(parse()), key=repr)


def as_the_standard_library_sees_it(body: bytes) -> Parts:
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(
        f"Content-Type: {TYPE}\r\n\r\n".encode() + body
    )
    parts = message.get_payload()
    assert isinstance(parts, list)
    return [
        (str(part.get_param("name", header="content-disposition")), part.get_payload(decode=True))
        for part in parts
    ]


names = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters='"\\'), min_size=1
)
plain = st.text(st.characters(codec="ascii", exclude_categories=["Cc"])).map(str.encode)


@given(
    st.lists(
        st.tuples(st.from_regex(r"[a-z]{1,8}", fullmatch=True), st.binary(min_size=1) | plain),
        min_size=1,
        max_size=5,
    )
)
def test_every_file_of_an_accepted_form_is_seen_alike_by_django_and_starlette(
    rows: list[tuple[str, bytes]],
) -> None:
    # Given
    body = form(
        *(
            (b'Content-Disposition: form-data; name="%b"; filename="f"' % name.encode(), data)
            for name, data in rows
        )
    )

    # When
    ours = sorted(((part.name, content(body, part)) for part in read(body)), key=repr)

    # Then
    assert ours == sorted(rows, key=repr)
    assert as_starlette_sees_it(body) == ours
    assert as_django_sees_it(body) == ours


@given(
    st.lists(
        st.sampled_from(
            [b"\r", b"\n", b"\r\n", b"--", b"lagoon", b"--lagoon", b"x", TEXT, FILE, b"\r\n\r\n"]
        ),
        max_size=30,
    )
)
def test_what_is_accepted_of_scrambled_forms_is_seen_alike_by_everybody(pieces: list[bytes]) -> None:
    """Most are refused; what is not must have one reading."""
    body = form((FILE, b"x"), (TEXT, b"".join(pieces)))
    try:
        parts = read(body)
    except FormRefused:
        return

    ours = [(part.name, content(body, part)) for part in parts]
    assert as_starlette_sees_it(body) == sorted(ours, key=repr)
    assert as_django_sees_it(body) == sorted(ours, key=repr)
    assert [name for name, _ in as_the_standard_library_sees_it(body)] == [name for name, _ in ours]


@given(names)
def test_name_of_an_accepted_form_is_the_one_that_was_sent(name: str) -> None:
    body = form((b'Content-Disposition: form-data; name="%b"' % name.encode(), b"x"))
    try:
        [part] = read(body)
    except FormRefused:
        return

    assert part.name == name
