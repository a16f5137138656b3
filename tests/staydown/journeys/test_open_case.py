"""A receipt opens its case; wrong tries are counted by receipt and by address, and slowed down."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from staydown.access.errors import ReceiptNotRecognised, TooManyAttempts
from staydown.access.models import Throttle
from staydown.access.operations import make_receipt, new_number
from staydown.access.rules import ADDRESS_RULE, RECEIPT_RULE
from staydown.access.terms import KeyKind, Receipt
from staydown.journeys.open_case import open_case_with_receipt
from tests.staydown.conftest import NOW

HOME, CHARLIES = "198.51.100.1", "203.0.113.7"


@pytest.fixture
def receipt(db: None) -> Receipt:
    return make_receipt(number="C-A11C-E000", now=NOW)


def attempt(receipt: Receipt, *, phrase: str | None = None, address: str = HOME, now: datetime = NOW) -> str:
    phrase = receipt.key_phrase if phrase is None else phrase
    opened = open_case_with_receipt(number=receipt.number, key_phrase=phrase, address=address, now=now)
    assert opened.by is KeyKind.KEY_PHRASE
    return opened.number


def fail(receipt: Receipt, times: int, *, address: str = HOME) -> None:
    for _ in range(times):
        with pytest.raises(ReceiptNotRecognised):
            attempt(receipt, phrase="wrong", address=address)


def test_receipt_opens_its_case_however_it_is_typed(receipt: Receipt) -> None:
    opened = open_case_with_receipt(
        number="c a11c eooo", key_phrase=receipt.key_phrase.upper(), address=HOME, now=NOW
    )

    assert (opened.number, opened.by) == ("C-A11C-E000", KeyKind.KEY_PHRASE)


def test_two_people_open_their_own_cases_only(receipt: Receipt) -> None:
    danas = make_receipt(number=new_number("C"), now=NOW)

    assert {attempt(receipt), attempt(danas)} == {receipt.number, danas.number}
    with pytest.raises(ReceiptNotRecognised):
        attempt(receipt, phrase=danas.key_phrase)


def test_right_phrase_is_refused_too_once_there_were_too_many_tries(receipt: Receipt) -> None:
    # Given as many wrong tries as a receipt allows
    fail(receipt, RECEIPT_RULE.limit)

    # Then even the right words wait until the hour is over, from that address
    with pytest.raises(TooManyAttempts) as refused:
        attempt(receipt, now=NOW + timedelta(minutes=30))
    assert refused.value.retry_after_seconds == 1801
    assert attempt(receipt, now=NOW + RECEIPT_RULE.window) == receipt.number


def test_charlie_who_knows_the_number_cannot_lock_alice_out(receipt: Receipt) -> None:
    # Given Charlie, who knows Alice's number and tries until he is refused
    fail(receipt, RECEIPT_RULE.limit, address=CHARLIES)
    with pytest.raises(TooManyAttempts):
        attempt(receipt, phrase="wrong", address=CHARLIES)

    # When Alice comes from her own address, then her words open her case
    assert attempt(receipt) == receipt.number


def test_number_typed_otherwise_is_counted_as_the_same_receipt(receipt: Receipt) -> None:
    fail(receipt, RECEIPT_RULE.limit)

    with pytest.raises(TooManyAttempts):
        open_case_with_receipt(number="c–a11c–eooo", key_phrase=receipt.key_phrase, address=HOME, now=NOW)


def test_success_clears_the_tries_on_the_receipt(receipt: Receipt) -> None:
    # Given some slips before the right words, three times over
    for _ in range(3):
        fail(receipt, RECEIPT_RULE.limit - 1)
        attempt(receipt)

    # Then the next slip is the first again
    fail(receipt, 1)


def test_one_address_cannot_walk_through_many_receipts(db: None) -> None:
    # Given Charlie, who tries a new number each time
    for _ in range(ADDRESS_RULE.limit):
        with pytest.raises(ReceiptNotRecognised):
            open_case_with_receipt(number=new_number("C"), key_phrase="x", address=CHARLIES, now=NOW)

    # When he goes on, then he is slowed down before anything is compared; others are not
    with pytest.raises(TooManyAttempts):
        open_case_with_receipt(number=new_number("C"), key_phrase="x", address=CHARLIES, now=NOW)
    receipt = make_receipt(number=new_number("C"), now=NOW)
    with pytest.raises(TooManyAttempts):
        attempt(receipt, address=CHARLIES)
    assert attempt(receipt, address=HOME) == receipt.number


def test_slowed_down_try_from_one_address_does_not_count_against_the_receipt(receipt: Receipt) -> None:
    # Given Charlie, whose address is closed
    for _ in range(ADDRESS_RULE.limit):
        with pytest.raises(ReceiptNotRecognised):
            open_case_with_receipt(number=new_number("C"), key_phrase="x", address=CHARLIES, now=NOW)

    # When he goes on with Alice's number, then her own tries are not used up
    for _ in range(RECEIPT_RULE.limit + 1):
        with pytest.raises(TooManyAttempts):
            attempt(receipt, phrase="wrong", address=CHARLIES)
    assert attempt(receipt) == receipt.number


def test_unknown_number_is_counted_like_a_known_one(db: None) -> None:
    unknown = Receipt(number="C-NONE-0000", key_phrase="apple", made_at=NOW)

    fail(unknown, RECEIPT_RULE.limit)

    with pytest.raises(TooManyAttempts):
        attempt(unknown)


def test_wrong_tries_stay_counted_although_they_failed(receipt: Receipt, transactional_db: None) -> None:
    fail(receipt, 2)

    assert sorted(Throttle.objects.values_list("attempts", flat=True)) == [2, 2]
