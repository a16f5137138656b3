"""What can be asked of the review stage."""

from __future__ import annotations

from collections.abc import Iterable

from staydown.review.models import ClaimRecord, DecisionRecord, OpeningRecord
from staydown.review.terms import Claim, Outcome, Reason, ReviewDecision


def claims_on(notice_numbers: Iterable[str]) -> dict[str, Claim]:
    """The claims on these requests, live or ended, by number."""
    rows = ClaimRecord.objects.select_related("reviewer").filter(notice_id__in=list(notice_numbers))
    return {
        row.notice_id: Claim(
            notice_number=row.notice_id,
            reviewer_id=row.reviewer_id,
            reviewer_name=row.reviewer.get_username(),
            claimed_at=row.claimed_at,
            expires_at=row.expires_at,
        )
        for row in rows
    }


def decisions_on(notice_numbers: Iterable[str]) -> dict[str, ReviewDecision]:
    """The decisions on these requests, by number."""
    rows = DecisionRecord.objects.select_related("reviewer").filter(notice_id__in=list(notice_numbers))
    return {
        row.notice_id: ReviewDecision(
            notice_number=row.notice_id,
            reviewer_name=row.reviewer.get_username(),
            outcome=Outcome(row.outcome),
            reason=Reason(row.reason) if row.reason else None,
            decided_at=row.decided_at,
        )
        for row in rows
    }


def openings_by(reviewer_id: int) -> int:
    """How many posts this reviewer has opened."""
    return OpeningRecord.objects.filter(reviewer_id=reviewer_id).count()
