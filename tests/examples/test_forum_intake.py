"""What the forum takes for a picture, what it refuses, and what it publishes of it."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin

from forum import intake
from forum.intake import MAX_UPLOAD_BYTES, NotTakeable, take_in
from forum.pictures import paint
from staydown.fingerprint import Algorithm, distance_bits, fingerprint_image
from tests.examples.harbour import Harbour, painting


def bomb() -> bytes:
    """A small PNG file that says it has 60000 x 60000 pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"0"))
        + chunk(b"IEND", b"")
    )


def many_pixels() -> bytes:
    out = io.BytesIO()
    Image.new("1", (9000, 9000)).save(out, "PNG")
    return out.getvalue()


def tiff() -> bytes:
    out = io.BytesIO()
    paint(7, size=(100, 100)).save(out, "TIFF")
    return out.getvalue()


NOT_A_PICTURE = "not a picture that we can show"
REFUSED = {
    "nothing": (b"", "Choose a picture first"),
    "text": (b"only text", NOT_A_PICTURE),
    "html.png": (b"<!doctype html><script>alert(1)</script>", NOT_A_PICTURE),
    "svg": (b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', NOT_A_PICTURE),
    "cut off": (painting()[: len(painting()) // 2], NOT_A_PICTURE),
    "only a beginning": (painting()[:20], NOT_A_PICTURE),
    "TIFF": (tiff(), NOT_A_PICTURE),
    "bomb": (bomb(), "too many pixels"),
    "81 megapixels": (many_pixels(), "too many pixels"),
    "too large": (painting() + bytes(MAX_UPLOAD_BYTES), "larger than 20 megabytes"),
}


@pytest.mark.parametrize("which", REFUSED)
def test_what_is_not_a_picture_is_refused_and_said(which: str) -> None:
    content, said = REFUSED[which]

    with pytest.raises(NotTakeable, match=said):
        take_in(content)


@pytest.mark.parametrize("which", [name for name in REFUSED if name != "too large"])
def test_what_is_refused_is_neither_stored_nor_sent_on(harbour: Harbour, which: str) -> None:
    alice = harbour.member("Alice")
    content, said = REFUSED[which]

    answer = alice.upload(content, title="My title", name="picture.png")

    assert answer.status_code == 422
    assert said in answer.text
    assert 'value="My title"' in answer.text
    assert (harbour.files(), harbour.rows(), harbour.staydown.requests) == ([], [], [])


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_is_too_large_is_refused_in_words(harbour: Harbour, chunked: bool) -> None:
    alice = harbour.member("Alice")
    token = alice.token("/upload")
    start = (
        b'--b\r\nContent-Disposition: form-data; name="form_token"\r\n\r\n' + token.encode() + b"\r\n--b\r\n"
        b'Content-Disposition: form-data; name="picture"; filename="a.jpg"\r\n\r\n'
    )
    body = start + bytes(MAX_UPLOAD_BYTES + 200_000) + b"\r\n--b--\r\n"
    content = (body[at : at + 65536] for at in range(0, len(body), 65536)) if chunked else body

    answer = alice.client.post(
        "/upload", content=content, headers={"content-type": "multipart/form-data; boundary=b"}
    )

    assert answer.status_code == 413
    assert "larger than 20 megabytes" in answer.text
    assert harbour.files() == []


def test_a_form_without_a_file_is_told_to_choose_one(harbour: Harbour) -> None:
    alice = harbour.member("Alice")

    answer = alice.send("/upload", page="/upload", title="x", picture="not a file")

    assert answer.status_code == 422
    assert "Choose a picture first" in answer.text


def test_a_broken_form_is_refused_in_words(harbour: Harbour) -> None:
    alice = harbour.member("Alice")

    answer = alice.client.post("/upload", content=b"--x", headers={"content-type": "multipart/form-data"})

    assert answer.status_code in (400, 403)
    assert "harbour" in answer.text


def test_a_picture_with_a_tiny_side_is_refused() -> None:
    out = io.BytesIO()
    Image.new("RGB", (2000, 31)).save(out, "PNG")

    with pytest.raises(NotTakeable, match="too small"):
        take_in(out.getvalue())


@pytest.mark.parametrize(
    ("kind", "ending"), [("JPEG", "jpg"), ("PNG", "png"), ("WEBP", "jpg"), ("GIF", "png")]
)
def test_the_ending_and_media_type_come_from_the_content(harbour: Harbour, kind: str, ending: str) -> None:
    alice = harbour.member("Alice")

    answer = alice.upload(painting(kind=kind), name="page.html")

    post = answer.url.path.rsplit("/", 1)[-1]
    media = alice.open(f"/media/{post}")
    assert harbour.files() == [f"{post}.{ending}", f"{post}.small.jpg"]
    assert media.headers["content-type"] == {"jpg": "image/jpeg", "png": "image/png"}[ending]
    assert media.headers["x-content-type-options"] == "nosniff"
    assert media.headers["cache-control"] == "no-store"
    assert "sandbox" in media.headers["content-security-policy"]


def test_place_camera_preview_and_comments_are_not_published() -> None:
    exif = Image.Exif()
    exif[0x010E] = "SECRET description"
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)
    out = io.BytesIO()
    paint(7, size=(300, 200)).save(out, "JPEG", exif=exif, comment=b"SECRET comment")
    sent = out.getvalue() + b"SECRET file behind the end"

    shown = take_in(sent)

    assert sent.count(b"SECRET") == 3
    for published in (shown.content, shown.small):
        assert b"SECRET" not in published
        with Image.open(io.BytesIO(published)) as opened:
            assert dict(opened.getexif()) == {}
            assert not set(opened.info) & {"exif", "comment", "xmp", "icc_profile"}


def test_text_in_a_png_is_not_published() -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("Author", "SECRET")
    out = io.BytesIO()
    paint(7, size=(300, 200)).save(out, "PNG", pnginfo=text)

    assert b"SECRET" in out.getvalue()
    assert b"SECRET" not in take_in(out.getvalue()).content


def test_a_turned_picture_is_published_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    out = io.BytesIO()
    paint(7, size=(300, 200)).save(out, "JPEG", exif=exif)

    with Image.open(io.BytesIO(take_in(out.getvalue()).content)) as opened:
        assert opened.size == (200, 300)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_of_an_animation_only_the_checked_first_picture_is_published(kind: str) -> None:
    first, later = paint(7, size=(120, 80)), paint(11, size=(120, 80))
    out = io.BytesIO()
    first.save(out, kind, save_all=True, append_images=[later], duration=100)

    with Image.open(io.BytesIO(take_in(out.getvalue()).content)) as opened:
        assert getattr(opened, "n_frames", 1) == 1
        shown = np.asarray(opened.convert("RGB"), int)
    assert abs(shown - np.asarray(first, int)).mean() < abs(shown - np.asarray(later, int)).mean() / 2


def test_what_one_could_see_through_is_on_white() -> None:
    out = io.BytesIO()
    Image.new("RGBA", (64, 64), (255, 0, 0, 0)).save(out, "PNG")

    with Image.open(io.BytesIO(take_in(out.getvalue()).content)) as opened:
        assert (opened.mode, opened.getpixel((5, 5))) == ("RGB", (255, 255, 255))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16"])
def test_every_kind_of_pixel_becomes_rgb(mode: str) -> None:
    out = io.BytesIO()
    image = Image.new("I;16", (64, 64), 30_000) if mode == "I;16" else paint(7, size=(64, 64)).convert(mode)
    image.save(out, "JPEG" if mode == "CMYK" else "PNG")

    with Image.open(io.BytesIO(take_in(out.getvalue()).content)) as opened:
        assert opened.mode == "RGB"


@pytest.mark.parametrize("profile", [b"not a profile", ImageCms.ImageCmsProfile(intake._SRGB).tobytes()])
def test_a_colour_profile_is_applied_or_ignored(profile: bytes) -> None:
    out = io.BytesIO()
    paint(7, size=(64, 64)).save(out, "JPEG", icc_profile=profile)

    take_in(out.getvalue())


@pytest.mark.parametrize("seed", range(6))
def test_what_is_published_has_the_fingerprint_of_what_was_sent(seed: int) -> None:
    sent = painting(seed, size=(800, 600))

    before, after = fingerprint_image(sent), fingerprint_image(take_in(sent).content)

    first, second = before.of(Algorithm.PDQ), after.of(Algorithm.PDQ)
    assert first is not None
    assert second is not None
    assert distance_bits(first, second) <= 8  # of 31 that count as the same picture


def test_a_large_picture_is_shown_smaller() -> None:
    out = io.BytesIO()
    Image.new("RGB", (5200, 1300), "teal").save(out, "JPEG")

    shown = take_in(out.getvalue())

    with Image.open(io.BytesIO(shown.content)) as large, Image.open(io.BytesIO(shown.small)) as small:
        assert (large.size, small.size) == ((2560, 640), (640, 160))
