"""Who may claim and decide: one reviewer at a time, and never a refusal without a reason."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from staydown.review import rules
from staydown.review.errors import ClaimedBySomebodyElse, NotClaimedByYou, ReasonMissing
from staydown.review.terms import Claim, Outcome, Reason
from tests.staydown.conftest import NOW

BOB, BERTA = 1, 2
BOBS = Claim(
    notice_number="R-1",
    reviewer_id=BOB,
    reviewer_name="bob",
    claimed_at=NOW,
    expires_at=NOW + rules.CLAIM_LASTS,
)
LAST = BOBS.expires_at - timedelta(microseconds=1)

# claim, who asks, when; may they claim, may they decide
TABLE = [
    (None, BOB, NOW, True, False),
    (BOBS, BOB, NOW, True, True),
    (BOBS, BOB, LAST, True, True),
    (BOBS, BOB, BOBS.expires_at, True, False),
    (BOBS, BERTA, NOW, False, False),
    (BOBS, BERTA, LAST, False, False),
    (BOBS, BERTA, BOBS.expires_at, True, False),
]


@pytest.mark.parametrize(("claim", "reviewer_id", "now", "may_claim", "may_decide"), TABLE)
def test_only_who_holds_a_live_claim_decides_and_only_others_live_claims_keep_out(
    claim: Claim | None, reviewer_id: int, now: datetime, may_claim: bool, may_decide: bool
) -> None:
    assert rules.holds(claim, reviewer_id=reviewer_id, now=now) is may_decide
    if may_claim:
        rules.check_may_claim(claim, reviewer_id=reviewer_id, now=now)
    else:
        with pytest.raises(ClaimedBySomebodyElse):
            rules.check_may_claim(claim, reviewer_id=reviewer_id, now=now)
    if may_decide:
        rules.check_may_decide(claim, reviewer_id=reviewer_id, now=now)
    else:
        with pytest.raises(NotClaimedByYou):
            rules.check_may_decide(claim, reviewer_id=reviewer_id, now=now)


def test_claim_lives_half_an_hour_to_the_instant() -> None:
    assert timedelta(minutes=30) == rules.CLAIM_LASTS
    assert rules.is_live(BOBS, now=LAST)
    assert not rules.is_live(BOBS, now=BOBS.expires_at)


@pytest.mark.parametrize("reason", [None, *Reason])
@pytest.mark.parametrize("outcome", list(Outcome))
def test_refusal_without_a_reason_is_the_only_thing_refused(outcome: Outcome, reason: Reason | None) -> None:
    if outcome is Outcome.NOT_REMOVED and reason is None:
        with pytest.raises(ReasonMissing):
            rules.check_reason(outcome, reason)
    else:
        rules.check_reason(outcome, reason)
