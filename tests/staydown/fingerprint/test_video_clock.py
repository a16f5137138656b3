"""Time goes on in a video whatever its timestamps say."""

from fractions import Fraction

import pytest

from staydown.fingerprint.video_clock import VideoClock

TICK = Fraction(1, 1000)


def _times(*stamps: int | None, frames_per_second: float = 10.0, duration: int | None = 100) -> list[float]:
    clock = VideoClock(frames_per_second=frames_per_second, time_base=TICK)
    return [round(clock.at(stamp, duration), 3) for stamp in stamps]


def test_first_frame_is_the_start_wherever_its_timestamp_lies() -> None:
    assert _times(0, 100, 250) == [0, 0.1, 0.25]
    assert _times(95_443_000, 95_443_100) == [0, 0.1]
    assert _times(-200, -100) == [0, 0.1]


def test_frames_without_timestamps_follow_each_other() -> None:
    assert _times(None, None, None) == [0, 0.1, 0.2]
    assert _times(0, None, None, 350) == [0, 0.1, 0.2, 0.35]
    assert _times(None, 5000, 5100) == [0, 0.1, 0.2]


@pytest.mark.parametrize(
    ("frames_per_second", "duration", "step"),
    [
        (25, None, 0.04),
        (0, None, 0.04),
        (25, 0, 0.04),
        (25, 200, 0.2),
        (25, 10**9, 0.04),
        (0.001, None, 0.04),
    ],
)
def test_length_of_a_frame_is_its_own_or_the_usual_one(
    frames_per_second: float, duration: int | None, step: float
) -> None:
    assert _times(None, None, frames_per_second=frames_per_second, duration=duration) == [0, step]


def test_stream_without_a_time_base_is_read_by_its_rate() -> None:
    clock = VideoClock(frames_per_second=50, time_base=None)
    assert [clock.at(99, 1), clock.at(7, 1), clock.end_seconds] == [0, 0.02, 0.04]


def test_seam_between_two_recordings_is_stepped_over() -> None:
    # Given a stream whose timestamps start anew, and one where they jump by an hour
    clock = VideoClock(frames_per_second=10, time_base=TICK)
    times = [round(clock.at(stamp, 100), 3) for stamp in (50_000, 50_100, 0, 100, 3_700_000, 3_700_100)]

    # Then time goes on, and it is told that the timestamps are not to be trusted
    assert times == [0, 0.1, 0.2, 0.3, 0.4, 0.5]
    assert clock.has_seams


def test_long_still_and_small_disorder_are_no_seams() -> None:
    clock = VideoClock(frames_per_second=10, time_base=TICK)
    assert [clock.at(stamp, 100) for stamp in (0, 300_000, 299_900, 300_200)] == [0, 300, 300, 300.2]
    assert not clock.has_seams


def test_end_is_where_the_last_frame_ends() -> None:
    clock = VideoClock(frames_per_second=10, time_base=TICK)
    assert clock.end_seconds == 0
    clock.at(0, 100)
    clock.at(2000, 500)
    assert clock.end_seconds == pytest.approx(2.5)
