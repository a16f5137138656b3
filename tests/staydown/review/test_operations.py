"""Claims and decisions: one claim a request, one decision a request, both with who and when."""

from __future__ import annotations

from datetime import timedelta

import pytest

from staydown.access.terms import Platform
from staydown.notices.terms import Notice
from staydown.review import operations as review
from staydown.review.errors import (
    ClaimedBySomebodyElse,
    DecisionAlreadyFinal,
    NotClaimedByYou,
    ReasonMissing,
)
from staydown.review.models import ClaimRecord, DecisionRecord, OpeningRecord
from staydown.review.queries import claims_on, decisions_on, openings_by
from staydown.review.rules import CLAIM_LASTS
from staydown.review.terms import OpeningReason, Outcome, Reason
from tests.staydown.conftest import NOW, a_filed_request, a_staff_member


@pytest.fixture
def notice(forum: Platform) -> Notice:
    return a_filed_request()


@pytest.fixture
def berta(db: None) -> int:
    """A second reviewer."""
    return a_staff_member("berta")


def decide(notice: Notice, reviewer_id: int, *, reason: Reason | None = None, minutes: int = 0) -> None:
    review.record_decision(
        notice_number=notice.number,
        reviewer_id=reviewer_id,
        outcome=Outcome.NOT_REMOVED if reason else Outcome.REMOVED,
        reason=reason,
        now=NOW + timedelta(minutes=minutes),
    )


def test_claim_keeps_others_out_until_it_ends(notice: Notice, bob: int, berta: int) -> None:
    # Given Bob's claim
    review.claim(notice_number=notice.number, reviewer_id=bob, now=NOW)

    # When Berta claims it half a minute before the end, then she is kept out
    with pytest.raises(ClaimedBySomebodyElse):
        review.claim(
            notice_number=notice.number, reviewer_id=berta, now=NOW + CLAIM_LASTS - timedelta(seconds=30)
        )

    # When it has ended, then it is hers
    review.claim(notice_number=notice.number, reviewer_id=berta, now=NOW + CLAIM_LASTS)
    claim = claims_on([notice.number])[notice.number]
    assert (claim.reviewer_id, claim.reviewer_name) == (berta, "berta")
    assert (claim.claimed_at, claim.expires_at) == (NOW + CLAIM_LASTS, NOW + 2 * CLAIM_LASTS)
    assert ClaimRecord.objects.count() == 1


def test_own_claim_is_renewed(notice: Notice, bob: int) -> None:
    for minutes in (0, 20):
        now = NOW + timedelta(minutes=minutes)
        review.claim(notice_number=notice.number, reviewer_id=bob, now=now)

    assert claims_on([notice.number])[notice.number].expires_at == NOW + timedelta(minutes=50)


def test_only_who_holds_the_claim_gives_it_back(notice: Notice, bob: int, berta: int) -> None:
    # Given Bob's claim
    review.claim(notice_number=notice.number, reviewer_id=bob, now=NOW)

    # When Berta gives it back, then it stays
    with pytest.raises(NotClaimedByYou):
        review.release(notice_number=notice.number, reviewer_id=berta, now=NOW)
    assert claims_on([notice.number])

    # When Bob does, then it is gone, and cannot be given back again
    review.release(notice_number=notice.number, reviewer_id=bob, now=NOW)
    assert claims_on([notice.number]) == {}
    with pytest.raises(NotClaimedByYou):
        review.release(notice_number=notice.number, reviewer_id=bob, now=NOW)


def test_nobody_decides_without_a_live_claim(notice: Notice, bob: int, berta: int) -> None:
    # Given no claim, then nobody decides
    with pytest.raises(NotClaimedByYou):
        decide(notice, bob)

    # Given Bob's claim, then neither Berta decides, nor Bob after it has ended
    review.claim(notice_number=notice.number, reviewer_id=bob, now=NOW)
    with pytest.raises(NotClaimedByYou):
        decide(notice, berta)
    with pytest.raises(NotClaimedByYou):
        decide(notice, bob, minutes=30)
    assert not DecisionRecord.objects.exists()


def test_decision_is_recorded_with_who_and_when_and_ends_the_claim(notice: Notice, bob: int) -> None:
    # Given Bob's claim, when he refuses with a reason
    review.claim(notice_number=notice.number, reviewer_id=bob, now=NOW)
    decide(notice, bob, reason=Reason.NOT_FOUND, minutes=29)

    # Then that is what is on record
    decision = decisions_on([notice.number])[notice.number]
    assert (decision.outcome, decision.reason) == (Outcome.NOT_REMOVED, Reason.NOT_FOUND)
    assert (decision.reviewer_name, decision.decided_at) == ("bob", NOW + timedelta(minutes=29))
    assert claims_on([notice.number]) == {}


def test_removal_needs_no_reason(notice: Notice, bob: int) -> None:
    review.claim(notice_number=notice.number, reviewer_id=bob, now=NOW)
    decide(notice, bob)

    assert decisions_on([notice.number])[notice.number].reason is None


def test_refusal_without_a_reason_is_not_recorded(notice: Notice, bob: int) -> None:
    review.claim(notice_number=notice.number, reviewer_id=bob, now=NOW)

    with pytest.raises(ReasonMissing):
        review.record_decision(
            notice_number=notice.number, reviewer_id=bob, outcome=Outcome.NOT_REMOVED, reason=None, now=NOW
        )
    assert claims_on([notice.number])
    assert decisions_on([notice.number]) == {}


def test_second_decision_is_refused_even_with_a_claim(notice: Notice, bob: int, berta: int) -> None:
    # Given Bob's decision, and a claim of Berta's after it
    review.claim(notice_number=notice.number, reviewer_id=bob, now=NOW)
    decide(notice, bob)
    review.claim(notice_number=notice.number, reviewer_id=berta, now=NOW)

    # Then the first decision stands
    with pytest.raises(DecisionAlreadyFinal):
        decide(notice, berta, reason=Reason.NOT_INTIMATE)
    assert decisions_on([notice.number])[notice.number].reviewer_name == "bob"


def test_each_opening_is_recorded_with_its_reason(notice: Notice, bob: int, berta: int) -> None:
    # When Bob opens the post twice and, after he gave the request back, Berta once
    for reviewer_id, reason in [
        (bob, OpeningReason.CHECK_LOCATION),
        (bob, OpeningReason.CANNOT_DECIDE_WITHOUT),
        (berta, OpeningReason.SECOND_OPINION),
    ]:
        review.claim(notice_number=notice.number, reviewer_id=reviewer_id, now=NOW)
        review.record_opening(notice_number=notice.number, reviewer_id=reviewer_id, reason=reason, now=NOW)
        review.release(notice_number=notice.number, reviewer_id=reviewer_id, now=NOW)

    # Then each is there, and counted for who did it
    assert (openings_by(bob), openings_by(berta)) == (2, 1)
    assert list(OpeningRecord.objects.order_by("pk").values_list("reason", flat=True)) == [
        "check_location",
        "cannot_decide_without",
        "second_opinion",
    ]


def test_post_is_not_opened_without_a_claim(notice: Notice, bob: int) -> None:
    with pytest.raises(NotClaimedByYou):
        review.record_opening(
            notice_number=notice.number, reviewer_id=bob, reason=OpeningReason.SECOND_OPINION, now=NOW
        )

    assert openings_by(bob) == 0
