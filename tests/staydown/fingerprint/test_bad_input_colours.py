"""Every way to store colours gives the picture that a browser shows, or is refused because none is agreed."""

import io
import struct

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageCms

from staydown.fingerprint import DamagedFile, UnknownFormat
from staydown.fingerprint.decode import decode_picture
from tests.staydown.fingerprint.comparing import distance
from tests.staydown.fingerprint.files import encoded
from tests.staydown.fingerprint.odd_files import (
    bmp_rle8_of,
    ink_profile,
    png,
    segment,
    tiff,
    with_segments,
    ycck,
)
from tests.staydown.fingerprint.pictures import Pixels, picture

LAND = picture("landscape", 160, 120, seed=5)
IMAGE = Image.fromarray(LAND)
GREY = np.asarray(IMAGE.convert("L"))
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def _rgb(data: bytes) -> Pixels:
    pixels = decode_picture(data).pixels()
    return np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels


def _wide(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint16]:
    return pixels.astype(np.uint16) * 257


# ---- more or fewer bits --------------------------------------------------------------------------

SAME_COLOURS: dict[str, bytes] = {
    "16-bit RGB PNG": png(LAND, bits=16),
    "interlaced PNG": png(LAND, interlaced=True),
    "interlaced 16-bit PNG": png(LAND, bits=16, interlaced=True),
    "16-bit RGB TIFF": tiff(_wide(LAND)),
    "16-bit RGB TIFF, big-endian": tiff(_wide(LAND), order=">"),
    "BigTIFF": tiff(LAND, is_big=True),
    "32-bit BMP": encoded(IMAGE.convert("RGBA"), "BMP"),
    "TIFF in the order of planes": encoded(LAND, "TIFF", tiffinfo={284: 1}),
}


@pytest.mark.parametrize("kind", SAME_COLOURS)
def test_other_storage_of_colours_gives_the_same_pixels(kind: str) -> None:
    assert np.array_equal(_rgb(SAME_COLOURS[kind]), LAND)


SAME_GREYS: dict[str, bytes] = {
    "16-bit grey PNG": png(GREY[:, :, None], bits=16),
    "16-bit grey TIFF": tiff(_wide(GREY[:, :, None])),
    "16-bit grey TIFF, big-endian": tiff(_wide(GREY[:, :, None]), order=">"),
    "grey TIFF that counts from white": tiff(255 - GREY[:, :, None], photometric=0),
    "grey PNG": encoded(Image.fromarray(GREY), "PNG"),
    "BMP in run lengths": bmp_rle8_of(GREY),
    "grey BMP": encoded(Image.fromarray(GREY), "BMP"),
}


@pytest.mark.parametrize("kind", SAME_GREYS)
def test_other_storage_of_greys_gives_the_same_pixels(kind: str) -> None:
    assert np.array_equal(_rgb(SAME_GREYS[kind])[:, :, 0], GREY)


@pytest.mark.parametrize("channels", [2, 4])
@pytest.mark.parametrize("bits", [8, 16])
def test_alpha_of_eight_and_sixteen_bits_lies_over_white(bits: int, channels: int) -> None:
    # Given greys or colours, the left half of them transparent
    alpha = np.where(np.arange(160) < 80, 0, 255).astype(np.uint8) * np.ones((120, 1), np.uint8)
    colours = GREY[:, :, None] if channels == 2 else LAND
    found = _rgb(png(np.dstack([colours, alpha]), bits=bits))

    # Then that half is white, and the other untouched
    assert (found[:, :80] == 255).all()
    assert np.array_equal(found[:, 80:, : channels - 1], colours[:, 80:])


@pytest.mark.parametrize("bits", [1, 8, 16])
def test_palette_and_few_bits_give_their_colours(bits: int) -> None:
    black_and_white = np.where(GREY > 127, 255, 0).astype(np.uint8)
    found = _rgb(png(black_and_white[:, :, None], bits=bits))
    assert np.array_equal(found[:, :, 0], black_and_white)


@pytest.mark.parametrize("image_format", ["PNG", "GIF", "BMP", "TIFF"])
@pytest.mark.parametrize("colours", [2, 4, 16, 256])
def test_palette_of_any_length_gives_its_colours(image_format: str, colours: int) -> None:
    image = IMAGE.quantize(colours)
    assert np.array_equal(_rgb(encoded(image, image_format)), np.asarray(image.convert("RGB")))


