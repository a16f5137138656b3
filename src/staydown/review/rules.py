"""Pure rules of review: claims and decisions."""

from __future__ import annotations

from datetime import datetime, timedelta

from staydown.review.errors import ClaimedBySomebodyElse, NotClaimedByYou, ReasonMissing
from staydown.review.terms import Claim, Outcome, Reason

# Long enough to read, decide and be interrupted once; short enough that a request whose reviewer has
# gone home comes back to the queue well inside its 48 hours.
CLAIM_LASTS = timedelta(minutes=30)


def is_live(claim: Claim, *, now: datetime) -> bool:
    """Whether the claim still keeps others out."""
    return now < claim.expires_at


def check_may_claim(claim: Claim | None, *, reviewer_id: int, now: datetime) -> None:
    """Raises ClaimedBySomebodyElse while another reviewer's claim is live."""
    if claim is not None and claim.reviewer_id != reviewer_id and is_live(claim, now=now):
        raise ClaimedBySomebodyElse


def holds(claim: Claim | None, *, reviewer_id: int, now: datetime) -> bool:
    """Whether this reviewer has a live claim."""
    return claim is not None and claim.reviewer_id == reviewer_id and is_live(claim, now=now)


def check_may_decide(claim: Claim | None, *, reviewer_id: int, now: datetime) -> None:
    """Raises NotClaimedByYou unless this reviewer has a live claim."""
    if not holds(claim, reviewer_id=reviewer_id, now=now):
        raise NotClaimedByYou


def check_reason(outcome: Outcome, reason: Reason | None) -> None:
    """Raises ReasonMissing if a refusal has no reason."""
    if outcome is Outcome.NOT_REMOVED and reason is None:
        raise ReasonMissing
