"""What can be done in the review stage. Each runs inside a journey's transaction."""

from __future__ import annotations

from datetime import datetime

from staydown.review import rules
from staydown.review.errors import DecisionAlreadyFinal
from staydown.review.models import ClaimRecord, DecisionRecord, OpeningRecord
from staydown.review.queries import claims_on
from staydown.review.terms import OpeningReason, Outcome, Reason


def claim(*, notice_number: str, reviewer_id: int, now: datetime) -> None:
    """Claims a request for half an hour, or renews the reviewer's own claim.

    Raises ClaimedBySomebodyElse while another claim is live.
    """
    held = claims_on([notice_number]).get(notice_number)
    rules.check_may_claim(held, reviewer_id=reviewer_id, now=now)
    ClaimRecord.objects.update_or_create(
        notice__number=notice_number,
        defaults={
            "notice_id": notice_number,
            "reviewer_id": reviewer_id,
            "claimed_at": now,
            "expires_at": now + rules.CLAIM_LASTS,
        },
    )


def release(*, notice_number: str, reviewer_id: int, now: datetime) -> None:
    """Gives a claim back. Raises NotClaimedByYou if the reviewer has none."""
    held = claims_on([notice_number]).get(notice_number)
    rules.check_may_decide(held, reviewer_id=reviewer_id, now=now)
    ClaimRecord.objects.filter(notice__number=notice_number).delete()


def record_decision(
    *, notice_number: str, reviewer_id: int, outcome: Outcome, reason: Reason | None, now: datetime
) -> None:
    """Records the decision and ends the claim.

    Raises NotClaimedByYou, ReasonMissing or DecisionAlreadyFinal.
    """
    if DecisionRecord.objects.filter(notice__number=notice_number).exists():
        raise DecisionAlreadyFinal
    held = claims_on([notice_number]).get(notice_number)
    rules.check_may_decide(held, reviewer_id=reviewer_id, now=now)
    rules.check_reason(outcome, reason)
    DecisionRecord.objects.create(
        notice_id=notice_number,
        reviewer_id=reviewer_id,
        outcome=outcome,
        reason=reason or "",
        decided_at=now,
    )
    ClaimRecord.objects.filter(notice__number=notice_number).delete()


def record_opening(*, notice_number: str, reviewer_id: int, reason: OpeningReason, now: datetime) -> None:
    """Records that a reviewer opened the post itself. Raises NotClaimedByYou without a live claim."""
    held = claims_on([notice_number]).get(notice_number)
    rules.check_may_decide(held, reviewer_id=reviewer_id, now=now)
    OpeningRecord.objects.create(
        notice_id=notice_number, reviewer_id=reviewer_id, reason=reason, opened_at=now
    )
