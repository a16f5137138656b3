"""Sweeps run when they are due, none stops another, and all stop when they are told to."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

import pytest

from staydown.jobs import sweeps
from staydown.jobs.sweeps import SWEEPS, Sweep, run

ENOUGH_SECONDS = 5


def run_until(done: Callable[[], bool], *, parent_is_alive: Callable[[], bool] = lambda: True) -> None:
    """Runs the sweeps in a thread until something is so, then stops them."""
    stop = threading.Event()
    runner = threading.Thread(target=run, args=(stop,), kwargs={"parent_is_alive": parent_is_alive})
    runner.start()
    deadline = time.monotonic() + ENOUGH_SECONDS
    while not done() and time.monotonic() < deadline:
        time.sleep(0.01)
    stop.set()
    runner.join(ENOUGH_SECONDS)
    assert done()
    assert not runner.is_alive()


@pytest.fixture
def only(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Replaces the list of sweeps; the first one given is the delivery."""

    def these(deliver: Callable[[], object], *others: Callable[[], object]) -> None:
        monkeypatch.setattr(sweeps, "deliver_due", deliver)
        rows = [Sweep("deliver", 0, deliver)]
        rows += [Sweep(f"sweep {number}", 0, work) for number, work in enumerate(others)]
        monkeypatch.setattr(sweeps, "SWEEPS", tuple(rows))

    return these


@pytest.mark.parametrize("sweep", SWEEPS, ids=lambda sweep: sweep.name)
def test_each_sweep_has_nothing_to_do_in_a_new_installation(db: None, sweep: Sweep) -> None:
    sweep.work()
    sweep.work()


def test_sweeps_that_people_wait_for_come_several_times_a_second() -> None:
    often = {sweep.name for sweep in SWEEPS if sweep.every_seconds <= 0.25}

    assert often == {"publish the bank", "record upload checks", "deliver webhooks"}
    assert len({sweep.name for sweep in SWEEPS}) == len(SWEEPS)


def test_sweep_that_fails_is_logged_and_tried_again_and_stops_no_other(
    only: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    # Given a sweep that fails each time, between two that do not
    done: list[str] = []

    def fail() -> None:
        done.append("failed")
        raise RuntimeError("a defect")

    only(lambda: None, lambda: done.append("before"), fail, lambda: done.append("behind"))

    # When the sweeps run, then all go on
    with caplog.at_level(logging.ERROR):
        run_until(lambda: min(map(done.count, ("before", "failed", "behind"))) >= 2)
    assert "'sweep 1' failed" in caplog.text
    assert "a defect" in caplog.text


def test_platform_that_answers_slowly_delays_no_other_sweep(only: Callable[..., None]) -> None:
    # Given a delivery that waits for an answer
    answered = threading.Event()
    done: list[str] = []

    def publish() -> None:
        done.append("published")
        if len(done) >= 3:
            answered.set()

    only(lambda: answered.wait(ENOUGH_SECONDS), publish)

    # Then publishing goes on meanwhile
    run_until(lambda: len(done) >= 3)


def test_sweeps_end_with_the_server_that_started_them(only: Callable[..., None]) -> None:
    # Given a server that is gone
    done: list[str] = []
    only(lambda: None, lambda: done.append("swept"))
    stop = threading.Event()

    # Then the sweeps stop by themselves
    run(stop, parent_is_alive=lambda: not done)
    assert stop.is_set()


def test_sweep_is_not_repeated_before_its_time(
    only: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given one sweep that is always due and one that is due every hour
    often: list[int] = []
    seldom: list[int] = []
    only(lambda: None, lambda: often.append(1))
    hourly = Sweep("hourly", 3_600, lambda: seldom.append(1))
    monkeypatch.setattr(sweeps, "SWEEPS", (*sweeps.SWEEPS, hourly))

    # Then the second runs once, at the start
    run_until(lambda: len(often) >= 3)
    assert len(seldom) == 1
