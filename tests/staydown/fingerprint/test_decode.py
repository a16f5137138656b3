"""Every format and every trap of colour and orientation gives the pixels that a browser would show."""

import contextlib
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from staydown.fingerprint import (
    DamagedFile,
    DecodedPicture,
    DecodeLimits,
    DecoderCrashed,
    EmptyFile,
    FileTooLarge,
    NotFingerprintable,
    TooManyPixels,
    TooSmall,
    UnknownFormat,
    decode_picture,
    turbo,
)
from staydown.fingerprint.kernel import photo_codes
from tests.staydown.fingerprint.files import (
    MP4_HEAD,
    as_stored,
    bmp_claim,
    encoded,
    exif_orientation,
    jpeg,
    png_chunk,
    png_of_zeros,
    webp_claim,
)
from tests.staydown.fingerprint.pictures import Pixels, picture

LANDSCAPE = picture("landscape", 320, 240, seed=5)
VECTORS = Path(__file__).parents[2] / "vectors"


def _rgb(picture: DecodedPicture) -> Pixels:
    pixels = picture.pixels()
    return np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels


def _distance(a: Pixels, b: Pixels) -> int:
    codes = [int.from_bytes(photo_codes(np.ascontiguousarray(pixels)).pdq.code()) for pixels in (a, b)]
    return (codes[0] ^ codes[1]).bit_count()


# ---- formats -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("image_format", "options"),
    [
        ("PNG", {}),
        ("BMP", {}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("WEBP", {"lossless": True}),
    ],
)
def test_lossless_format_gives_the_very_pixels(image_format: str, options: dict[str, object]) -> None:
    decoded = decode_picture(encoded(LANDSCAPE, image_format, **options))
    assert (decoded.width, decoded.height) == (320, 240)
    assert np.array_equal(decoded.pixels(), LANDSCAPE)


@pytest.mark.parametrize(
    ("image_format", "options"),
    [("JPEG", {"quality": 90}), ("WEBP", {"quality": 90}), ("AVIF", {"quality": 90}), ("GIF", {})],
)
def test_lossy_format_keeps_the_fingerprint(image_format: str, options: dict[str, object]) -> None:
    decoded = decode_picture(encoded(LANDSCAPE, image_format, **options))
    assert _distance(decoded.pixels(), LANDSCAPE) <= 16


def test_heic_keeps_the_fingerprint() -> None:
    # Given this landscape as pillow-heif 1.8.1 encoded it once (our own reader cannot write HEIC)
    data = (VECTORS / "landscape-320x240-5.heic").read_bytes()

    # Then it is read, and near the original
    assert _distance(decode_picture(data).pixels(), LANDSCAPE) <= 16


@pytest.mark.parametrize("image_format", ["GIF", "PNG", "WEBP", "AVIF", "TIFF"])
def test_moving_picture_is_its_first_frame(image_format: str) -> None:
    # Given an animation whose second frame is something else
    frames = [Image.fromarray(LANDSCAPE), Image.fromarray(picture("noise", 320, 240))]
    data = encoded(frames[0], image_format, save_all=True, append_images=frames[1:])

    # Then only the first one counts
    assert _distance(decode_picture(data).pixels(), LANDSCAPE) <= 16


def test_multi_picture_jpeg_is_its_first_picture() -> None:
    # Given what phones write for a photo with a preview or a depth map
    first = Image.fromarray(LANDSCAPE)
    data = encoded(first, "MPO", save_all=True, append_images=[Image.fromarray(picture("noise", 320, 240))])

    # Then the first picture counts
    assert _distance(decode_picture(data).pixels(), LANDSCAPE) <= 16


