"""The queue is ordered by urgency, and what is closed leaves it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from staydown.access.terms import Platform
from staydown.notices.errors import NoticeNotFound
from staydown.notices.operations import change_state
from staydown.notices.queries import (
    closed_notices,
    notice_by_number,
    notices_of_case,
    waiting_notices_by_deadline,
)
from staydown.notices.terms import NoticeAction
from tests.staydown.conftest import NOW, a_filed_request


def test_unknown_request_is_not_found(db: None) -> None:
    with pytest.raises(NoticeNotFound):
        notice_by_number("R-NONE-0000")


def test_waiting_requests_come_by_deadline_and_claimed_ones_still_wait(forum: Platform) -> None:
    # Given three requests that came in another order than they are due, one of them claimed
    second = a_filed_request(now=NOW)
    third = a_filed_request(now=NOW + timedelta(hours=1))
    first = a_filed_request(now=NOW - timedelta(hours=1))
    change_state(number=first.number, action=NoticeAction.CLAIM, now=NOW)

    # Then the one that is due first comes first
    numbers = [notice.number for notice in waiting_notices_by_deadline()]
    assert numbers == [first.number, second.number, third.number]


def test_closed_requests_leave_the_queue_and_come_newest_first(forum: Platform) -> None:
    # Given three requests withdrawn one after the other, and one that waits
    closed = [a_filed_request() for _ in range(3)]
    waiting = a_filed_request()
    for hours, notice in enumerate(closed):
        change_state(number=notice.number, action=NoticeAction.WITHDRAW, now=NOW + timedelta(hours=hours))

    # Then the last two closed are told, and only the waiting one is in the queue
    assert [row.number for row in closed_notices(most=2)] == [closed[2].number, closed[1].number]
    assert [row.number for row in waiting_notices_by_deadline()] == [waiting.number]


def test_requests_of_a_case_come_oldest_first_and_are_only_its_own(forum: Platform) -> None:
    first = a_filed_request()
    later = a_filed_request(case_number=first.case_number, now=NOW + timedelta(hours=1))
    a_filed_request()

    assert notices_of_case(first.case_number) == (first, later)
    assert notices_of_case("C-NONE-0000") == ()
