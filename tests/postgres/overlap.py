"""What only PostgreSQL allows: transactions that overlap. Threads meet at barriers; nothing depends on time.

Not collected by itself: tests/postgres/test_stages.py runs it in a process whose database is PostgreSQL.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, connections, transaction

from staydown.access.errors import TooManyAttempts
from staydown.access.operations import count_attempt
from staydown.access.rules import ADDRESS_RULE
from staydown.access.terms import Platform
from staydown.action.operations import claim_due_delivery, instruct_copies
from staydown.action.terms import CopyKind, CopyToRemove
from staydown.bank.models import EntryRecord
from staydown.bank.operations import set_state
from staydown.bank.queries import last_change, match_counts, open_floods
from staydown.bank.terms import Entry
from staydown.cases.errors import CaseIsWithdrawn
from staydown.journal import CheckJournalWriter
from staydown.journeys.guard_flood import guard_against_floods
from staydown.journeys.publishing import publish_bank
from staydown.journeys.record_checks import record_checks
from staydown.journeys.register_pictures import add_pictures, open_case_with_pictures
from staydown.journeys.withdraw import withdraw_everything
from staydown.journeys.work_on_request import claim_request, grant_request
from staydown.ledger.queries import check_log
from staydown.matching.terms import EntryState
from staydown.review.errors import ReviewError
from staydown.review.models import DecisionRecord
from tests.staydown.conftest import (
    NOW,
    a_claimed_request,
    a_filed_request,
    a_platform,
    a_staff_member,
    an_entry,
    an_item,
    cheap_argon2,
    house,
)
from tests.staydown.journeys.floods import uploads_near
from tests.staydown.journeys.test_record_checks import a_record

pytestmark = pytest.mark.django_db(transaction=True)
TOGETHER = 6
# Fixtures that every test uses: a folder of its own, and receipts that cost little.
__all__ = ["cheap_argon2", "house"]


@pytest.fixture(autouse=True)
def on_postgresql() -> None:
    """These tests say nothing on another database."""
    assert connection.vendor == "postgresql"


def in_thread(pool: ThreadPoolExecutor, work: Callable[..., Any], *given: Any, **named: Any) -> Future[Any]:
    """Starts work in a thread that closes its connection at the end."""

    def run() -> Any:
        try:
            return work(*given, **named)
        finally:
            connections.close_all()

    return pool.submit(run)


def a_stored_entry() -> Entry:
    """An entry that is committed."""
    with transaction.atomic():
        return an_entry()


def at_once(*works: Callable[[], Any]) -> list[Any]:
    """What each of these gives, or the error that it raises, when all begin together."""
    together = threading.Barrier(len(works))

    def begin(work: Callable[[], Any]) -> Any:
        together.wait()
        try:
            return work()
        except Exception as error:
            return error

    with ThreadPoolExecutor(len(works)) as pool:
        futures = [in_thread(pool, begin, work) for work in works]
        return [future.result() for future in futures]


def wait_for_lock_or(done: threading.Event) -> None:
    """Returns when some transaction waits for a lock, or when `done`."""
    while not done.wait(0.02):
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return


def test_change_that_is_committed_later_never_has_the_lower_number() -> None:
    # Given two entries that everybody has heard of
    slow, quick = a_stored_entry(), a_stored_entry()
    publish_bank()
    has_number, may_commit, quick_is_done = threading.Event(), threading.Event(), threading.Event()

    def change_slowly() -> int:
        with transaction.atomic():
            set_state(entry_ids=[slow.id], state=EntryState.CONFIRMED, now=NOW)
            mine = last_change()
            has_number.set()
            assert may_commit.wait(30)
        return mine

    def change_quickly() -> int:
        with transaction.atomic():
            set_state(entry_ids=[quick.id], state=EntryState.CONFIRMED, now=NOW)
            mine = last_change()
        quick_is_done.set()
        return mine

    # When one has drawn its number and has not committed while another comes, and the bank is published
    with ThreadPoolExecutor(2) as pool:
        slowly = in_thread(pool, change_slowly)
        assert has_number.wait(30)
        quickly = in_thread(pool, change_quickly)
        wait_for_lock_or(quick_is_done)
        publish_bank()
        may_commit.set()
        first, second = slowly.result(), quickly.result()
    publish_bank()

    # Then the second number was drawn after the first commit, and both changes are in the journal
    assert first < second
    text = settings.STAYDOWN_BANK_JOURNAL_PATH.read_text()
    confirmed = [line for line in text.splitlines() if '"confirmed"' in line]
    assert [sum(entry.id in line for line in confirmed) for entry in (slow, quick)] == [1, 1]


def test_each_delivery_is_claimed_once() -> None:
    # Given twenty messages that are due
    forum = a_platform()
    notice = a_filed_request()
    wanted = [CopyToRemove(content_id=None, content_url=f"u{n}", kind=CopyKind.NAMED) for n in range(20)]
    instruct_copies(
        notice_number=notice.number,
        platform_id=forum.id,
        copies=wanted,
        copy_ids=[f"cpy_{n}" for n in range(20)],
        message_ids=[f"msg_{n}" for n in range(20)],
        now=NOW,
    )

    # When several workers claim until there is nothing left
    def work() -> list[str]:
        claimed = []
        while (delivery := claim_due_delivery(now=NOW)) is not None:
            claimed.append(delivery.message_id)
        return claimed

    claimed = at_once(*[work] * TOGETHER)

    # Then each message was claimed by one of them
    assert sorted(message for found in claimed for message in found) == sorted(f"msg_{n}" for n in range(20))


def test_request_is_claimed_by_one_reviewer() -> None:
    # Given a request and several reviewers
    a_platform()
    number = a_filed_request().number
    reviewers = [a_staff_member(f"reviewer {n}") for n in range(TOGETHER)]

    # When all claim it
    found = at_once(
        *[
            lambda who=who: claim_request(notice_number=number, reviewer_id=who, now=NOW)  # type: ignore[misc]
            for who in reviewers
        ]
    )

    # Then one has it and the others are told so
    assert found.count(None) == 1
    assert sum(isinstance(answer, ReviewError) for answer in found) == TOGETHER - 1


def test_request_is_decided_once() -> None:
    # Given a claimed request
    a_platform()
    bob = a_staff_member()
    number = a_claimed_request(reviewer_id=bob).number

    # When the button is pressed several times at once
    press = [lambda: grant_request(notice_number=number, reviewer_id=bob, now=NOW)] * TOGETHER
    found = at_once(*press)

    # Then it is decided once, and the others are told so
    assert found.count(None) == 1
    assert sum(isinstance(answer, ReviewError) for answer in found) == TOGETHER - 1
    assert DecisionRecord.objects.count() == 1


def test_nothing_is_added_to_a_case_that_is_withdrawn_at_the_same_time() -> None:
    for _ in range(3):
        # Given a case
        number = open_case_with_pictures([an_item()], now=NOW).number

        # When it is withdrawn while pictures are added
        found = at_once(
            lambda number=number: withdraw_everything(case_number=number, now=NOW),  # type: ignore[misc]
            *[lambda number=number: add_pictures([an_item()], case_number=number, now=NOW)] * 3,  # type: ignore[misc]
        )

        # Then whatever came first, nothing of it is matched any more
        assert found[0] is True
        assert all(isinstance(answer, tuple | CaseIsWithdrawn) for answer in found[1:])
    assert not EntryRecord.objects.exclude(state=EntryState.WITHDRAWN).exists()


def test_journeys_that_cross_neither_fail_nor_bend_the_log() -> None:
    # Given cases
    numbers = [open_case_with_pictures([an_item()], now=NOW).number for _ in range(TOGETHER)]

    # When they are withdrawn while others register
    found = at_once(
        *[lambda number=number: withdraw_everything(case_number=number, now=NOW) for number in numbers],  # type: ignore[misc]
        *[lambda: open_case_with_pictures([an_item()], now=NOW)] * TOGETHER,
    )

    # Then every one of them is done, and the log adds up
    assert [answer for answer in found if isinstance(answer, Exception)] == []
    assert check_log().sound


@pytest.fixture
def forum() -> Platform:
    """The platform at http://127.0.0.1:8001/."""
    return a_platform()