# ---- orientation ---------------------------------------------------------------------------------


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("image_format", ["PNG", "TIFF", "WEBP"])
def test_exif_orientation_is_applied_exactly(image_format: str, orientation: int) -> None:
    # Given a picture stored as a camera held sideways stores it
    stored = as_stored(LANDSCAPE, orientation)
    options = {"lossless": True} if image_format == "WEBP" else {}
    data = encoded(stored, image_format, exif=exif_orientation(orientation), **options)

    # Then it comes out upright
    decoded = decode_picture(data)
    assert (decoded.width, decoded.height) == (320, 240)
    assert np.array_equal(decoded.pixels(), LANDSCAPE)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_exif_orientation_of_a_jpeg_equals_that_of_pillow(mode: str, orientation: int) -> None:
    # Given a JPEG; RGB takes the quick path, grey does not
    stored = Image.fromarray(as_stored(LANDSCAPE, orientation)).convert(mode)
    data = encoded(stored, "JPEG", exif=exif_orientation(orientation), quality=95)

    # Then its upright pixels are near the original's (JPEG loses a little)
    upright = _rgb(decode_picture(data)).astype(int)
    expected = np.asarray(Image.fromarray(LANDSCAPE).convert(mode).convert("RGB")).astype(int)
    assert upright.shape == expected.shape
    assert np.abs(upright - expected).mean() < 3


def test_avif_orientation_is_applied_once() -> None:
    data = encoded(as_stored(LANDSCAPE, 6), "AVIF", exif=exif_orientation(6), quality=90)
    assert _distance(decode_picture(data).pixels(), LANDSCAPE) <= 16


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_broken_exif_does_not_hide_a_picture() -> None:
    data = jpeg(320, 240, seed=5, quality=95, exif=b"Exif\0\0II*\0\xff\xff\xff\x7f broken")
    assert _distance(decode_picture(data).pixels(), LANDSCAPE) <= 16


# ---- colours -------------------------------------------------------------------------------------


def test_transparent_pixels_become_white_not_what_lies_beneath() -> None:
    # Given a picture whose transparent half holds other colours
    alpha = np.full((240, 320, 1), 255, np.uint8)
    alpha[:, :160] = 0
    decoded = decode_picture(encoded(np.dstack([LANDSCAPE, alpha]), "PNG")).pixels()

    # Then that half is white and the other is untouched
    assert (decoded[:, :160] == 255).all()
    assert np.array_equal(decoded[:, 160:], LANDSCAPE[:, 160:])


def test_half_transparent_pixels_are_mixed_with_white() -> None:
    rgba = np.full((10, 10, 4), (100, 0, 200, 128), np.uint8)
    assert decode_picture(encoded(rgba, "PNG")).pixels()[0, 0].tolist() == pytest.approx(
        [177, 127, 227], abs=1
    )


@pytest.mark.parametrize("mode", ["P", "L", "LA", "1"])
def test_transparency_of_other_modes_becomes_white(mode: str) -> None:
    # Given a picture of two values, one of them transparent
    grey = np.zeros((20, 20), np.uint8)
    grey[:10] = 255
    options: dict[str, object] = {"transparency": 0}
    if mode == "LA":
        image, options = Image.merge("LA", [Image.fromarray(np.zeros_like(grey)), Image.fromarray(grey)]), {}
        expected = np.where(grey == 255, 0, 255)
    else:
        image = Image.fromarray(grey).convert(mode)
        expected = np.full_like(grey, 255)
        if mode == "P":
            image = Image.fromarray((grey > 0).astype(np.uint8)).convert("P")
            image.putpalette([10, 20, 30, 255, 255, 255])

    # Then the transparent pixels are white
    decoded = _rgb(decode_picture(encoded(image, "PNG", **options)))
    assert np.array_equal(decoded[:, :, 0], expected)


def test_palette_gives_its_colours() -> None:
    image = Image.fromarray(LANDSCAPE).quantize(200)
    assert np.array_equal(decode_picture(encoded(image, "PNG")).pixels(), np.asarray(image.convert("RGB")))


