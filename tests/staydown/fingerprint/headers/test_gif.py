"""The canvas of a GIF is known before its reader reserves it."""

import pytest
from PIL import Image

from staydown.fingerprint.errors import TooManyParts
from staydown.fingerprint.headers.gif import canvases
from tests.staydown.fingerprint.files import encoded
from tests.staydown.fingerprint.odd_files import gif, gif_image, moving
from tests.staydown.fingerprint.pictures import picture


def _sizes(data: bytes) -> list[tuple[int, int]]:
    return [canvas.size for canvas in canvases(data, max_parts=1000)]


def test_each_image_of_an_animation_is_counted() -> None:
    frames = [Image.fromarray(picture(kind, 64, 48)).quantize(16) for kind in ("landscape", "checks", "ramp")]
    assert _sizes(moving(frames, "GIF")) == [(64, 48)] * 3


@pytest.mark.parametrize("options", [{}, {"interlace": 1}, {"comment": b"a" * 600}, {"transparency": 0}])
def test_still_picture_has_one_image(options: dict[str, object]) -> None:
    image = Image.fromarray(picture("landscape", 64, 48)).quantize(16)
    assert _sizes(encoded(image, "GIF", **options)) == [(64, 48)]


def test_image_enlarges_the_canvas() -> None:
    images = (gif_image(0, 0, 5, 5), gif_image(60_000, 2, 5000, 7), gif_image(0, 0, 1, 65_535))
    assert _sizes(gif(10, 20, *images)) == [(10, 20), (65_000, 20), (65_000, 65_535)]


def test_what_was_drawn_on_grows_with_each_image() -> None:
    data = gif(40, 30, gif_image(10, 5, 20, 15), gif_image(12, 6, 4, 4), gif_image(0, 9, 11, 21))
    covered = [canvas.covered for canvas in canvases(data, max_parts=1000)]
    assert covered == [(10, 5, 30, 20), (10, 5, 30, 20), (0, 5, 30, 30)]


def test_broken_file_ends_where_it_makes_no_sense() -> None:
    whole = gif(10, 20, gif_image(0, 0, 5, 5), gif_image(0, 0, 30, 5))
    for end in range(len(whole)):
        assert _sizes(whole[:end]) in ([], [(10, 20)], [(10, 20), (30, 20)])
    assert _sizes(whole[:13] + b"\0\0\0") == []


def test_blocks_without_end_are_refused() -> None:
    endless = gif(10, 20, gif_image(0, 0, 5, 5, blocks=b"\1x" * 1001 + b"\0"))
    with pytest.raises(TooManyParts):
        _sizes(endless)
