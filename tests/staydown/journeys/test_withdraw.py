"""Alice withdraws: one picture, one request, or everything. What was removed stays removed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings

from staydown.access.terms import Platform
from staydown.action.queries import copies_of
from staydown.action.terms import CopyState
from staydown.bank.models import CodeRecord, EntryRecord
from staydown.bank.queries import entries_of, entry_by_id
from staydown.bank.terms import Entry
from staydown.cases.errors import RegistrationNotFound
from staydown.cases.queries import case_by_number
from staydown.cases.terms import CaseState
from staydown.journal import BankJournalReader, Reset
from staydown.journeys.deliver_instruction import confirm_copy_gone
from staydown.journeys.register_pictures import open_case_with_pictures
from staydown.journeys.withdraw import withdraw_everything, withdraw_picture, withdraw_request
from staydown.journeys.work_on_request import claim_request, grant_request
from staydown.ledger.queries import events_of
from staydown.matching.terms import EntryState
from staydown.notices.errors import NoticeNotFound, TransitionRefused
from staydown.notices.queries import notice_by_number
from staydown.notices.terms import NoticeState
from tests.staydown.conftest import NOW, a_filed_request, an_item, some_content

LATER = NOW + timedelta(hours=1)
Callbacks = Callable[..., Any]


def published() -> list[dict[str, Any]]:
    news = BankJournalReader(settings.STAYDOWN_BANK_JOURNAL_PATH).poll()
    return [record for record in news if not isinstance(record, Reset)]


def a_case(pictures: int = 2) -> str:
    return open_case_with_pictures([an_item() for _ in range(pictures)], now=NOW).number


def entries_in(case_number: str) -> tuple[Entry, ...]:
    return entries_of(registration_ids=[row.id for row in case_by_number(case_number).registrations])


def kinds(subject: str) -> list[str]:
    return [row.event.kind for row in events_of(subject)]


def test_withdrawn_picture_leaves_tables_and_journal_and_others_stay(
    db: None, django_capture_on_commit_callbacks: Callbacks
) -> None:
    # Given Alice's two pictures
    with django_capture_on_commit_callbacks(execute=True):
        number = a_case()
        first, second = entries_in(number)

    # When she withdraws the first
    with django_capture_on_commit_callbacks(execute=True):
        assert withdraw_picture(case_number=number, registration_id=str(first.registration_id), now=LATER)

    # Then it is not matched any more and nothing of it is kept
    left = entry_by_id(first.id)
    assert (left.state, left.digests.sha256, left.fingerprints) == (EntryState.WITHDRAWN, "", ())
    assert published()[-1] == {"seq": published()[-1]["seq"], "op": "drop", "entry_id": first.id}
    assert entry_by_id(second.id) == second
    assert events_of(number)[-1].event.details == {"registration": first.registration_id}

    # When she does it again, then that is said and changes nothing
    assert not withdraw_picture(case_number=number, registration_id=str(first.registration_id), now=LATER)
    assert kinds(number).count("picture.withdrawn") == 1


def test_charlie_cannot_withdraw_alices_picture_or_request(forum: Platform) -> None:
    # Given Alice's picture and request, and Charlie's case
    alices, charlies = a_case(), a_case()
    notice = a_filed_request(case_number=alices)
    [entry, _] = entries_in(alices)

    # Then for Charlie they do not exist
    with pytest.raises(RegistrationNotFound):
        withdraw_picture(case_number=charlies, registration_id=str(entry.registration_id), now=LATER)
    with pytest.raises(NoticeNotFound):
        withdraw_request(case_number=charlies, notice_number=notice.number, now=LATER)
    with pytest.raises(NoticeNotFound):
        withdraw_request(case_number=alices, notice_number="R-NONE-0000", now=LATER)
    assert entry_by_id(entry.id) == entry
    assert notice_by_number(notice.number) == notice


def test_withdrawing_everything_empties_the_case_and_ends_what_waits(
    forum: Platform, bob: int, django_capture_on_commit_callbacks: Callbacks
) -> None:
    # Given Alice's case: two pictures, a removed request, a waiting and a claimed one; and Dana's case
    with django_capture_on_commit_callbacks(execute=True):
        number, danas = a_case(), a_case(1)
        some_content(forum, 1)
        removed, waiting, claimed = (
            a_filed_request(f"{forum.url_prefix}posts/{n}", case_number=number) for n in (1, 2, 3)
        )
        for notice in (removed, claimed):
            claim_request(notice_number=notice.number, reviewer_id=bob, now=NOW)
        grant_request(notice_number=removed.number, reviewer_id=bob, now=NOW)
    [copy] = copies_of([removed.number])[removed.number]
    confirm_copy_gone(copy_id=copy.id, platform_id=forum.id, now=NOW)
    [from_request] = entries_of(notice_numbers=[removed.number])
    assert from_request.state is EntryState.CONFIRMED

    # When she withdraws everything
    with django_capture_on_commit_callbacks(execute=True):
        assert withdraw_everything(case_number=number, now=LATER)

    # Then no entry of hers matches, and no code of hers is in a table or in the journal's last word
    withdrawn = [*entries_in(number), entry_by_id(from_request.id)]
    assert {entry.state for entry in withdrawn} == {EntryState.WITHDRAWN}
    assert set(EntryRecord.objects.exclude(sha256="").values_list("pk", flat=True)) == set(
        CodeRecord.objects.values_list("entry", flat=True)
    )
    assert [entry.state for entry in entries_in(danas)] == [EntryState.UNCONFIRMED]
    drops = {record["entry_id"] for record in published() if record["op"] == "drop"}
    assert drops == {entry.id for entry in withdrawn}

    # Then what waited is withdrawn, and what was removed stays so
    states = [notice_by_number(notice.number).state for notice in (removed, waiting, claimed)]
    assert states == [NoticeState.REMOVED, NoticeState.WITHDRAWN, NoticeState.WITHDRAWN]
    assert copies_of([removed.number])[removed.number][0].state is CopyState.GONE
    assert case_by_number(number).state is CaseState.WITHDRAWN
    assert kinds(number)[-3:] == ["request.withdrawn", "request.withdrawn", "case.withdrawn"]


def test_withdrawing_everything_twice_says_that_it_was_done_before(db: None) -> None:
    number = a_case()
    assert withdraw_everything(case_number=number, now=LATER)
    events = events_of(number)

    assert not withdraw_everything(case_number=number, now=LATER + timedelta(hours=1))

    assert events_of(number) == events
    assert case_by_number(number).withdrawn_at == LATER


def test_case_without_pictures_can_be_withdrawn(forum: Platform) -> None:
    number = a_filed_request().case_number

    assert withdraw_everything(case_number=number, now=LATER)


def test_withdrawn_request_ends_and_the_case_goes_on(forum: Platform, bob: int) -> None:
    # Given a claimed request in Alice's case
    number = a_case()
    notice = a_filed_request(case_number=number)
    claim_request(notice_number=notice.number, reviewer_id=bob, now=NOW)

    # When she withdraws it
    withdraw_request(case_number=number, notice_number=notice.number, now=LATER)

    # Then it is closed, her pictures stay protected, and Bob cannot decide it any more
    closed = notice_by_number(notice.number)
    assert (closed.state, closed.closed_at) == (NoticeState.WITHDRAWN, LATER)
    assert {entry.state for entry in entries_in(number)} == {EntryState.UNCONFIRMED}
    assert events_of(number)[-1].event.details == {"request": notice.number}
    with pytest.raises(TransitionRefused):
        grant_request(notice_number=notice.number, reviewer_id=bob, now=NOW + timedelta(minutes=1))

    # When she withdraws it again, then the table refuses
    with pytest.raises(TransitionRefused):
        withdraw_request(case_number=number, notice_number=notice.number, now=LATER)
