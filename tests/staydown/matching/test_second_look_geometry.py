"""Corners agree under one perspective or do not: made-up corners, and perspectives that no copy has."""

from __future__ import annotations

import numpy as np
import pytest

from staydown.matching.second_look_features import LONG_SIDE, TURNS, Features
from staydown.matching.second_look_geometry import best_look
from staydown.matching.second_look_terms import MIN_INLIERS, SecondLook

WIDTH, HEIGHT = LONG_SIDE, 384
FRAME = np.array([(0, 0), (WIDTH, 0), (WIDTH, HEIGHT), (0, HEIGHT)])


def _features(points, codes, *, width=WIDTH, height=HEIGHT):
    return Features(
        width, height, np.ascontiguousarray(points, np.float32), np.ascontiguousarray(codes, np.uint8)
    )


def _codes(count, *, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, 32), np.uint8)


def _points(count):
    return np.random.default_rng(5).uniform((10, 10), (WIDTH - 10, HEIGHT - 10), (count, 2))


def _moved(points, homography):
    lifted = np.column_stack([points, np.ones(len(points))]) @ np.array(homography, float).T
    return lifted[:, :2] / lifted[:, 2:]


def _look(homography, *, count=60):
    """A picture against itself under a perspective; the corners of its other turns agree with nothing."""
    points, codes = _points(count), _codes(count)
    strangers = [_features(points, _codes(count, seed=seed)) for seed in (1, 2, 3)]
    return best_look([_features(points, codes), *strangers], _features(_moved(points, homography), codes))


SHIFTED = [[1, 0, 30], [0, 1, -20], [0, 0, 1]]


def test_corners_that_all_moved_alike_agree_and_tell_where():
    look = _look(SHIFTED)
    assert look.inliers == 60
    assert np.allclose(
        look.outline, [(30, -20), (WIDTH + 30, -20), (WIDTH + 30, HEIGHT - 20), (30, HEIGHT - 20)]
    )
    assert look.covered_share_a == pytest.approx((WIDTH - 30) * (HEIGHT - 20) / (WIDTH * HEIGHT), abs=1e-3)
    assert look.covered_share_b == look.covered_share_a


PLAUSIBLE = {
    "turned": [[0, -1, 400], [1, 0, 0], [0, 0, 1]],
    "a third of the size": [[1 / 3, 0, 50], [0, 1 / 3, 60], [0, 0, 1]],
    "a screen from the side": [[1, 0.1, 0], [0.05, 1, 0], [0.0004, 0, 1]],
    "squeezed to half its width": [[0.5, 0, 0], [0, 1, 0], [0, 0, 1]],
}
IMPLAUSIBLE = {
    "mirrored": [[-1, 0, WIDTH], [0, 1, 0], [0, 0, 1]],
    "squeezed to a line": [[1, 0, 0], [0, 0.02, 100], [0, 0, 1]],
    "far too small": [[0.1, 0, 100], [0, 0.1, 100], [0, 0, 1]],
    "far too large": [[9, 0, 0], [0, 9, 0], [0, 0, 1]],
    "partly behind the viewer": [[1, 0, 0], [0, 1, 0], [-0.004, 0, 1]],
    "all in one place": [[1e-6, 0, 100], [0, 1e-6, 100], [0, 0, 1]],
}


@pytest.mark.parametrize("homography", PLAUSIBLE.values(), ids=PLAUSIBLE)
def test_perspective_that_a_copy_can_have_is_found(homography):
    look = _look(homography)
    assert look.inliers == 60
    assert not look.mirrored
    assert np.allclose(
        look.outline, _moved(np.array([(0, 0), (WIDTH, 0), (WIDTH, HEIGHT), (0, HEIGHT)]), homography), atol=2
    )


@pytest.mark.parametrize("homography", IMPLAUSIBLE.values(), ids=IMPLAUSIBLE)
def test_perspective_that_no_copy_has_is_refused(homography):
    assert not _look(homography).is_likely_copy


def test_corners_that_moved_each_its_own_way_do_not_agree():
    codes = _codes(60)
    a, b = _points(60), np.random.default_rng(9).permutation(_points(60))
    assert not best_look([_features(a, codes)] * 4, _features(b, codes)).is_likely_copy


