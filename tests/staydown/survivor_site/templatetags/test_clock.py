"""Deadlines are a date and a time with its zone, then the hours left (convention 54)."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from staydown.survivor_site.templatetags.clock import is_past, left, moment
from tests.staydown.conftest import NOW


def test_moment_shows_weekday_date_time_and_zone_in_a_time_element() -> None:
    assert moment(NOW) == (
        '<time datetime="2026-03-07T20:30:00+00:00">Saturday 7 March 2026, 20:30 UTC</time>'
    )


def test_moment_of_another_zone_is_told_in_utc() -> None:
    in_tokyo = datetime(2026, 3, 8, 5, 30, tzinfo=timezone(timedelta(hours=9)))

    assert "Saturday 7 March 2026, 20:30 UTC" in moment(in_tokyo)


@pytest.mark.parametrize(
    ("until", "text"),
    [
        (timedelta(hours=48), "48 hours left"),
        (timedelta(hours=47, minutes=59, seconds=59), "47 hours 59 minutes left"),
        (timedelta(hours=1, minutes=1), "1 hour 1 minute left"),
        (timedelta(minutes=1), "1 minute left"),
        (timedelta(seconds=59), "0 minutes left"),
        (timedelta(0), "0 minutes left"),
        (timedelta(seconds=-1), "0 minutes too late"),
        (timedelta(minutes=-1), "1 minute too late"),
        (timedelta(hours=-49, minutes=-2), "49 hours 2 minutes too late"),
    ],
)
def test_time_left_is_never_rounded_up_and_a_missed_deadline_says_so(until: timedelta, text: str) -> None:
    assert left(NOW + until, NOW) == text


@pytest.mark.parametrize(("seconds", "past"), [(1, False), (0, False), (-1, True)])
def test_deadline_is_past_only_after_its_last_instant(seconds: int, past: bool) -> None:
    assert is_past(NOW + timedelta(seconds=seconds), NOW) is past
