"""A copy's transitions over the full table, and a schedule of attempts that leaves time for a person."""

from __future__ import annotations

from datetime import timedelta

import pytest

from staydown.action import rules
from staydown.action.errors import CopyTransitionRefused
from staydown.action.terms import CopyAction, CopyState, DeliveryResult
from tests.staydown.conftest import NOW

PENDING, INSTRUCTED, GONE, FAILED = CopyState
INSTRUCT, CONFIRM_GONE, FAIL = CopyAction
TABLE = {
    PENDING: {INSTRUCT: INSTRUCTED, CONFIRM_GONE: GONE, FAIL: FAILED},
    INSTRUCTED: {INSTRUCT: INSTRUCTED, CONFIRM_GONE: GONE, FAIL: FAILED},
    GONE: {INSTRUCT: GONE, CONFIRM_GONE: GONE, FAIL: GONE},
    FAILED: {INSTRUCT: None, CONFIRM_GONE: GONE, FAIL: None},
}


@pytest.mark.parametrize("action", list(CopyAction))
@pytest.mark.parametrize("state", list(CopyState))
def test_each_state_and_action_leads_where_the_table_says_or_nowhere(
    state: CopyState, action: CopyAction
) -> None:
    expected = TABLE[state][action]

    if expected is not None:
        assert rules.state_after(state, action) is expected
    else:
        with pytest.raises(CopyTransitionRefused) as refused:
            rules.state_after(state, action)
        assert (refused.value.state, refused.value.action) == (state, action)


def test_what_is_gone_stays_gone_whatever_comes_late() -> None:
    assert {rules.state_after(GONE, action) for action in CopyAction} == {GONE}


def test_each_failed_attempt_is_followed_by_a_later_one_until_the_last() -> None:
    waits = []
    attempt = 1
    while (again := rules.next_attempt_at(attempt=attempt, now=NOW)) is not None:
        waits.append(again - NOW)
        attempt += 1

    assert waits == sorted(waits)
    assert (len(waits), attempt) == (9, 10)
    assert waits[0] == timedelta(seconds=1)


@pytest.mark.parametrize("attempt", [10, 11, 1_000])
def test_after_the_last_attempt_there_is_none(attempt: int) -> None:
    assert rules.next_attempt_at(attempt=attempt, now=NOW) is None


def test_giving_up_leaves_most_of_48_hours_to_a_person() -> None:
    # Even if every attempt takes a whole lease.
    longest = sum(rules.RETRY_AFTER, timedelta()) + 10 * rules.LEASE

    assert longest < timedelta(hours=8)


def test_lease_outlasts_the_longest_wait_for_an_answer() -> None:
    assert rules.LEASE.total_seconds() > 2 * rules.ANSWER_TIMEOUT_SECONDS


@pytest.mark.parametrize(
    ("status", "delivered"),
    [
        (200, True),
        (204, True),
        (299, True),
        (199, False),
        (300, False),
        (301, False),
        (410, False),
        (500, False),
        (0, False),
    ],
)
def test_only_an_answer_of_200_to_299_is_a_delivery(status: int, delivered: bool) -> None:
    assert DeliveryResult(status=status, trouble="").delivered is delivered
