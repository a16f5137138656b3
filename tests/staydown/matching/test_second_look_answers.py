"""What a child answers is checked in every field: a child that was taken over cannot reach beyond a file."""

from __future__ import annotations

import base64
import json

import numpy as np
import pytest

from staydown.fingerprint import DamagedFile
from staydown.fingerprint.answers import pack_refusal
from staydown.fingerprint.frames import BrokenAnswer
from staydown.matching.second_look_answers import (
    pack_features,
    pack_pixels,
    unpack_features,
    unpack_pixels,
)
from staydown.matching.second_look_features import MAX_POINTS, MOST_SMALL_PIXELS, Features


def _features(count=3):
    rng = np.random.default_rng(1)
    points = rng.uniform(0, 300, (count, 2)).astype(np.float32)
    return Features(900, 600, points, rng.integers(0, 256, (count, 32), np.uint8))


def _text(array):
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


@pytest.mark.parametrize("count", [0, 1, MAX_POINTS])
def test_features_come_back_as_they_were(count):
    # Given the corners of two turns
    given = (_features(count), _features(count))

    # When they travel
    back = unpack_features(pack_features(given), count=2)

    # Then nothing has changed, and OpenCV may write to them
    for before, after in zip(given, back, strict=True):
        assert (after.width, after.height) == (900, 600)
        assert np.array_equal(after.points, before.points)
        assert np.array_equal(after.codes, before.codes)
        assert after.codes.flags.writeable


def test_pixels_come_back_as_they_were():
    pixels = np.random.default_rng(1).integers(0, 256, (MOST_SMALL_PIXELS // 300, 300, 3), np.uint8)
    assert np.array_equal(unpack_pixels(pack_pixels(pixels)), pixels)


def test_refusal_comes_back_as_an_error():
    for unpacked in (
        unpack_features(pack_refusal(DamagedFile()), count=1),
        unpack_pixels(pack_refusal(DamagedFile())),
    ):
        assert isinstance(unpacked, DamagedFile)


def _answer(**changes):
    return {
        "width": 900,
        "height": 600,
        "sets": [[_text(_features().points), _text(_features().codes)]],
    } | changes


def _one(points, codes):
    return _answer(sets=[[points, codes]])


POINTS, CODES = _features().points, _features().codes
LIES = {
    "no JSON": b"\xff",
    "a list": [],
    "nothing": {},
    "no width": {"height": 600, "sets": []},
    "a width of nothing": _answer(width=0),
    "a negative width": _answer(width=-900),
    "a width in words": _answer(width="900"),
    "no turn": _answer(sets=[]),
    "two turns": _answer(sets=_answer()["sets"] * 2),
    "a turn in words": _answer(sets=["ab"]),
    "more codes than corners": _one(_text(POINTS), _text(_features(4).codes)),
    "half a code": _one(_text(POINTS), _text(CODES)[:40]),
    "half a corner": _one(_text(POINTS.ravel()[:5]), _text(CODES)),
    "corners that are no text": _one([1, 2], _text(CODES)),
    "corners in no base64": _one("%%%%", _text(CODES)),
    "a corner far outside": _one(_text(POINTS + 1000), _text(CODES)),
    "a corner before the beginning": _one(_text(POINTS - 1000), _text(CODES)),
    "a corner that is no number": _one(_text(POINTS * np.float32("nan")), _text(CODES)),
    "a corner at infinity": _one(_text(POINTS * np.float32("inf")), _text(CODES)),
    "too many corners": json.loads(pack_features([_features(MAX_POINTS + 1)])),
    "a refusal that does not exist": {"refused": "because", "sentence": "Because."},
    "a refusal with control characters": {"refused": "damaged-file", "sentence": "\x1b[2J"},
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_answer_of_another_form_is_broken(lie):
    body = lie if isinstance(lie, bytes) else json.dumps(lie).encode()
    with pytest.raises(BrokenAnswer):
        unpack_features(body, count=1)


@pytest.mark.parametrize(
    "lie",
    [
        {"width": 2, "height": 2, "rgb": _text(np.zeros(11, np.uint8))},
        {"width": 0, "height": 2, "rgb": ""},
        {"width": 1, "height": 240_001, "rgb": _text(np.zeros(3 * 240_001, np.uint8))},
        {"width": 2, "height": 2},
    ],
    ids=["too few pixels", "no width", "too many pixels", "no pixels"],
)
def test_pixels_of_another_form_are_broken(lie):
    with pytest.raises(BrokenAnswer):
        unpack_pixels(json.dumps(lie).encode())
