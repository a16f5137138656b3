"""Colour rules are chosen once a picture; that they give a browser's pixels is shown in test_decode.py."""

import pytest
from PIL import Image

from staydown.fingerprint import UnknownFormat
from staydown.fingerprint.colour import as_it_is, colour_rule


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_plain_pixels_need_no_conversion(mode: str) -> None:
    assert colour_rule(Image.new(mode, (9, 9))) is as_it_is


@pytest.mark.parametrize(
    "mode", ["1", "P", "LA", "La", "PA", "RGBA", "RGBa", "CMYK", "YCbCr", "I;16", "I;16B"]
)
def test_every_other_mode_becomes_luma_or_rgb(mode: str) -> None:
    image = Image.new(mode, (9, 9))
    assert colour_rule(image)(image.crop((0, 2, 9, 5))).mode in ("L", "RGB")


@pytest.mark.parametrize("mode", ["F", "LAB"])
def test_mode_without_agreed_brightness_is_refused(mode: str) -> None:
    with pytest.raises(UnknownFormat):
        colour_rule(Image.new(mode, (9, 9)))
