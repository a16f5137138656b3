"""What a child answers comes out as it went in, and lies are noticed."""

import json
from typing import Any

import pytest

from staydown.fingerprint import DEFAULT_LIMITS, Algorithm, Fingerprint, TooManyPixels
from staydown.fingerprint.answers import (
    pack_photo,
    pack_progress,
    pack_query,
    pack_refusal,
    pack_video,
    unpack_photo,
    unpack_progress,
    unpack_query,
    unpack_video,
)
from staydown.fingerprint.frames import MAX_ANSWER_BYTES, BrokenAnswer
from staydown.fingerprint.media import photo_fingerprints
from staydown.fingerprint.terms import QueryView
from staydown.fingerprint.video_terms import FrameFingerprint, VideoReading
from tests.staydown.fingerprint.files import jpeg

HEX = "0f" * 32


def _code(derivation: str = "full") -> Fingerprint:
    return Fingerprint.from_hex(HEX, quality=77, derivation=derivation)


def _video(frames: int, codes: int) -> VideoReading:
    return VideoReading(
        duration_seconds=90.25,
        width=1280,
        height=720,
        frames=tuple(
            FrameFingerprint(12345.678 + at, _code(f"as9:16-{n}~fH"))
            for at in range(frames)
            for n in range(codes)
        ),
        looked_at=90,
        broke_off=True,
    )


def test_photo_answer_comes_out_as_it_went_in() -> None:
    answer = photo_fingerprints(jpeg(), limits=DEFAULT_LIMITS)
    assert unpack_photo(pack_photo(answer)) == answer


def test_query_answer_comes_out_as_it_went_in() -> None:
    answer = (640, 480, (QueryView("full", _code()), QueryView("strip", _code())))
    assert unpack_query(pack_query(answer)) == answer


def test_largest_video_answer_fits_and_comes_out_as_it_went_in() -> None:
    video = _video(512, 18)
    body = pack_video(video)
    assert len(body) < MAX_ANSWER_BYTES
    assert unpack_video(body) == video


@pytest.mark.parametrize("unpack", [unpack_photo, unpack_query, unpack_video])
def test_refusal_comes_out_as_the_same_error(unpack: Any) -> None:
    refusal = unpack(pack_refusal(TooManyPixels("It is large.")))
    assert type(refusal) is TooManyPixels
    assert str(refusal) == "It is large."


def test_progress_is_told_apart_from_the_answer() -> None:
    assert unpack_progress(pack_progress(0.25)) == 0.25
    assert unpack_progress(b'{"progress": 9}') == 1.0
    assert unpack_progress(pack_video(_video(1, 1))) is None


CODE = ["pdq", "full", 50, HEX]
PHOTO = {"width": 5, "height": 5, "codes": [CODE]}
QUERY = {"width": 5, "height": 5, "views": [["full", *CODE]]}
VIDEO = json.loads(pack_video(_video(1, 1)))
NO_JSON = [b"", b"[]", b"{}", b"null", b"\xff", b"[" * 50_000, b"1" * 50_000]
LIES: list[dict[str, Any]] = [
    {"width": "5"},
    {"width": -1},
    {"width": 65_536},
    {"height": True},
    {"height": 5.0},
    {"refused": "no-such-slug", "sentence": "x"},
    {"refused": "too-small", "sentence": "x" * 501},
    {"refused": "too-small", "sentence": "\x1b[2J"},
    {"refused": "too-small", "sentence": ["x"]},
]
CODE_LIES = [
    ["pdq", "full", 101, HEX],
    ["pdq", "full", True, HEX],
    ["pdq", "full", "50", HEX],
    ["pdq", "full", 50, "00"],
    ["pdq", "full", 50, 7],
    ["md5", "full", 50, HEX],
    ["pdq", "<script>", 50, HEX],
    ["pdq", "full\n", 50, HEX],
    ["pdq", "f" * 33, 50, HEX],
    ["pdq", 7, 50, HEX],
    ["pdq", "full", 50],
    [],
    "pdq",
]


def test_truth_that_the_lies_are_made_of_is_believed() -> None:
    assert isinstance(unpack_photo(json.dumps(PHOTO).encode()), tuple)
    assert isinstance(unpack_query(json.dumps(QUERY).encode()), tuple)
    assert isinstance(unpack_video(json.dumps(VIDEO).encode()), VideoReading)


@pytest.mark.parametrize(
    "body",
    NO_JSON
    + [json.dumps({**PHOTO, **lie}).encode() for lie in LIES]
    + [json.dumps({**PHOTO, "codes": [lie]}).encode() for lie in CODE_LIES]
    + [json.dumps({**PHOTO, "codes": {}}).encode(), json.dumps({**PHOTO, "codes": [CODE] * 16_385}).encode()],
)
def test_photo_answer_of_another_form_is_noticed(body: bytes) -> None:
    with pytest.raises(BrokenAnswer):
        unpack_photo(body)


@pytest.mark.parametrize(
    "body",
    NO_JSON
    + [json.dumps({**QUERY, **lie}).encode() for lie in LIES]
    + [json.dumps({**QUERY, "views": [["full", *lie]]}).encode() for lie in CODE_LIES]
    + [json.dumps({**QUERY, "views": [[7, *CODE]]}).encode()]
    + [json.dumps({**QUERY, "views": [["full", *CODE]] * 257}).encode()],
)
def test_query_answer_of_another_form_is_noticed(body: bytes) -> None:
    with pytest.raises(BrokenAnswer):
        unpack_query(body)


@pytest.mark.parametrize(
    "body",
    NO_JSON
    + [json.dumps({**VIDEO, **lie}).encode() for lie in LIES]
    + [json.dumps({**VIDEO, "frames": [[1.5, *lie]]}).encode() for lie in CODE_LIES]
    + [json.dumps({**VIDEO, "frames": [[at, *CODE]]}).encode() for at in (-1, "1", None, True, 1e9, 10**400)]
    + [json.dumps({**VIDEO, "frames": [[float(at), *CODE]]}).encode() for at in ("nan", "inf")]
    + [json.dumps({**VIDEO, "frames": [[1.5, *CODE]] * 16_385}).encode()]
    + [
        json.dumps({**VIDEO, name: "x"}).encode() for name in ("duration", "looked_at", "broke_off", "frames")
    ],
)
def test_video_answer_of_another_form_is_noticed(body: bytes) -> None:
    with pytest.raises(BrokenAnswer):
        unpack_video(body)


@pytest.mark.parametrize("value", [b'"x"', b"-1", b"NaN", b"true", b"[]"])
def test_progress_of_another_form_is_noticed(value: bytes) -> None:
    with pytest.raises(BrokenAnswer):
        unpack_progress(b'{"progress": %s}' % value)


def test_algorithms_are_those_of_the_terms() -> None:
    for algorithm in Algorithm:
        body = json.dumps({**PHOTO, "codes": [[algorithm.value, "full", 50, HEX]]}).encode()
        assert isinstance(unpack_photo(body), tuple)
