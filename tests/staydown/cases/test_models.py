"""What the database itself refuses to hold, whoever asks."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.db import IntegrityError, transaction

from staydown.cases.models import CaseRecord, RegistrationRecord
from staydown.cases.terms import CaseState
from tests.staydown.conftest import NOW


@pytest.mark.parametrize(
    ("state", "withdrawn_at"), [(CaseState.OPEN, NOW), (CaseState.WITHDRAWN, None), ("lost", None)]
)
def test_the_database_refuses_a_case_whose_state_and_time_disagree(
    db: None, state: str, withdrawn_at: datetime | None
) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        CaseRecord.objects.create(number="C-1", state=state, opened_at=NOW, withdrawn_at=withdrawn_at)


def test_the_database_refuses_two_registrations_at_one_position(db: None) -> None:
    case = CaseRecord.objects.create(number="C-1", state=CaseState.OPEN, opened_at=NOW)
    row = {"case": case, "position": 1, "media": "image", "near_matching": True, "registered_at": NOW}
    RegistrationRecord.objects.create(public_id="reg_1", **row)

    with pytest.raises(IntegrityError), transaction.atomic():
        RegistrationRecord.objects.create(public_id="reg_2", **row)
