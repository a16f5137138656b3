"""Alice registers pictures: a case, entries that wait for confirmation, events, and a published journal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings

from staydown.access.operations import check_receipt
from staydown.access.terms import KeyKind, Receipt
from staydown.bank.models import EntryRecord
from staydown.bank.queries import entries_of
from staydown.cases.errors import CaseIsWithdrawn
from staydown.cases.queries import case_by_number
from staydown.cases.terms import CaseState, SubmittedItem
from staydown.journal import BankJournalReader, Reset
from staydown.journeys.register_pictures import add_pictures, open_case_with_pictures
from staydown.journeys.withdraw import withdraw_everything
from staydown.ledger.queries import events_of
from staydown.matching.terms import EntryState
from tests.staydown.conftest import NOW, an_item

Callbacks = Callable[..., Any]


def published() -> list[dict[str, Any]]:
    news = BankJournalReader(settings.STAYDOWN_BANK_JOURNAL_PATH).poll()
    return [record for record in news if not isinstance(record, Reset)]


def register(*items: SubmittedItem) -> Receipt:
    return open_case_with_pictures(items or [an_item()], now=NOW)


def test_registering_opens_a_case_with_a_receipt_that_opens_it(db: None) -> None:
    # When Alice registers a picture and a video
    picture, video = an_item(), an_item(codes=())
    receipt = register(picture, video)

    # Then her receipt opens a case that holds both
    assert check_receipt(number=receipt.number, key_phrase=receipt.key_phrase) is KeyKind.KEY_PHRASE
    case = case_by_number(receipt.number)
    assert (case.state, case.opened_at) == (CaseState.OPEN, NOW)
    assert [(row.position, row.near_matching) for row in case.registrations] == [(1, True), (2, False)]

    # Then each is an entry of its own that nobody has confirmed yet
    entries = entries_of(registration_ids=[row.id for row in case.registrations])
    assert [entry.registration_id for entry in entries] == [row.id for row in case.registrations]
    assert {entry.state for entry in entries} == {EntryState.UNCONFIRMED}
    assert [entry.digests for entry in entries] == [picture.digests, video.digests]
    assert [entry.fingerprints for entry in entries] == [picture.fingerprints, ()]


def test_registering_is_written_into_the_ledger_without_a_fingerprint(db: None) -> None:
    item = an_item()
    receipt = register(item)

    opened, registered = (row.event for row in events_of(receipt.number))
    ids = [row.id for row in case_by_number(receipt.number).registrations]
    assert (opened.kind, opened.details, opened.at) == ("case.opened", {}, NOW)
    assert (registered.kind, registered.details) == (
        "pictures.registered",
        {"count": 1, "registrations": ids},
    )


def test_journal_is_published_after_the_commit_and_not_before(
    db: None, django_capture_on_commit_callbacks: Callbacks
) -> None:
    # When Alice registers, then nothing is published while the transaction could still fail
    with django_capture_on_commit_callbacks(execute=True):
        receipt = register()
        assert not settings.STAYDOWN_BANK_JOURNAL_PATH.exists()

    # Then the upload check can read her entry
    [row] = case_by_number(receipt.number).registrations
    [entry] = entries_of(registration_ids=[row.id])
    [record] = published()
    assert (record["op"], record["entry"]["id"], record["entry"]["state"]) == ("put", entry.id, "unconfirmed")
    assert len(record["entry"]["codes"]) == 33


def test_registration_that_fails_leaves_nothing(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a ledger that cannot take the last event
    def full(*args: object, **details: object) -> None:
        raise OSError

    monkeypatch.setattr("staydown.journeys.register_pictures.write", full)

    # When Alice registers, then there is no entry and no journal
    with pytest.raises(OSError):
        register()
    assert not EntryRecord.objects.exists()
    assert not settings.STAYDOWN_BANK_JOURNAL_PATH.exists()


def test_pictures_are_added_to_the_open_case(db: None, django_capture_on_commit_callbacks: Callbacks) -> None:
    # Given Alice's case with one picture, when she adds two
    with django_capture_on_commit_callbacks(execute=True):
        receipt = register()
        added = add_pictures([an_item(), an_item()], case_number=receipt.number, now=NOW)

    # Then they are numbered on, in the ledger and published
    assert [row.position for row in added] == [2, 3]
    assert len(case_by_number(receipt.number).registrations) == len(published()) == 3
    last = events_of(receipt.number)[-1].event
    assert last.details == {"count": 2, "registrations": [row.id for row in added]}


def test_the_same_picture_may_be_registered_by_two_people(db: None) -> None:
    item = an_item()

    assert register(item).number != register(item).number
    assert EntryRecord.objects.filter(sha256=item.digests.sha256).count() == 2


def test_nothing_is_added_to_a_withdrawn_case(db: None) -> None:
    # Given a withdrawn case
    receipt = register()
    withdraw_everything(case_number=receipt.number, now=NOW)
    before = events_of(receipt.number)

    # When a late page adds a picture, then it is refused and nothing is written
    with pytest.raises(CaseIsWithdrawn):
        add_pictures([an_item()], case_number=receipt.number, now=NOW)
    assert EntryRecord.objects.count() == 1
    assert events_of(receipt.number) == before
