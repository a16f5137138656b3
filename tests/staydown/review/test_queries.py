"""Claims and decisions are told for the requests asked about, and only for those."""

from __future__ import annotations

from staydown.access.terms import Platform
from staydown.review import operations as review
from staydown.review.queries import claims_on, decisions_on, openings_by
from staydown.review.terms import Outcome
from tests.staydown.conftest import NOW, a_filed_request


def test_requests_without_a_claim_or_a_decision_are_left_out(forum: Platform, bob: int) -> None:
    # Given a claimed request, a decided one and an untouched one
    claimed, decided, untouched = (a_filed_request().number for _ in range(3))
    for number in (claimed, decided):
        review.claim(notice_number=number, reviewer_id=bob, now=NOW)
    review.record_decision(
        notice_number=decided, reviewer_id=bob, outcome=Outcome.REMOVED, reason=None, now=NOW
    )

    # Then each answer holds what was asked for and exists
    assert list(claims_on([claimed, decided, untouched])) == [claimed]
    assert list(decisions_on([claimed, decided, untouched])) == [decided]
    assert claims_on([untouched]) == claims_on([]) == decisions_on([]) == {}


def test_who_opened_nothing_has_opened_nothing(bob: int) -> None:
    assert openings_by(bob) == 0
