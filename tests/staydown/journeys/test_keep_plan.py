"""A plan is kept once, replaced and deleted; the log learns that there is one, and nothing it says."""

from __future__ import annotations

import json

import pytest

from staydown.cases.errors import CaseIsWithdrawn
from staydown.cases.queries import plan_of
from staydown.journeys.keep_plan import forget_plan, keep_plan
from staydown.journeys.register_pictures import open_case_with_pictures
from staydown.journeys.withdraw import withdraw_everything
from staydown.ledger.queries import events_of
from tests.staydown.conftest import NOW, an_item

pytestmark = pytest.mark.django_db


@pytest.fixture
def number() -> str:
    return open_case_with_pictures([an_item()], now=NOW).number


def kinds(number: str) -> list[str]:
    return [row.event.kind for row in events_of(number)][2:]


def test_plan_is_kept_replaced_and_deleted_and_the_log_holds_no_answer(number: str) -> None:
    keep_plan(case_number=number, answers="1.2.3.1.us-tx", ticked=["keep"], now=NOW)
    keep_plan(case_number=number, answers="1.2.3.1.us-tx", ticked=["keep", "law"], now=NOW)
    plan = plan_of(number)
    assert plan is not None
    assert plan.ticked == ("keep", "law")

    assert forget_plan(case_number=number, now=NOW)
    assert not forget_plan(case_number=number, now=NOW)

    assert plan_of(number) is None
    assert kinds(number) == ["plan.kept", "plan.deleted"]
    assert "us-tx" not in json.dumps([row.event.details for row in events_of(number)])


def test_withdrawn_case_takes_no_plan(number: str) -> None:
    withdraw_everything(case_number=number, now=NOW)
    with pytest.raises(CaseIsWithdrawn):
        keep_plan(case_number=number, answers="1", ticked=[], now=NOW)
