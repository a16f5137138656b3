"""Keys are made, replaced and removed; the log learns which kind, and never a word."""

from __future__ import annotations

import json

import pytest

from staydown.access.errors import OpenKeyMalformed, ReceiptNotRecognised
from staydown.access.operations import check_receipt
from staydown.access.queries import keys_of
from staydown.access.rules import open_key_of
from staydown.access.terms import KeyKind, Receipt
from staydown.cases.errors import CaseIsWithdrawn
from staydown.journeys.change_keys import make_key, remove_recovery_key
from staydown.journeys.erase_case import erase_case
from staydown.journeys.register_pictures import open_case_with_pictures
from staydown.ledger.queries import events_of
from tests.staydown.conftest import NOW, an_item

pytestmark = pytest.mark.django_db
DEVICE_WORDS = "able baker charlie double enter five game"


@pytest.fixture
def receipt() -> Receipt:
    return open_case_with_pictures([an_item()], now=NOW)


def test_new_key_phrase_takes_the_place_of_the_old(receipt: Receipt) -> None:
    fresh = make_key(case_number=receipt.number, kind=KeyKind.KEY_PHRASE, now=NOW)

    assert fresh is not None
    assert check_receipt(number=receipt.number, key_phrase=fresh) is KeyKind.KEY_PHRASE
    with pytest.raises(ReceiptNotRecognised):
        check_receipt(number=receipt.number, key_phrase=receipt.key_phrase or "")


def test_recovery_key_of_the_device_comes_without_its_words(receipt: Receipt) -> None:
    made = make_key(
        case_number=receipt.number, kind=KeyKind.RECOVERY_KEY, open_key=open_key_of(DEVICE_WORDS), now=NOW
    )

    assert made is None
    assert check_receipt(number=receipt.number, key_phrase=DEVICE_WORDS) is KeyKind.RECOVERY_KEY
    assert set(keys_of(receipt.number)) == set(KeyKind)
    told = json.dumps([row.event.details for row in events_of(receipt.number)])
    assert not any(word in told for word in DEVICE_WORDS.split())


def test_recovery_key_is_removed_once(receipt: Receipt) -> None:
    make_key(case_number=receipt.number, kind=KeyKind.RECOVERY_KEY, now=NOW)

    assert remove_recovery_key(case_number=receipt.number, now=NOW)
    assert not remove_recovery_key(case_number=receipt.number, now=NOW)

    assert set(keys_of(receipt.number)) == {KeyKind.KEY_PHRASE}
    assert [row.event.kind for row in events_of(receipt.number)][-2:] == ["key.made", "key.removed"]


def test_malformed_open_key_changes_nothing(receipt: Receipt) -> None:
    with pytest.raises(OpenKeyMalformed):
        make_key(case_number=receipt.number, kind=KeyKind.KEY_PHRASE, open_key="short", now=NOW)
    assert check_receipt(number=receipt.number, key_phrase=receipt.key_phrase or "") is KeyKind.KEY_PHRASE


def test_erased_case_gets_no_key(receipt: Receipt) -> None:
    erase_case(case_number=receipt.number, now=NOW)
    with pytest.raises(CaseIsWithdrawn):
        make_key(case_number=receipt.number, kind=KeyKind.KEY_PHRASE, now=NOW)
