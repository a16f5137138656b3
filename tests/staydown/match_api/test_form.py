"""Forms, piece by piece: nothing on disk, nothing without end, and no guess at what was meant."""

import pytest

from staydown.match_api.errors import Refused
from staydown.match_api.form import FormReader

TYPE = "multipart/form-data; boundary=line"


def part(name, value, *, extra=b""):
    header = b'Content-Disposition: form-data; name="' + name + b'"' + extra
    return b"--line\r\n" + header + b"\r\n\r\n" + value + b"\r\n"


END = b"--line--\r\n"


def read(body, *, content_type=TYPE, piece=10**9, max_parts=16):
    reader = FormReader(content_type, max_parts=max_parts)
    for start in range(0, len(body), piece):
        reader.write(body[start : start + piece])
    return reader.finish()


@pytest.mark.parametrize("piece", [1, 2, 3, 7, 64, 10**9])
def test_form_is_read_the_same_in_pieces_of_any_size(piece):
    # Given a picture that looks like a boundary now and then
    media = b"\r\n--lin\r\n--line-\r\n--" * 20 + bytes(range(256))
    body = (
        part(b"content_id", "zażółć".encode())
        + part(b"media", media, extra=b'; filename="a.jpg"\r\nContent-Type: image/jpeg')
        + part(b"content_url", b"https://forum.example/1")
        + END
    )
    # An attacker cannot put the real boundary into a picture, because whoever sends the form chooses it.
    media = media.replace(b"\r\n--line-", b"\r\n--lino-")
    body = body.replace(b"\r\n--line-\r", b"\r\n--lino-\r")

    # When
    form = read(body, piece=piece)

    # Then
    assert bytes(form.media) == media
    assert form.texts == {"content_id": "zażółć", "content_url": "https://forum.example/1"}


def test_picture_without_a_file_name_is_a_picture():
    assert bytes(read(part(b"media", b"x") + END).media) == b"x"


def test_empty_picture_is_not_a_missing_one():
    assert read(part(b"media", b"") + END).media == b""
    assert read(part(b"content_id", b"1") + END).media is None


def test_other_parts_are_skipped():
    form = read(part(b"csrf", b"x" * 100_000) + part(b"media", b"x") + part(b"csrf", b"y") + END)

    assert bytes(form.media) == b"x"
    assert form.texts == {}


def test_what_follows_the_last_boundary_is_skipped():
    assert bytes(read(part(b"media", b"x") + END + b"\r\n").media) == b"x"


BAD = {
    "several-media": part(b"media", b"x") + part(b"media", b"y") + END,
    "invalid-request": part(b"content_id", b"x") + part(b"content_id", b"y") + END,
    "too-many-parts": part(b"other", b"x") * 17 + END,
}
MALFORMED = [
    b"",
    b"\r\n",
    b"x",
    b"--line",
    b"--line\r\n",
    b"--lime\r\n" + part(b"media", b"x") + END,
    part(b"media", b"x"),
    part(b"media", b"x") + b"--line",
    b'--line\r\nContent-Disposition: form-data; name="media"\r\n',
    b"--line\r\nbad header\r\n\r\nx\r\n" + END,
    b"--line\r\n" + b"X-Long: " + b"x" * 100_000 + b"\r\n\r\nx\r\n" + END,
    b"--line\r\n" + b"X-Many: 1\r\n" * 1000 + b"\r\nx\r\n" + END,
]


@pytest.mark.parametrize("slug", BAD)
def test_ambiguous_form_is_refused(slug):
    with pytest.raises(Refused) as refused:
        read(BAD[slug])

    assert refused.value.problem.slug == slug
    assert refused.value.problem.status == 400


@pytest.mark.parametrize("body", MALFORMED, ids=range(len(MALFORMED)))
def test_broken_form_is_refused(body):
    with pytest.raises(Refused) as refused:
        read(body)

    assert refused.value.problem.slug == "malformed-form"


@pytest.mark.parametrize(
    "content_type",
    ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=" + "x" * 5000],
)
def test_form_without_a_usable_boundary_is_refused(content_type):
    with pytest.raises(Refused):
        read(part(b"media", b"x") + END, content_type=content_type)


@pytest.mark.parametrize("value", [b"\xff", b"x" * 8001])
def test_text_that_cannot_be_kept_is_refused(value):
    with pytest.raises(Refused) as refused:
        read(part(b"content_url", value) + END)

    assert refused.value.problem.status == 422