def test_sixteen_bit_grey_is_scaled_not_clipped() -> None:
    # Given a 16-bit ramp, which Pillow's own conversion turns white
    wide = np.linspace(0, 65_535, 200 * 100).astype(np.uint16).reshape(100, 200)
    decoded = decode_picture(encoded(Image.fromarray(wide), "PNG")).pixels()

    # Then the high byte is taken
    assert np.array_equal(decoded[:, :, 0], wide >> 8)


def test_sixteen_bit_colour_is_scaled_not_clipped() -> None:
    # Given a 16-bit RGB PNG, written by hand since Pillow does not write one
    wide = (LANDSCAPE.astype(np.uint16) * 257).astype(">u2")
    lines = b"".join(b"\0" + row.tobytes() for row in wide)
    header = struct.pack(">IIBBBBB", 320, 240, 16, 2, 0, 0, 0)
    chunks = png_chunk(b"IHDR", header) + png_chunk(b"IDAT", zlib.compress(lines)) + png_chunk(b"IEND", b"")

    # Then its 8-bit form comes out
    assert np.array_equal(decode_picture(b"\x89PNG\r\n\x1a\n" + chunks).pixels(), LANDSCAPE)


@pytest.mark.parametrize(("top", "shift"), [(200, 0), (60_000, 8), (2**31 - 1, 23)])
def test_wide_integers_are_scaled_by_the_width_in_use(top: int, shift: int) -> None:
    wide = np.linspace(0, top, 100 * 100).astype(np.int32).reshape(100, 100)
    decoded = decode_picture(encoded(Image.fromarray(wide), "TIFF")).pixels()
    assert np.array_equal(decoded[:, :, 0], wide >> shift)


def test_cmyk_comes_out_the_right_way_round() -> None:
    # Given a CMYK JPEG as Adobe's programs write it (stored inverted)
    cmyk = Image.fromarray(LANDSCAPE).convert("CMYK")
    decoded = decode_picture(encoded(cmyk, "JPEG", quality=95)).pixels()

    # Then it is the picture, not its negative
    assert _distance(decoded, LANDSCAPE) <= 16


