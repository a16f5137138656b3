"""The painted pictures are fit for what the demonstration and the tests use them for."""

import itertools

import numpy as np
import pdqhash
import pytest

from examples.forum.pictures import paint, title_of

# The threshold of a near match is 31 bits; unrelated pictures differ by about 128.
CLEARLY_DIFFERENT_BITS = 90


def test_a_seed_always_gives_the_same_picture() -> None:
    assert paint(5, size=(300, 200)).tobytes() == paint(5, size=(300, 200)).tobytes()


def test_every_seed_gives_a_clearly_different_picture_with_enough_detail() -> None:
    # Given every scene several times
    computed = [pdqhash.compute(np.asarray(paint(seed, size=(384, 256)))) for seed in range(36)]

    # Then each may be registered, and no two are taken for copies of each other
    assert min(quality for _, quality in computed) >= 50
    codes = [code for code, _ in computed]
    assert min(int((a != b).sum()) for a, b in itertools.combinations(codes, 2)) > CLEARLY_DIFFERENT_BITS


def test_a_picture_is_rgb_and_of_the_size_asked_for() -> None:
    picture = paint(0)

    assert (picture.size, picture.mode) == ((1200, 800), "RGB")


def test_a_very_large_seed_is_taken() -> None:
    assert paint(2_000_000_000, size=(64, 64)).size == (64, 64)


@pytest.mark.parametrize(("seed", "size"), [(-1, (300, 200)), (0, (63, 200)), (0, (200, 63))])
def test_what_cannot_be_painted_is_refused(seed: int, size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="at least 64 by 64"):
        paint(seed, size=size)


def test_titles_fit_the_scene_and_take_turns() -> None:
    titles = {title_of(seed) for seed in range(24)}

    assert len(titles) == 24
