"""The retry rule, without a network and without waiting."""

import random
from datetime import UTC, datetime

import pytest

from staydown.client.conversation import (
    Answer,
    NoAnswerInTime,
    NoConnection,
    Outcome,
    Send,
    Wait,
    converse,
    retry_after_s,
)
from staydown.client.errors import Unreachable

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


def play(
    outcomes: list[Answer | NoConnection | NoAnswerInTime], *, budget_s: float, send_takes_s: float = 0.01
):
    """Plays a conversation against a clock that only the steps move; returns the answer and all steps."""
    steps: list[Send | Wait] = []
    now = 100.0
    talk = converse(budget_s=budget_s, started_at=now, now_utc=NOW, noise=random.Random(1))
    step = next(talk)
    while True:
        steps.append(step)
        result: Outcome
        if isinstance(step, Send):
            now += send_takes_s
            result = (outcomes.pop(0), now)
        else:
            now += step.for_s
            result = (None, now)
        try:
            step = talk.send(result)
        except StopIteration as end:
            return end.value, steps


def test_an_answer_ends_the_conversation_at_once() -> None:
    answer, steps = play([Answer(200, b"{}")], budget_s=5)

    assert answer.status == 200
    assert steps == [Send(within_s=5.0)]


@pytest.mark.parametrize("first", [NoConnection(), *(Answer(status, b"") for status in (429, 502, 503, 504))])
def test_a_failure_that_may_pass_is_tried_again(first: Answer | NoConnection) -> None:
    answer, steps = play([first, Answer(200, b"{}")], budget_s=5)

    assert answer.status == 200
    assert [type(step) for step in steps] == [Send, Wait, Send]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 422, 451, 500, 501])
def test_an_answer_that_will_not_change_is_not_asked_for_again(status: int) -> None:
    answer, steps = play([Answer(status, b"")], budget_s=5)

    assert answer.status == status
    assert len(steps) == 1


def test_retry_after_is_honoured_to_the_second() -> None:
    _, steps = play([Answer(503, b"", retry_after="3"), Answer(200, b"{}")], budget_s=5)

    assert steps[1] == Wait(for_s=3.0)


def test_a_retry_after_beyond_the_budget_gives_up_at_once() -> None:
    with pytest.raises(Unreachable) as caught:
        play([Answer(429, b"", retry_after="60")], budget_s=5)

    assert (caught.value.reason, caught.value.attempts) == ("status-429", 1)


def test_waits_grow_and_never_pass_the_budget() -> None:
    # Given a server that never comes back
    outcomes: list[Answer | NoConnection | NoAnswerInTime] = [NoConnection() for _ in range(50)]
    count = len(outcomes)

    # When / Then it is given up
    with pytest.raises(Unreachable) as caught:
        play(outcomes, budget_s=5)
    assert caught.value.reason == "connection-failed"
    assert 4 <= caught.value.attempts <= 12
    assert caught.value.attempts == count - len(outcomes)


def test_a_request_that_got_no_answer_in_time_is_not_sent_again() -> None:
    with pytest.raises(Unreachable) as caught:
        play([NoAnswerInTime()], budget_s=5)

    assert caught.value.reason == "timed-out"


def test_each_attempt_gets_only_what_is_left() -> None:
    _, steps = play([NoConnection(), Answer(200, b"{}")], budget_s=5, send_takes_s=2.0)

    last = steps[-1]
    assert isinstance(last, Send)
    assert last.within_s < 3.0


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("0", 0.0),
        ("120", 120.0),
        ("Mon, 05 Jan 2026 12:00:30 GMT", 30.0),
        ("Mon, 05 Jan 2026 11:00:00 GMT", 0.0),
        ("soon", None),
        ("-1", None),
        ("1.5", None),
        ("", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_date(value: str, expected: float | None) -> None:
    assert retry_after_s(value, now_utc=NOW) == expected
