"""Deleting everything: nothing opens, nothing matches, no text is left; accounts and proofs still hold."""

from __future__ import annotations

import pytest
from django.core import serializers
from django.db import connection, transaction

from staydown.access.errors import ReceiptNotRecognised
from staydown.access.operations import check_receipt
from staydown.access.terms import KeyKind, Receipt
from staydown.bank.queries import entries_of
from staydown.cases.queries import case_by_number, outside_requests_of, plan_of
from staydown.cases.terms import CaseState
from staydown.journeys import erase_case as module
from staydown.journeys.change_keys import make_key
from staydown.journeys.erase_case import erase_case
from staydown.journeys.file_request import file_request
from staydown.journeys.follow_outside import follow_outside_request
from staydown.journeys.keep_plan import keep_plan
from staydown.journeys.overviews import request_overview
from staydown.journeys.register_pictures import open_case_with_pictures
from staydown.ledger.queries import check_log, events_of
from staydown.matching.terms import EntryState
from staydown.notices.models import LocationRecord, NoticeRecord
from staydown.notices.queries import notices_of_case
from staydown.notices.terms import NoticeState
from tests.staydown.conftest import NOW, a_draft, a_platform, an_item

pytestmark = pytest.mark.django_db


@pytest.fixture
def receipt() -> Receipt:
    """A case with everything that a case can hold."""
    receipt = open_case_with_pictures([an_item(), an_item()], now=NOW)
    a_platform()
    file_request(a_draft(), case_number=receipt.number, now=NOW)
    make_key(case_number=receipt.number, kind=KeyKind.RECOVERY_KEY, now=NOW)
    keep_plan(case_number=receipt.number, answers="1.2.1.1.us-tx", ticked=[], now=NOW)
    follow_outside_request(case_number=receipt.number, channel_id="x", sent_at=NOW, now=NOW)
    return receipt


def test_nothing_opens_and_nothing_matches_any_more(receipt: Receipt) -> None:
    # Given
    case = case_by_number(receipt.number)

    # When
    erase_case(case_number=receipt.number, now=NOW)

    # Then
    with pytest.raises(ReceiptNotRecognised):
        check_receipt(number=receipt.number, key_phrase=receipt.key_phrase or "")
    for entry in entries_of(registration_ids=[row.id for row in case.registrations]):
        assert entry.state is EntryState.WITHDRAWN
        assert entry.fingerprints == ()
        assert entry.digests.sha256 == ""
    assert case_by_number(receipt.number).state is CaseState.ERASED
    assert plan_of(receipt.number) is None
    assert outside_requests_of(receipt.number) == ()
    assert events_of(receipt.number) == () or {row.event.kind for row in events_of(receipt.number)} == {
        "ledger.erased"
    }


def test_request_keeps_what_a_platform_must_account_for_and_no_text(receipt: Receipt) -> None:
    # Given
    [before] = notices_of_case(receipt.number)

    # When
    erase_case(case_number=receipt.number, now=NOW)

    # Then
    after = request_overview(before.number, now=NOW).notice
    assert (after.state, after.received_at, after.closed_at) == (
        NoticeState.WITHDRAWN,
        before.received_at,
        NOW,
    )
    assert (after.urls, after.signature, after.contact, after.statement) == ((), "", "", "")
    left = serializers.serialize("json", [*NoticeRecord.objects.all(), *LocationRecord.objects.all()])
    for text in (before.signature, before.contact, *before.urls):
        assert text not in left


def test_log_still_adds_up(receipt: Receipt) -> None:
    erase_case(case_number=receipt.number, now=NOW)
    assert check_log().damage is None


def test_doing_it_again_changes_nothing(receipt: Receipt) -> None:
    erase_case(case_number=receipt.number, now=NOW)
    erase_case(case_number=receipt.number, now=NOW)
    assert case_by_number(receipt.number).state is CaseState.ERASED


def test_another_case_is_left_alone(receipt: Receipt) -> None:
    other = open_case_with_pictures([an_item()], now=NOW)
    erase_case(case_number=receipt.number, now=NOW)
    assert case_by_number(other.number).state is CaseState.OPEN
    assert check_receipt(number=other.number, key_phrase=other.key_phrase or "") is KeyKind.KEY_PHRASE


def test_what_fails_half_way_deletes_nothing(receipt: Receipt, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a database that goes away at the last step
    def gone(*_: object, **__: object) -> None:
        raise RuntimeError("gone")

    monkeypatch.setattr(module, "erase", gone)

    # When
    with pytest.raises(RuntimeError), transaction.atomic():
        erase_case(case_number=receipt.number, now=NOW)

    # Then
    assert connection.in_atomic_block
    assert case_by_number(receipt.number).state is CaseState.OPEN
    assert check_receipt(number=receipt.number, key_phrase=receipt.key_phrase or "") is KeyKind.KEY_PHRASE
