"""Edits: repeatable, off the registered grid, and what they say they are. Covers benchmarks.screens too."""

import numpy as np
import pytest

from benchmarks import edits, screens
from staydown.fingerprint import DERIVATION_SETS, Algorithm
from staydown.fingerprint.views import split_derivation


@pytest.fixture(scope="module")
def scene() -> screens.Pixels:
    return screens.painted_scene(np.random.default_rng(5), 480, 360)


def test_there_are_22_families_and_61_uploads() -> None:
    assert len(edits.FAMILIES) == 22
    assert sum(edits.COUNTS.values()) == 61


@pytest.mark.parametrize("family", edits.FAMILIES)
def test_same_photo_family_and_number_give_the_same_bytes(family: str, scene: screens.Pixels) -> None:
    # When an upload is made twice, and once more with another number
    first, again = (edits.upload(scene, "photo", family, 0) for _ in range(2))
    other = edits.upload(scene, "photo", family, 1)

    # Then the first two are equal, the other is not, and both are pictures
    assert first.jpeg == again.jpeg
    assert first.jpeg != other.jpeg or family in {"flip", "quarter turn"}
    assert min(first.pixels().shape[:2]) >= 8


def test_no_crop_uses_a_whole_percentage() -> None:
    # Given many draws
    rng = np.random.default_rng(1)
    percents = np.array([edits.off_grid(rng, 0.0, 0.4) * 100 for _ in range(5000)])

    # Then none is within a tenth of a whole percentage, which is all that sets hold
    assert np.min(np.abs(percents - np.round(percents))) >= edits.OFF_GRID * 100
    views = {split_derivation(name)[0] for name in DERIVATION_SETS["crops64"].derivations[Algorithm.PDQ]}
    assert not [view for view in views if "." in view]


def test_no_aspect_is_a_registered_one() -> None:
    # Given many draws
    rng = np.random.default_rng(2)
    misses = [min(abs(edits.off_aspect(rng) / aspect - 1) for aspect in edits.ASPECTS) for _ in range(2000)]

    # Then none is exact
    assert min(misses) >= 0.0019


def test_crop_to_aspect_is_the_largest_and_lies_where_asked() -> None:
    # Given a picture whose columns are numbered
    pixels = np.broadcast_to(np.arange(200, dtype=np.uint8)[None, :, None], (100, 200, 3))

    # Then a square has the full height and begins at the left end or ends at the right one
    assert edits.crop_to_aspect(pixels, 1.0, 0.0).shape[:2] == (100, 100)
    assert edits.crop_to_aspect(pixels, 1.0, 0.0)[0, 0, 0] == 0
    assert edits.crop_to_aspect(pixels, 1.0, 1.0)[0, -1, 0] == 199


@pytest.mark.parametrize(
    "family", ["border", "letterbox, any", "viewer screenshot", "feed screenshot", "collage"]
)
def test_surroundings_keep_the_picture_in_the_upload(family: str, scene: screens.Pixels) -> None:
    # Given a photo of one rare colour
    red = np.full_like(scene, (250, 5, 90))

    # When it is framed
    framed = edits.FAMILIES[family](red, np.random.default_rng(7))

    # Then a good part of the result has that colour, and not all of it
    share = np.mean(np.all(np.abs(framed.astype(int) - (250, 5, 90)) < 12, axis=2))
    assert 0.04 < share < 1


def test_caption_does_not_run_over_the_picture(scene: screens.Pixels) -> None:
    # Given a caption bar
    for seed in range(20):
        captioned = screens.caption_bar(scene, np.random.default_rng(seed))

        # Then the picture is whole below or above it
        h = len(scene)
        assert np.array_equal(captioned[:h], scene) or np.array_equal(captioned[-h:], scene)
