"""A decoded picture gives upright strips, whatever its orientation, as often as asked.

Covers: staydown.fingerprint.readers.
"""

import numpy as np
import pytest
from PIL import Image

from staydown.fingerprint import DecodeLimits, TooManyPixels, decode_picture
from staydown.fingerprint.strips import picture_of_image, picture_of_pixels
from tests.staydown.fingerprint.files import as_stored, encoded, exif_orientation
from tests.staydown.fingerprint.pictures import picture

UPRIGHT = picture("landscape", 61, 47, seed=2)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("rows", [1, 4, 7, 47])
def test_every_cut_is_upright(orientation: int, rows: int) -> None:
    # Given a picture as a camera stores it, as an array and as an image
    stored = as_stored(UPRIGHT, orientation)
    size = (stored.shape[1], stored.shape[0])
    of_pixels = picture_of_pixels(stored, full_size=size, step=1, orientation=orientation, profile=None)
    of_image = picture_of_image(Image.fromarray(stored), orientation=orientation, profile=None)

    # Then whichever rows are cut out, they are those of the upright picture
    for read in (of_pixels, of_image):
        assert (read.width, read.height) == (61, 47)
        for top in range(0, 47, rows):
            assert np.array_equal(read.cut(top, min(47, top + rows)), UPRIGHT[top : top + rows])


@pytest.mark.parametrize("orientation", [1, 6])
def test_strips_join_to_the_picture_and_are_contiguous(
    orientation: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given strips of only a few rows
    monkeypatch.setattr("staydown.fingerprint.strips._STRIP_PIXELS", 61 * 9)
    data = encoded(as_stored(UPRIGHT, orientation), "PNG", exif=exif_orientation(orientation))

    # When they are asked for, twice
    read = decode_picture(data)
    first, second = list(read.strips()), list(read.strips())

    # Then each time they make up the picture
    assert [strip.shape[0] for strip in first] == [8, 8, 8, 8, 8, 7]
    assert all(strip.flags.c_contiguous for strip in first)
    for strips in (first, second):
        assert np.array_equal(np.concatenate(strips), UPRIGHT)


def test_reduced_picture_tells_the_full_size() -> None:
    reduced = np.zeros((6, 8, 3), np.uint8)
    read = picture_of_pixels(reduced, full_size=(61, 47), step=8, orientation=6, profile=None)
    assert (read.width, read.height, read.step) == (47, 61, 8)
    assert read.pixels().shape == (8, 6, 3)


@pytest.mark.parametrize("image_format", ["PNG", "WEBP", "AVIF", "GIF", "BMP", "TIFF"])
def test_size_is_checked_before_pixels_are_decoded(image_format: str) -> None:
    # Given a picture of one pixel more than is allowed, cut off where its pixels begin
    limits = DecodeLimits(max_pixels=61 * 47 - 1)
    data = encoded(UPRIGHT, image_format)
    cut = data if image_format in ("AVIF", "TIFF", "WEBP") else data[: len(data) // 2]

    # Then its size is what is told
    with pytest.raises(TooManyPixels, match="61 x 47"):
        decode_picture(cut, limits=limits)
