"""What the database itself refuses to hold, whoever asks."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from staydown.access.terms import Platform
from staydown.review.models import ClaimRecord, DecisionRecord
from staydown.review.terms import Outcome, Reason
from tests.staydown.conftest import NOW, a_filed_request


def test_the_database_refuses_a_refusal_without_a_reason(forum: Platform, bob: int) -> None:
    number = a_filed_request().number

    with pytest.raises(IntegrityError), transaction.atomic():
        DecisionRecord.objects.create(
            notice_id=number, reviewer_id=bob, outcome=Outcome.NOT_REMOVED, reason="", decided_at=NOW
        )


def test_the_database_refuses_a_second_decision_on_a_request(forum: Platform, bob: int) -> None:
    number = a_filed_request().number
    row = {"notice_id": number, "reviewer_id": bob, "decided_at": NOW}
    DecisionRecord.objects.create(outcome=Outcome.REMOVED, **row)

    with pytest.raises(IntegrityError), transaction.atomic():
        DecisionRecord.objects.create(outcome=Outcome.NOT_REMOVED, reason=Reason.NOT_FOUND, **row)


def test_the_database_refuses_a_second_claim_on_a_request(forum: Platform, bob: int) -> None:
    number = a_filed_request().number
    row = {"notice_id": number, "reviewer_id": bob, "claimed_at": NOW, "expires_at": NOW}
    ClaimRecord.objects.create(**row)

    with pytest.raises(IntegrityError), transaction.atomic():
        ClaimRecord.objects.create(**row)
