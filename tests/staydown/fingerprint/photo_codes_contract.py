"""One test class for every implementation of `photo_codes`: the native kernel and the readable reference."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from staydown.fingerprint.errors import TooManyPixels, TooSmall
from staydown.fingerprint.kernel import PhotoCodes
from tests.staydown.fingerprint.judge import Codes, pdqhash_codes
from tests.staydown.fingerprint.pictures import KINDS, Pixels, picture

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "pdq.json").read_text())["vectors"]

# Either side of every place where the filter's width, the grid or the scale policy changes, and odd shapes.
SIZES = (
    *((side, side) for side in (5, 6, 7, 63, 64, 65, 127, 128, 129, 255, 256, 257, 511, 512, 513)),
    *((5, 300), (300, 5), (127, 640), (640, 127), (1000, 37), (37, 1000), (1025, 769)),
)


def plain(codes: PhotoCodes) -> Codes:
    """512 bytes and two qualities, as judge.py has them."""
    return codes.pdq.codes + codes.pdq512.codes, (codes.pdq.quality, codes.pdq512.quality)


class PhotoCodesContract:
    """Subclasses set the function under test."""

    photo_codes: ClassVar[Callable[[Pixels], PhotoCodes]]

    @pytest.mark.parametrize(("width", "height"), SIZES)
    @pytest.mark.parametrize("kind", KINDS[:4])
    def test_codes_and_qualities_equal_pdqhash(self, kind: str, width: int, height: int) -> None:
        # Given a generated picture
        pixels = picture(kind, width, height, seed=width + 3 * height)

        # Then all sixteen codes and both qualities are those of pdqhash
        assert plain(type(self).photo_codes(pixels)) == pdqhash_codes(pixels)

    # Inherited by both implementations on purpose, hence the health check that is switched off.
    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.differing_executors])
    @given(
        width=st.integers(5, 150),
        height=st.integers(5, 150),
        kind=st.sampled_from(KINDS),
        seed=st.integers(0, 1000),
    )
    def test_any_small_picture_equals_pdqhash(self, width: int, height: int, kind: str, seed: int) -> None:
        pixels = picture(kind, width, height, seed=seed)
        assert plain(type(self).photo_codes(pixels)) == pdqhash_codes(pixels)

    @pytest.mark.parametrize("vector", VECTORS, ids=lambda v: "-".join(map(str, v["picture"].values())))
    def test_stored_vectors_still_hold(self, vector: dict[str, dict[str, object]]) -> None:
        # Given a vector that another language may use too
        pixels = picture(**vector["picture"])  # type: ignore[arg-type]

        # When its codes are computed
        codes, qualities = plain(type(self).photo_codes(pixels))

        # Then they are the stored ones
        hexes = [codes[at : at + 32].hex() for at in range(0, len(codes), 32)]
        assert hexes[:8] == vector["pdq"]["codes"]
        assert hexes[8:] == vector["pdq512"]["codes"]
        assert qualities == (vector["pdq"]["quality"], vector["pdq512"]["quality"])

    @pytest.mark.parametrize("channels", [1, 4])
    def test_luma_and_four_channels_equal_rgb(self, channels: int) -> None:
        # Given the same picture as grey RGB, as one channel, and with a fourth channel that means nothing
        grey = picture("landscape", 600, 301)[:, :, :1]
        rgb = np.ascontiguousarray(np.repeat(grey, 3, axis=2))
        noise = picture("noise", 600, 301)[:, :, :1]
        other = grey if channels == 1 else np.dstack([rgb, noise])

        # Then the codes are the same
        assert type(self).photo_codes(np.ascontiguousarray(other)) == type(self).photo_codes(rgb)

    @pytest.mark.parametrize(("width", "height"), [(1, 1), (4, 100), (100, 4), (65_535, 1)])
    def test_too_small_picture_is_refused(self, width: int, height: int) -> None:
        with pytest.raises(TooSmall, match="at least 5"):
            type(self).photo_codes(np.zeros((height, width, 3), np.uint8))

    @pytest.mark.parametrize(("width", "height"), [(65_536, 5), (5, 65_536)])
    def test_too_long_side_is_refused(self, width: int, height: int) -> None:
        with pytest.raises(TooManyPixels, match="65535"):
            type(self).photo_codes(np.zeros((height, width, 1), np.uint8))