def test_each_upload_check_is_counted_once_by_however_many_workers(forum: Platform) -> None:
    # Given fifty checks that met an entry
    entry = a_stored_entry()
    journal = CheckJournalWriter(settings.STAYDOWN_CHECKS_DIR)
    for number in range(50):
        journal.append(a_record(forum.id, number, entry_ids=(entry.id,)))

    # When several workers read them
    found = at_once(*[record_checks] * TOGETHER)

    # Then one of them has read them all, and the others nothing
    assert sorted(found) == [0] * (TOGETHER - 1) + [50]
    assert match_counts([entry.id]) == {entry.id: 50}


def test_flood_is_answered_once_by_however_many_guards(forum: Platform) -> None:
    entry = a_stored_entry()
    uploads_near(entry, forum, 80, at=NOW)

    found = at_once(*[lambda: guard_against_floods(now=NOW + timedelta(seconds=1))] * TOGETHER)

    assert sorted(found) == [0] * (TOGETHER - 1) + [1]
    assert len(open_floods()) == 1


def test_every_try_is_counted() -> None:
    # When somebody tries from many windows at once
    limit = ADDRESS_RULE.limit

    def many() -> list[bool]:
        found = []
        for _ in range(limit // TOGETHER + 1):
            try:
                count_attempt(purpose="receipt", who="somebody", rule=ADDRESS_RULE, now=NOW)
                found.append(True)
            except TooManyAttempts:
                found.append(False)
        return found

    # Then exactly as many get through as the rule says
    assert sum(sum(found) for found in at_once(*[many] * TOGETHER)) == limit
