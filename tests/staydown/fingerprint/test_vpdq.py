"""vPDQ goes out as others write it and comes in from all of them. The vectors are by make_vpdq.py."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from staydown.fingerprint import Algorithm, Fingerprint, MalformedFingerprint
from staydown.fingerprint.video import fingerprint_video
from staydown.fingerprint.video_terms import FrameFingerprint, VideoReading
from staydown.fingerprint.vpdq import (
    VpdqFeature,
    distinct_frames,
    features_of,
    from_text,
    to_lines,
    to_signal,
)
from staydown.matching.video import FrameCodes, match_frames
from tests.staydown.fingerprint.films import film, scenes, turned

VECTORS = Path(__file__).parents[2] / "vectors" / "vpdq"
ROWS: list[dict[str, Any]] = json.loads((VECTORS / "features.json").read_text())
HEX = "0f" * 32


def _read(name: str) -> tuple[VpdqFeature, ...]:
    return from_text((VECTORS / name).read_text())


def _reading(frames: tuple[FrameFingerprint, ...]) -> VideoReading:
    return VideoReading(
        duration_seconds=7.0, width=192, height=108, frames=frames, looked_at=7, broke_off=False
    )


# ---- the same codes as vpdq -----------------------------------------------------------------------------


def test_frames_have_the_codes_that_vpdq_gives_them() -> None:
    # Given a film and what `vpdq` 0.2.5 made of it
    video = fingerprint_video(VECTORS / "film.mp4", derive="plain")

    # Then each kept frame is one of its features, at the same time, with the same quality
    features = {row["seconds"]: row for row in ROWS}
    assert len(video.frames) >= 5
    for frame in video.frames:
        row = features[frame.at_seconds]
        differing = int.from_bytes(frame.fingerprint.code) ^ int(row["hex"], 16)
        # Equal in every bit where FFmpeg's conversion has the same arithmetic; others may round differently.
        assert differing.bit_count() <= 2
        assert abs(frame.fingerprint.quality - row["quality"]) <= 1


def test_features_that_are_not_kept_are_near_a_kept_one_or_flat() -> None:
    kept = [frame.fingerprint.code for frame in fingerprint_video(VECTORS / "film.mp4").frames]
    for row in ROWS:
        nearest = min((int.from_bytes(code) ^ int(row["hex"], 16)).bit_count() for code in kept)
        assert nearest <= 31 or row["quality"] < 50


# ---- in -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["lines.txt", "command.txt", "signal.json", "older.json"])
def test_what_others_wrote_is_read(name: str) -> None:
    features = _read(name)
    assert [one.fingerprint.hex for one in features] == [row["hex"] for row in ROWS]
    assert [one.fingerprint.quality for one in features] == [row["quality"] for row in ROWS]
    assert [one.at_seconds for one in features] == pytest.approx([row["seconds"] for row in ROWS], abs=0.01)
    numbers = (
        [row["frame"] for row in ROWS] if name in ("lines.txt", "older.json") else list(range(len(ROWS)))
    )
    assert [one.frame_number for one in features] == numbers


def test_times_with_three_digits_are_read_as_threatexchange_wrote_them() -> None:
    # Given the times 1.0, 12.345, 123.456 and 1234.5 in the form that ThreatExchange gives them
    text = json.dumps([f"{HEX},80,{seconds}" for seconds in ("1.0", "12.3", "1.23e+02", "1.23e+03")])
    assert [one.at_seconds for one in from_text(text)] == [1.0, 12.3, 123.0, 1230.0]


def test_nothing_is_read_from_nothing() -> None:
    for text in ("", "\n \n", "[]", "{}"):
        assert from_text(text) == ()


@pytest.mark.parametrize(
    "text",
    [
        "hello",
        f"{HEX},80",
        f"0,80,{HEX},0.0,more",
        f"{HEX[:-1]},80,0.0",
        f"{HEX},101,0.0",
        f"{HEX},-1,0.0",
        f"{HEX},many,0.0",
        f"{HEX},80,-1.0",
        f"{HEX},80,nan",
        f"{HEX},80,inf",
        f"{HEX},80,1e300",
        f"{HEX},80,now",
        f"x,80,{HEX},0.0",
        '["x"]',
        "[1]",
        "[null]",
        '{"0": 1}',
        '{"0": {"hash": "x"}}',
        json.dumps({"a": {"quality": 80, "hash": HEX, "timestamp": 0}}),
        '["',
        "[" * 100_000,
    ],
)
def test_text_of_another_form_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(MalformedFingerprint) as raised:
        from_text(text)
    assert HEX not in str(raised.value)
    assert len(str(raised.value)) < 100


def test_number_of_the_broken_feature_is_told() -> None:
    with pytest.raises(MalformedFingerprint, match="Feature 3"):
        from_text(f"{HEX},80,0.0\n\n{HEX},80,1.0\nx,y,z\n")


def test_text_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("staydown.fingerprint.vpdq.MAX_FEATURES", 3)
    from_text(f"{HEX},80,0.0\n" * 3)
    with pytest.raises(MalformedFingerprint, match="at most 3"):
        from_text(f"{HEX},80,0.0\n" * 4)
    monkeypatch.setattr("staydown.fingerprint.vpdq._MAX_CHARACTERS", 100)
    with pytest.raises(MalformedFingerprint, match="at most 3"):
        from_text(" " * 101)


def test_imported_features_become_few_distinct_frames() -> None:
    # Given features in disorder, some flat and some near-duplicates
    features = tuple(reversed(_read("lines.txt")))
    frames = distinct_frames(features)

    # Then what is kept is what we keep of the film itself
    ours = fingerprint_video(VECTORS / "film.mp4", derive="plain").frames
    assert [frame.at_seconds for frame in frames] == [frame.at_seconds for frame in ours]
    assert len(distinct_frames(features, max_frames=2)) == 2
    assert all(frame.fingerprint.quality >= 50 for frame in frames)


def test_imported_video_matches_ours() -> None:
    entry = FrameCodes.of(_reading(distinct_frames(_read("signal.json"))))
    match = match_frames(FrameCodes.of(fingerprint_video(VECTORS / "film.mp4", derive="plain")), entry)
    assert match is not None
    assert match.frames == len(entry)
    assert match.distance_bits <= 2


# ---- out ------------------------------------------------------------------------------------------------


def test_lines_are_as_vpdq_writes_them() -> None:
    assert to_lines(_read("lines.txt")) == (VECTORS / "lines.txt").read_text()


def test_signal_is_a_list_that_threatexchange_reads() -> None:
    # Given the fields as ThreatExchange's VpdqCompactFeature.from_str takes them: three, split at commas
    features = [feature.split(",") for feature in json.loads(to_signal(_read("lines.txt")))]
    assert [len(fields) for fields in features] == [3] * len(ROWS)
    for (code, quality, seconds), row in zip(features, ROWS, strict=True):
        assert (code, int(quality)) == (row["hex"], row["quality"])
        assert float(seconds) == pytest.approx(row["seconds"], abs=0.0005)


def test_what_goes_out_comes_in_again() -> None:
    features = features_of(fingerprint_video(film(scenes(1, 2, 3))))
    assert from_text(to_lines(features)) == features
    assert from_text(to_signal(features)) == features


def test_only_the_chosen_codes_go_out_and_say_not_how_they_were_derived() -> None:
    # Given a video with views and mirrored codes
    video = fingerprint_video(film(scenes(1, 2)))

    # Then the whole frames go out, and the mirrored ones if they are asked for
    plain, mirrored = features_of(video), features_of(video, derivations=("full", "fH"))
    assert [one.at_seconds for one in plain] == [0, 1]
    assert [one.at_seconds for one in mirrored] == [0, 0, 1, 1]
    assert {one.fingerprint.derivation for one in mirrored} == {"full"}
    assert [one.frame_number for one in mirrored] == [0, 1, 2, 3]


def test_video_from_a_turned_phone_goes_out_as_vpdq_sees_it_too() -> None:
    # Given a video whose frames are stored sideways, and the same without the note
    data = film(scenes(1))
    sideways = features_of(fingerprint_video(turned(data, degrees=90)))
    [as_stored] = features_of(fingerprint_video(data))

    # Then one of its features is that of the stored frame
    assert len(sideways) == 2
    differing = min(
        (int.from_bytes(one.fingerprint.code) ^ int.from_bytes(as_stored.fingerprint.code)).bit_count()
        for one in sideways
    )
    assert differing <= 31


def test_feature_keeps_its_quality() -> None:
    frame = FrameFingerprint(2.0, Fingerprint(Algorithm.PDQ, bytes(32), 63))
    [feature] = features_of(_reading((frame,)))
    assert (feature.fingerprint.quality, feature.at_seconds) == (63, 2.0)