@pytest.mark.parametrize("transparent", [0, bytes([0, 128, 255])], ids=["one colour", "three levels"])
def test_transparent_colours_of_a_palette_lie_over_white(transparent: int | bytes) -> None:
    # Given a palette some of whose colours are transparent
    image = IMAGE.quantize(16)
    found = _rgb(encoded(image, "PNG", transparency=transparent))

    # Then they are mixed with white as much as they are transparent
    first = [0] if isinstance(transparent, int) else list(transparent)
    levels = np.array(first + [255] * (256 - len(first)))
    alpha = levels[np.asarray(image)][:, :, None] / 255
    expected = np.asarray(image.convert("RGB")) * alpha + 255 * (1 - alpha)
    assert np.abs(found - expected).max() <= 1


@pytest.mark.parametrize("image_format", ["PNG", "WEBP", "TIFF", "AVIF"])
def test_alpha_lies_over_white_in_every_format(image_format: str) -> None:
    # Given a picture that fades out to the right
    fading = np.tile(np.linspace(255, 0, 160).astype(np.uint8), (120, 1))
    rgba = np.dstack([LAND, fading])
    options = {"lossless": True, "exact": True} if image_format == "WEBP" else {}
    if image_format == "AVIF":
        options = {"quality": 95}

    # Then white shows through
    alpha = fading[:, :, None] / 255
    expected = LAND * alpha + 255 * (1 - alpha)
    found = _rgb(encoded(rgba, image_format, **options))
    assert np.abs(found - expected).mean() < (2.5 if image_format == "AVIF" else 0.6)


# ---- for printing --------------------------------------------------------------------------------


def _cmyk_jpeg(**options: object) -> bytes:
    return encoded(IMAGE.convert("CMYK"), "JPEG", quality=95, **options)


def test_cmyk_and_ycck_come_out_as_the_picture() -> None:
    # Given the same inks, stored as they are and stored as brightness and two differences
    cmyk = _cmyk_jpeg()
    assert distance(_rgb(cmyk), LAND) <= 16

    # Then what the Adobe segment says decides: the same bytes called YCCK are other colours
    stored = np.asarray(Image.open(io.BytesIO(ycck(cmyk))).convert("RGB"))
    assert np.array_equal(_rgb(ycck(cmyk)), stored)
    assert not np.array_equal(stored, _rgb(cmyk))


@pytest.mark.parametrize("profile", [None, SRGB, b"no profile at all"], ids=["none", "of RGB", "broken"])
def test_cmyk_without_a_profile_of_its_own_is_read_the_simple_way(profile: bytes | None) -> None:
    options = {} if profile is None else {"icc_profile": profile}
    assert np.array_equal(_rgb(_cmyk_jpeg(**options)), _rgb(_cmyk_jpeg()))


@pytest.mark.parametrize("image_format", ["JPEG", "TIFF"])
def test_profile_of_inks_is_followed(image_format: str) -> None:
    # Given four inks, and profiles that show only one of them
    inks = np.random.default_rng(3).integers(0, 255, (15, 20, 4)).repeat(8, 0).repeat(8, 1).astype(np.uint8)
    image = Image.fromarray(inks, "CMYK")
    options = {"quality": 100} if image_format == "JPEG" else {}

    # Then the picture is that ink
    for black_only, ink in ((True, inks[:, :, 3]), (False, inks[:, :, 0])):
        profile = ink_profile(black_only)
        found = _rgb(encoded(image.copy(), image_format, icc_profile=profile, **options)).astype(int)
        assert np.abs(found.max(axis=2) - found.min(axis=2)).max() <= 12  # grey
        assert np.corrcoef(found[:, :, 0].ravel(), 255 - ink.ravel().astype(int))[0, 1] > 0.97


def test_cmyk_tiff_comes_out_as_the_picture() -> None:
    found = _rgb(encoded(IMAGE.convert("CMYK"), "TIFF", compression="tiff_lzw"))
    assert np.abs(found.astype(int) - LAND).mean() < 2


def test_jpeg_of_twelve_bits_is_refused_by_name() -> None:
    data = bytearray(encoded(IMAGE, "JPEG"))
    data[data.index(b"\xff\xc0") + 4] = 12
    with pytest.raises(UnknownFormat, match="12 bits a sample"):
        decode_picture(bytes(data))


@pytest.mark.parametrize("components", [2, 5, 9, 255])
def test_jpeg_of_another_number_of_colours_is_refused_by_name(components: int) -> None:
    data = bytearray(encoded(IMAGE, "JPEG"))
    data[data.index(b"\xff\xc0") + 9] = components
    with pytest.raises(DamagedFile):
        decode_picture(bytes(data))


# ---- without an agreed meaning -------------------------------------------------------------------

UNAGREED: dict[str, bytes] = {
    "float TIFF": tiff(GREY[:, :, None].astype(np.float32) / 255, sample_format=3),
    "float TIFF, big-endian": tiff(GREY[:, :, None].astype(np.float32), order=">", sample_format=3),
    "TIFF of negative values": tiff(GREY[:, :, None].astype(np.int32) - 400, sample_format=2),
    "Lab TIFF": encoded(Image.new("LAB", (40, 30)), "TIFF"),
}


