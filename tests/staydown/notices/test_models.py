"""What the database itself refuses to hold, whoever asks."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from staydown.access.terms import Platform
from staydown.notices.models import NoticeRecord
from staydown.notices.rules import FINAL_STATES
from staydown.notices.terms import NoticeState
from tests.staydown.conftest import NOW, a_filed_request

WRONG = [(state, None if state in FINAL_STATES else NOW) for state in NoticeState]


@pytest.mark.parametrize(("state", "closed_at"), [*WRONG, ("lost", None), ("lost", NOW)])
def test_the_database_refuses_a_request_whose_state_and_time_disagree(
    forum: Platform, state: str, closed_at: datetime | None
) -> None:
    a_filed_request()

    with pytest.raises(IntegrityError), transaction.atomic():
        NoticeRecord.objects.update(state=state, closed_at=closed_at)


@pytest.mark.parametrize("late", [timedelta(0), timedelta(seconds=-1)])
def test_the_database_refuses_a_deadline_that_is_not_after_receipt(forum: Platform, late: timedelta) -> None:
    a_filed_request()

    with pytest.raises(IntegrityError), transaction.atomic():
        NoticeRecord.objects.update(deadline_at=NOW + late)


def test_the_database_refuses_a_second_request_under_one_number(forum: Platform) -> None:
    a_filed_request()
    row = NoticeRecord.objects.get()
    row.pk = None

    with pytest.raises(IntegrityError), transaction.atomic():
        row.save(force_insert=True)
