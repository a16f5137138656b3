"""A case as other packages see it."""

from __future__ import annotations

import pytest
from django.core.exceptions import ObjectDoesNotExist

from staydown.cases.operations import add_registrations, open_case
from staydown.cases.queries import case_by_number
from staydown.cases.terms import Case, CaseState, Registration
from tests.staydown.conftest import NOW, an_item

ALICE = "C-A11C-E000"


def test_case_comes_with_its_registrations_in_order(db: None) -> None:
    # Given Alice's case with two pictures
    open_case(number=ALICE, now=NOW)
    add_registrations(case_number=ALICE, items=[an_item(), an_item()], ids=["reg_b", "reg_a"], now=NOW)

    # Then it is told whole, the pictures by position
    assert case_by_number(ALICE) == Case(
        number=ALICE,
        state=CaseState.OPEN,
        opened_at=NOW,
        withdrawn_at=None,
        registrations=tuple(
            Registration(
                id=name,
                case_number=ALICE,
                position=position,
                media="image",
                near_matching=True,
                registered_at=NOW,
                withdrawn_at=None,
            )
            for position, name in [(1, "reg_b"), (2, "reg_a")]
        ),
    )


def test_unknown_case_is_not_an_empty_one(db: None) -> None:
    with pytest.raises(ObjectDoesNotExist):
        case_by_number("C-NONE-0000")