@pytest.mark.parametrize("kind", UNAGREED)
def test_values_without_an_agreed_brightness_are_refused_by_name(kind: str) -> None:
    with pytest.raises(UnknownFormat, match="not shown alike everywhere"):
        decode_picture(UNAGREED[kind])


# ---- profiles ------------------------------------------------------------------------------------


def _renamed(profile: bytes, name: str) -> bytes:
    return profile.replace("sRGB".encode("utf-16-be"), name.encode("utf-16-be"))


def _exchanging() -> bytes:
    """A profile called sRGB that says the first channel is green and the second red."""
    profile = bytearray(SRGB)
    at_red, at_green = profile.index(b"rXYZ"), profile.index(b"gXYZ")
    profile[at_red : at_red + 4], profile[at_green : at_green + 4] = b"gXYZ", b"rXYZ"
    return bytes(profile)


def _claiming(size: int) -> bytes:
    return struct.pack(">I", size) + SRGB[4:]


HOSTILE_PROFILES: dict[str, bytes] = {
    "cut off": SRGB[:200],
    "cut off in its table": SRGB[:131],
    "garbage": np.random.default_rng(1).bytes(5000),
    "zeros": bytes(5000),
    "one byte": b"\1",
    "claims four gigabytes": _claiming(0xFFFFFFFF),
    "claims nothing": _claiming(0),
    "thousands of tags": SRGB[:128] + struct.pack(">I", 0x0FFFFFFF) + SRGB[132:],
    "tags that point outside": SRGB[:132] + b"".join(
        struct.pack(">4sII", SRGB[at : at + 4], 0xFFFFFF00, 0xFFFF) for at in range(132, 132 + 12 * 9, 12)
    ),
    "of greys": SRGB.replace(b"RGB XYZ ", b"GRAYXYZ "),
    "of inks": SRGB.replace(b"RGB XYZ ", b"CMYKLab "),
    "of Lab": SRGB.replace(b"RGB XYZ ", b"Lab XYZ "),
    "of fifteen colours": SRGB.replace(b"RGB XYZ ", b"FCLRXYZ "),
    "a device link": SRGB.replace(b"mntr", b"link"),
    "a named-colour profile": SRGB.replace(b"mntr", b"nmcl"),
    "curves without end": SRGB.replace(b"curv", b"curv\0\0\0\0\x7f\xff\xff\xff"[:4])[:400] + b"\x7f" * 300,
    "too large": SRGB + bytes(5 << 20),
}  # fmt: skip


@pytest.mark.parametrize("image_format", ["PNG", "JPEG", "TIFF", "WEBP", "AVIF"])
@pytest.mark.parametrize("kind", HOSTILE_PROFILES)
def test_hostile_profile_does_not_hide_a_picture(kind: str, image_format: str) -> None:
    # Given a picture with a profile that is none, or speaks of other colours
    options = {"lossless": True} if image_format == "WEBP" else {}
    plain = encoded(LAND, image_format, **options)
    try:
        data = encoded(LAND, image_format, icc_profile=HOSTILE_PROFILES[kind], **options)
    except (ValueError, RuntimeError):
        pytest.skip("Pillow does not write it")

    # Then it is the picture without
    assert distance(_rgb(data), _rgb(plain)) <= 2


def test_profile_in_parts_without_end_does_not_hide_a_picture() -> None:
    parts = [segment(0xE2, b"ICC_PROFILE\0" + bytes((n, 255)) + bytes(60_000)) for n in range(1, 256)]
    data = encoded(IMAGE, "JPEG")
    assert np.array_equal(_rgb(with_segments(data, *parts)), _rgb(data))


@pytest.mark.parametrize("image_format", ["PNG", "JPEG", "TIFF"])
def test_what_a_profile_does_counts_not_what_it_is_called(image_format: str) -> None:
    # Given a picture stored with red and green exchanged, and a profile called sRGB that puts them right
    exchanged = np.ascontiguousarray(LAND[:, :, [1, 0, 2]])
    options = {"quality": 98, "subsampling": 0} if image_format == "JPEG" else {}
    data = encoded(exchanged, image_format, icc_profile=_exchanging(), **options)

    # Then the colours come out as a browser shows them
    assert np.abs(_rgb(data).astype(int) - LAND).mean() < 2


def test_srgb_by_another_name_changes_nothing() -> None:
    data = encoded(LAND, "PNG", icc_profile=_renamed(SRGB, "Test"))
    assert np.array_equal(_rgb(data), LAND)
