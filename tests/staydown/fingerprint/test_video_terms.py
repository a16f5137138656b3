"""A video's codes keep their times, and those without enough detail are not registered."""

from dataclasses import fields

import pytest

from staydown.fingerprint import Digests, Fingerprint, MalformedFingerprint
from staydown.fingerprint.video_terms import (
    FrameFingerprint,
    VideoFingerprints,
    VideoReading,
    frame_derivation,
    parse_frame_derivation,
)


def _frame(at_seconds: float, derivation: str = "full", *, quality: int = 80) -> FrameFingerprint:
    return FrameFingerprint(
        at_seconds, Fingerprint.from_hex("0f" * 32, quality=quality, derivation=derivation)
    )


def _video(*frames: FrameFingerprint) -> VideoFingerprints:
    return VideoFingerprints(
        digests=Digests("a" * 64, "b" * 32),
        duration_seconds=9.0,
        width=640,
        height=480,
        frames=frames,
        looked_at=9,
        broke_off=False,
    )


@pytest.mark.parametrize(
    ("at_seconds", "derivation", "name"),
    [
        (12.5, "full", "@12.500"),
        (12.5, "fH", "@12.500~fH"),
        (0.0, "cc88~fH", "@0.000~cc88~fH"),
        (14_399.9994, "as9:16", "@14399.999~as9:16"),
    ],
)
def test_name_of_a_frames_code_can_be_read_again(at_seconds: float, derivation: str, name: str) -> None:
    assert frame_derivation(at_seconds, derivation) == name
    assert parse_frame_derivation(name) == (round(at_seconds, 3), derivation)


@pytest.mark.parametrize("name", ["full", "cc88~fH", "", "@", "@12", "@12.5", "@12.500~", "@-1.000", "@nan"])
def test_other_names_are_of_no_frame(name: str) -> None:
    assert parse_frame_derivation(name) is None


def test_codes_with_enough_detail_are_registered_under_their_times() -> None:
    video = _video(
        _frame(0.0), _frame(0.0, "fH"), _frame(1.0, quality=49), _frame(2.0, "cc88~fH", quality=50)
    )
    assert [code.derivation for code in video.registrable()] == ["@0.000", "@0.000~fH", "@2.000~cc88~fH"]
    assert {code.hex for code in video.registrable()} == {"0f" * 32}


def test_codes_are_grouped_by_time_in_order() -> None:
    video = _video(_frame(0.0), _frame(0.0, "fH"), _frame(2.0))
    assert [(at, [code.derivation for code in codes]) for at, codes in video.by_time().items()] == [
        (0.0, ["full", "fH"]),
        (2.0, ["full"]),
    ]


@pytest.mark.parametrize("at_seconds", [-0.001, float("nan"), float("inf"), 1e9])
def test_time_outside_a_video_is_refused(at_seconds: float) -> None:
    with pytest.raises(MalformedFingerprint):
        _frame(at_seconds)


def test_reading_and_digests_make_fingerprints() -> None:
    video = _video(_frame(0.0))
    reading = VideoReading(**{field.name: getattr(video, field.name) for field in fields(VideoReading)})
    assert VideoFingerprints.of(reading, video.digests) == video
