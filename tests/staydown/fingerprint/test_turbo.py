"""The quick way through libjpeg-turbo gives Pillow's pixels; the reduced way gives nearly the same codes."""

import io

import numpy as np
import pytest
from PIL import Image

from staydown.fingerprint import DamagedFile, DecodeLimits, decode_picture, turbo
from staydown.fingerprint.headers import jpeg as headers
from staydown.fingerprint.headers.jpeg import JpegHeader
from staydown.fingerprint.kernel import Method
from staydown.fingerprint.turbo import step_of
from tests.staydown.fingerprint.comparing import codes_of, most_bits_apart
from tests.staydown.fingerprint.files import as_stored, encoded, exif_orientation, jpeg
from tests.staydown.fingerprint.pictures import picture

LIMITS = DecodeLimits()

SUBSAMPLINGS = ("4:4:4", "4:2:2", "4:2:0")
KINDS = [{}, {"progressive": True}, {"quality": 20}, {"keep_rgb": True}, {"restart_marker_rows": 1}]
SIZES = [(320, 240), (333, 77)]


def read_jpeg(data: bytes) -> JpegHeader:
    return headers.read_jpeg(data, max_parts=1000)


def _turbo(data: bytes, step: int = 1) -> np.ndarray:
    pixels = turbo._pixels(data, read_jpeg(data), step)
    assert pixels is not None
    return pixels


