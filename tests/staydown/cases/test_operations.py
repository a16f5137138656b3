"""A case grows while it is open, and what is withdrawn is withdrawn once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from staydown.cases.errors import CaseIsWithdrawn, RegistrationNotFound
from staydown.cases.operations import (
    add_registrations,
    open_case,
    withdraw_case,
    withdraw_registration,
)
from staydown.cases.queries import case_by_number
from staydown.cases.terms import CaseState, Registration
from tests.staydown.conftest import NOW, an_item

ALICE = "C-A11C-E000"
LATER = NOW + timedelta(hours=1)


def register(*ids: str, case_number: str = ALICE) -> tuple[Registration, ...]:
    return add_registrations(case_number=case_number, items=[an_item() for _ in ids], ids=ids, now=NOW)


def test_case_is_opened_once_under_a_number(db: None) -> None:
    open_case(number=ALICE, now=NOW)

    with pytest.raises(IntegrityError), transaction.atomic():
        open_case(number=ALICE, now=LATER)
    assert case_by_number(ALICE).opened_at == NOW


def test_registrations_are_numbered_on_from_the_last(db: None) -> None:
    # Given a case with two pictures
    open_case(number=ALICE, now=NOW)
    register("reg_1", "reg_2")

    # When one is withdrawn and another is added, then no position is used twice
    withdraw_registration(case_number=ALICE, registration_id="reg_1", now=NOW)
    [third] = register("reg_3")
    assert third.position == 3
    assert [row.id for row in case_by_number(ALICE).registrations] == ["reg_1", "reg_2", "reg_3"]


def test_registration_without_a_code_is_matched_by_its_digest_only(db: None) -> None:
    # Given a picture with codes and one with too little detail for any
    open_case(number=ALICE, now=NOW)
    rows = add_registrations(
        case_number=ALICE, items=[an_item(), an_item(codes=())], ids=["reg_1", "reg_2"], now=NOW
    )

    # Then the case says which one is found by likeness
    assert [row.near_matching for row in rows] == [True, False]


def test_items_and_ids_that_do_not_pair_are_refused(db: None) -> None:
    open_case(number=ALICE, now=NOW)

    with pytest.raises(ValueError, match="zip"), transaction.atomic():
        add_registrations(case_number=ALICE, items=[an_item()], ids=[], now=NOW)


def test_withdrawing_a_registration_twice_says_that_it_was_done_before(db: None) -> None:
    open_case(number=ALICE, now=NOW)
    register("reg_1")

    assert withdraw_registration(case_number=ALICE, registration_id="reg_1", now=NOW)
    assert not withdraw_registration(case_number=ALICE, registration_id="reg_1", now=LATER)
    assert case_by_number(ALICE).registrations[0].withdrawn_at == NOW


def test_registration_of_another_case_does_not_exist_for_charlie(db: None) -> None:
    # Given Alice's picture and Charlie's case
    open_case(number=ALICE, now=NOW)
    open_case(number="C-CHAR-0000", now=NOW)
    register("reg_1")

    # When Charlie withdraws it, then there is no such picture, as for any unknown id
    for registration_id in ("reg_1", "reg_9"):
        with pytest.raises(RegistrationNotFound):
            withdraw_registration(case_number="C-CHAR-0000", registration_id=registration_id, now=NOW)
    assert case_by_number(ALICE).registrations[0].withdrawn_at is None


def test_withdrawing_a_case_withdraws_what_was_left_in_it_once(db: None) -> None:
    # Given two pictures, of which one was withdrawn before
    open_case(number=ALICE, now=NOW)
    register("reg_1", "reg_2")
    withdraw_registration(case_number=ALICE, registration_id="reg_1", now=NOW)

    # When the case is withdrawn, twice
    assert withdraw_case(case_number=ALICE, now=LATER)
    assert not withdraw_case(case_number=ALICE, now=LATER + timedelta(hours=1))

    # Then each keeps the time at which it happened
    case = case_by_number(ALICE)
    assert (case.state, case.withdrawn_at) == (CaseState.WITHDRAWN, LATER)
    assert [row.withdrawn_at for row in case.registrations] == [NOW, LATER]


def test_nothing_is_added_to_a_withdrawn_case(db: None) -> None:
    open_case(number=ALICE, now=NOW)
    withdraw_case(case_number=ALICE, now=NOW)

    with pytest.raises(CaseIsWithdrawn):
        register("reg_1")
    assert case_by_number(ALICE).registrations == ()


def test_withdrawing_an_unknown_case_changes_nothing(db: None) -> None:
    assert not withdraw_case(case_number="C-NONE-0000", now=NOW)