@pytest.mark.parametrize(("count", "is_likely_copy"), [(MIN_INLIERS, True), (MIN_INLIERS - 1, False)])
def test_ten_corners_are_enough_and_nine_are_not(count, is_likely_copy):
    # Given two pictures of which so many corners agree
    look = _look(SHIFTED, count=count)

    # Then the bound decides, and below it nothing is told but the number
    assert look.inliers == count
    assert look.is_likely_copy is is_likely_copy
    assert (look.outline is not None) is is_likely_copy


def test_outliers_do_not_move_the_outline():
    # Given 40 corners that moved alike, and 40 that went elsewhere
    points, codes = _points(80), _codes(80)
    moved = _moved(points, SHIFTED)
    moved[40:] = np.random.default_rng(3).uniform((0, 0), (WIDTH, HEIGHT), (40, 2))

    # When they are compared
    look = best_look([_features(points, codes)] * 4, _features(moved, codes))

    # Then the 40 are found, and the outline is as if they were alone
    assert 40 <= look.inliers <= 42
    assert np.allclose(look.outline[0], (30, -20), atol=1)


def test_corners_whose_second_best_is_as_near_are_left_out():
    # Given a candidate in which every code is there twice, in two places
    points, codes = _points(60), _codes(60)
    both = _features(np.concatenate([points, points[::-1]]), np.concatenate([codes, codes]))

    # Then none of them is clear
    assert best_look([_features(points, codes)] * 4, both) == SecondLook(0, (WIDTH, HEIGHT), (WIDTH, HEIGHT))


@pytest.mark.parametrize("turn", range(4))
def test_turn_that_agrees_best_is_told(turn):
    # Given a query of which one turn agrees wholly and the plain one a little
    points, codes = _points(60), _codes(60)
    queries = [_features(points, _codes(60, seed=8 + number)) for number in range(4)]
    queries[0] = _features(points[:12], codes[:12])
    queries[turn] = _features(points, codes)

    # When they are compared
    look = best_look(queries, _features(points, codes))

    # Then that turn is told
    assert look.inliers == 60
    assert (look.mirrored, look.inverted) == (TURNS[turn].mirrored, TURNS[turn].inverted)


@pytest.mark.parametrize("count", [0, 1, 2, 7])
def test_too_few_corners_are_no_agreement(count):
    assert _look(SHIFTED, count=count) == SecondLook(0, (WIDTH, HEIGHT), (WIDTH, HEIGHT))


def test_places_are_told_in_full_size_pixels():
    # Given pictures that are eight and two times as large as they were looked at
    points, codes = _points(60), _codes(60)
    a = _features(points, codes, width=WIDTH * 8, height=HEIGHT * 8)
    b = _features(points, codes, width=WIDTH * 2, height=HEIGHT * 2)

    # Then the outline is in pixels of b, and the hulls each in their own
    look = best_look([a] * 4, b)
    assert np.allclose(look.outline, [(0, 0), (1024, 0), (1024, 768), (0, 768)], atol=0.2)
    assert np.allclose(np.max(look.agreeing_a, axis=0), 4 * np.max(look.agreeing_b, axis=0), atol=1)


PLACES = {
    "anywhere": lambda rng, count: rng.uniform(-4, LONG_SIDE + 4, (count, 2)),
    "one place": lambda rng, count: np.repeat(rng.uniform(0, LONG_SIDE, (1, 2)), count, axis=0),
    "a line": lambda rng, count: rng.uniform(0, LONG_SIDE, (count, 1)) * (1, 0.5),
    "a few places": lambda rng, count: rng.integers(0, 3, (count, 2)),
    "a grid": lambda rng, count: rng.integers(0, 9, (count, 2)) * 64,
}


@pytest.mark.parametrize("of_a", PLACES.values(), ids=PLACES)
@pytest.mark.parametrize("of_b", PLACES.values(), ids=PLACES)
def test_no_arrangement_of_corners_brings_it_down(of_a, of_b):
    # Given corners in odd places, in pictures of odd sizes, with the same codes
    rng = np.random.default_rng(11)
    for _ in range(12):
        count = int(rng.integers(0, 50))
        codes = _codes(count)
        (width, height), (wide, high) = rng.choice([1, 5, 200, 3000, 65_535], (2, 2)).tolist()
        a = _features(of_a(rng, count), codes, width=width, height=height)
        b = _features(of_b(rng, count), codes, width=wide, height=high)

        # When they are compared; Then there is an answer whose numbers are numbers
        look = best_look([a] * 4, b)
        assert np.isfinite(look.outline or ()).all()
        assert 0 <= look.covered_share_a <= 1
        assert 0 <= look.covered_share_b <= 1