@pytest.mark.parametrize("subsampling", SUBSAMPLINGS)
@pytest.mark.parametrize("options", KINDS, ids=str)
@pytest.mark.parametrize("size", SIZES)
def test_quick_way_gives_the_pixels_of_pillow(
    subsampling: str, options: dict[str, object], size: tuple[int, int]
) -> None:
    # Given a JPEG of some kind
    if "keep_rgb" in options and subsampling != "4:4:4":
        pytest.skip("RGB is not subsampled")
    data = jpeg(*size, subsampling=subsampling, **options)

    # When it takes the quick way, Then its pixels are those of Pillow
    assert np.array_equal(_turbo(data), np.asarray(Image.open(io.BytesIO(data))))


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"quality": 20}], ids=str)
@pytest.mark.parametrize("size", SIZES)
def test_grey_takes_the_quick_way_and_gives_the_pixels_of_pillow(
    options: dict[str, object], size: tuple[int, int]
) -> None:
    data = encoded(Image.fromarray(picture("landscape", *size)).convert("L"), "JPEG", **options)
    assert np.array_equal(_turbo(data)[:, :, 0], np.asarray(Image.open(io.BytesIO(data))))


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("step", [2, 4, 8])
@pytest.mark.parametrize("size", [(320, 240), (333, 77), (97, 401)])
def test_reduced_picture_has_a_pixel_for_each_begun_block(
    size: tuple[int, int], step: int, mode: str
) -> None:
    # Given a JPEG, with and without a ragged edge
    data = encoded(Image.fromarray(picture("landscape", *size)).convert(mode), "JPEG", quality=95)

    # When it is reduced
    reduced = _turbo(data, step)

    # Then each pixel is near the mean of its block; also of the last ones, which the edge cuts
    full = np.asarray(Image.open(io.BytesIO(data))).reshape(size[1], size[0], -1)
    assert reduced.shape[:2] == (-(-size[1] // step), -(-size[0] // step))
    means = np.array(
        [
            [full[y : y + step, x : x + step].mean(axis=(0, 1)) for x in range(0, size[0], step)]
            for y in range(0, size[1], step)
        ]
    )
    assert np.abs(reduced - means).mean() < 6


@pytest.mark.parametrize(
    ("width", "height", "step"),
    [
        (4000, 3000, 4),
        (4096, 4096, 8),
        (4089, 4089, 8),  # 512 blocks, the last ones cut
        (4088, 4096, 4),
        (1024, 1024, 2),
        (1022, 1024, 1),
        (640, 480, 1),
        (12_000, 9_000, 8),
    ],
)
def test_picture_is_reduced_as_far_as_both_sides_keep_512(width: int, height: int, step: int) -> None:
    assert step_of(_header(width, height), limits=LIMITS) == step


def _header(width: int, height: int, orientation: int = 1):
    data = encoded(Image.new("L", (16, 16)), "JPEG", exif=exif_orientation(orientation))
    header = read_jpeg(data)
    return type(header)(width, height, 8, 1, orientation, None, (), b"", 0)


@pytest.mark.parametrize(
    ("orientation", "of_ragged_width", "of_ragged_height"),
    [(1, 4, 4), (2, 1, 4), (3, 1, 1), (4, 4, 1), (5, 4, 4), (6, 4, 1), (7, 1, 1), (8, 1, 4)],
)
def test_cut_block_never_comes_to_the_front(
    orientation: int, of_ragged_width: int, of_ragged_height: int
) -> None:
    # Given pictures one of whose sides is odd: its last block is cut at every step
    # Then they are reduced only where turning leaves that edge at the end
    assert step_of(_header(4001, 3000, orientation), limits=LIMITS) == of_ragged_width
    assert step_of(_header(4000, 3001, orientation), limits=LIMITS) == of_ragged_height
    assert step_of(_header(4002, 3002, orientation), limits=LIMITS) in (2, 4)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("size", [(1056, 1040), (1059, 1041)], ids=str)
@pytest.mark.parametrize("options", [{}, {"progressive": True}], ids=["baseline", "progressive"])
def test_reduced_decode_keeps_the_codes_within_four_bits(
    size: tuple[int, int], orientation: int, options: dict[str, object]
) -> None:
    # Given a photo of a camera held in some way
    stored = as_stored(picture("landscape", *size, seed=3), orientation)
    data = encoded(stored, "JPEG", quality=85, exif=exif_orientation(orientation), **options)

    # When it is decoded whole and reduced
    whole, reduced = decode_picture(data), decode_picture(data, reduce=True)

    # Then the size told is the same, and the eight codes are at most four bits apart
    assert (reduced.width, reduced.height, whole.step) == (whole.width, whole.height, 1)
    assert reduced.step == 2 or size == (1059, 1041)
    assert most_bits_apart(codes_of(reduced), codes_of(whole, method=Method.EXACT)) <= 4


def test_grey_picture_is_reduced_too() -> None:
    data = encoded(Image.fromarray(picture("landscape", 1056, 1040)).convert("L"), "JPEG")
    reduced = decode_picture(data, reduce=True)
    assert reduced.step == 2
    assert reduced.pixels().shape == (520, 528, 1)
    whole = codes_of(decode_picture(data), method=Method.EXACT)
    assert most_bits_apart(codes_of(reduced), whole) <= 4


def test_picture_for_printing_comes_whole() -> None:
    data = encoded(Image.fromarray(picture("landscape", 1100, 1100)).convert("CMYK"), "JPEG")
    assert decode_picture(data, reduce=True).step == 1


def test_truncated_file_is_damaged_whether_reduced_or_not() -> None:
    for options in ({}, {"progressive": True}):
        data = jpeg(1056, 1040, **options)
        for end in (len(data) // 3, len(data) * 2 // 3, len(data) - 200):
            for reduce in (False, True):
                with pytest.raises(DamagedFile):
                    decode_picture(data[:end], reduce=reduce)


def test_file_with_a_fault_that_pillow_forgives_comes_whole() -> None:
    # Given a JPEG with two bytes too many before a restart marker, which the strict decoder refuses
    data = jpeg(1056, 1040, restart_marker_rows=1)
    restart = data.index(b"\xff\xd3")
    faulty = data[:restart] + b"\0\0" + data[restart:]

    # Then Pillow reads it
    read = decode_picture(faulty, reduce=True)
    assert read.step == 1
    assert np.array_equal(read.pixels(), decode_picture(data).pixels())


def test_strips_come_again_as_often_as_asked() -> None:
    for reduce in (False, True):
        read = decode_picture(jpeg(1056, 1040, exif=exif_orientation(6)), reduce=reduce)
        first, second = np.concatenate(list(read.strips())), np.concatenate(list(read.strips()))
        assert np.array_equal(first, second)
        assert first.shape[0] == -(-read.height // read.step)