def _profile(name: str) -> bytes:
    """A matrix profile other than sRGB: red, green and blue in another order, which no rounding can hide."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    at_red, at_green = profile.index(b"rXYZ"), profile.index(b"gXYZ")
    profile[at_red : at_red + 4], profile[at_green : at_green + 4] = b"gXYZ", b"rXYZ"
    return bytes(profile).replace("sRGB".encode("utf-16-be"), name.encode("utf-16-be"))


@pytest.mark.parametrize("image_format", ["PNG", "JPEG"])
def test_colour_profile_is_converted_to_srgb(image_format: str) -> None:
    # Given a picture whose profile says that its first channel is green and its second red
    exchanged = np.ascontiguousarray(LANDSCAPE[:, :, [1, 0, 2]])
    options = {"quality": 98, "subsampling": 0} if image_format == "JPEG" else {}
    data = encoded(exchanged, image_format, icc_profile=_profile("Test"), **options)

    # Then the colours come out as they were meant
    decoded = decode_picture(data).pixels().astype(int)
    assert np.abs(decoded - LANDSCAPE).mean() < 2
    assert np.abs(decoded - exchanged).mean() > 10


def test_srgb_profile_changes_nothing() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert np.array_equal(decode_picture(encoded(LANDSCAPE, "PNG", icc_profile=srgb)).pixels(), LANDSCAPE)


@pytest.mark.parametrize("profile", [b"not a profile", _profile("Test")[:200]], ids=["text", "cut off"])
def test_broken_profile_does_not_hide_a_picture(profile: bytes) -> None:
    assert np.array_equal(decode_picture(encoded(LANDSCAPE, "PNG", icc_profile=profile)).pixels(), LANDSCAPE)


def test_profile_of_another_colour_space_is_ignored() -> None:
    grey = Image.fromarray(LANDSCAPE).convert("L")
    decoded = decode_picture(encoded(grey, "PNG", icc_profile=_profile("Test"))).pixels()
    assert np.array_equal(decoded[:, :, 0], np.asarray(grey))


# ---- refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "error", "sentence"),
    [
        (b"", EmptyFile, "The file is empty."),
        (b"This is a letter, not a picture.", UnknownFormat, "This is not a picture that can be read"),
        (MP4_HEAD, UnknownFormat, "This is not a picture that can be read"),
        (b"<svg width='9' height='9'/>", UnknownFormat, "This is an SVG drawing, which is not read here."),
        (jpeg()[:3000], DamagedFile, "The picture is damaged or incomplete."),
        (jpeg()[:10], DamagedFile, "The picture is damaged or incomplete."),
        (encoded(LANDSCAPE, "PNG")[:2000], DamagedFile, "The picture is damaged or incomplete."),
        (encoded(LANDSCAPE, "WEBP")[:2000], DamagedFile, "The picture is damaged or incomplete."),
        (encoded(LANDSCAPE, "AVIF")[:900], DamagedFile, "The picture is damaged or incomplete."),
        (encoded(LANDSCAPE, "GIF")[:900], DamagedFile, "The picture is damaged or incomplete."),
        (encoded(LANDSCAPE[:1, :1], "PNG"), TooSmall, "The picture is 1 x 1 pixels; each side must have"),
        (png_of_zeros(65_535, 1), TooSmall, "The picture is 65535 x 1 pixels; each side must have"),
        (png_of_zeros(65_536, 5), TooManyPixels, "The picture is 65536 x 5 pixels; no side may have"),
        (png_of_zeros(40_000, 40_000, rows=9), TooManyPixels, "40000 x 40000 pixels; at most 120 megapixels"),
        (png_of_zeros(20_000, 10_000, rows=9), TooManyPixels, "20000 x 10000 pixels; at most 120 megapixels"),
        (webp_claim(16_383, 16_383), TooManyPixels, "16383 x 16383 pixels; at most 120 megapixels"),
        (bmp_claim(50_000, 50_000), TooManyPixels, "50000 x 50000 pixels; at most 120 megapixels"),
    ],
)  # fmt: skip
def test_unusable_file_is_refused_by_name(
    data: bytes, error: type[NotFingerprintable], sentence: str
) -> None:
    with pytest.raises(error) as raised:
        decode_picture(data)
    assert type(raised.value) is error
    assert sentence in str(raised.value)


def test_file_with_too_many_bytes_is_refused() -> None:
    with pytest.raises(FileTooLarge, match="more than 1 MiB"):
        decode_picture(bytes(2**20 + 1), limits=DecodeLimits(max_bytes=2**20))


def test_floating_point_picture_is_refused() -> None:
    with pytest.raises(UnknownFormat, match="not shown alike"):
        decode_picture(encoded(Image.new("F", (9, 9)), "TIFF"))


def test_want_of_memory_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_memory(*arguments: object) -> None:
        raise MemoryError

    monkeypatch.setattr(turbo, "_pixels", no_memory)
    with pytest.raises(DecoderCrashed, match="more memory"):
        decode_picture(jpeg())


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_damaged_bytes_give_a_picture_or_a_named_error(data: st.DataObject) -> None:
    # Given a small file of any format with a few bytes changed
    small = picture("landscape", 40, 30)
    image_format = data.draw(st.sampled_from(["JPEG", "PNG", "WEBP", "AVIF", "GIF", "BMP", "TIFF"]))
    file = bytearray(encoded(small, image_format))
    for _ in range(data.draw(st.integers(1, 6))):
        file[data.draw(st.integers(0, len(file) - 1))] = data.draw(st.integers(0, 255))

    # Then nothing but a named error comes out of it
    with contextlib.suppress(NotFingerprintable):
        decode_picture(bytes(file), limits=DecodeLimits(max_pixels=1_000_000)).pixels()
