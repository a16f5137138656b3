"""What the case page and the desk show: everything that belongs there, and nothing to look at."""

from __future__ import annotations

from datetime import timedelta

import pytest

from staydown.access.terms import Platform
from staydown.bank.operations import record_matches
from staydown.bank.queries import entries_of
from staydown.bank.terms import SeenMatch
from staydown.cases.queries import case_by_number
from staydown.cases.terms import SubmittedItem
from staydown.journeys.deliver_instruction import confirm_copy_gone
from staydown.journeys.overviews import (
    case_overview,
    closed_requests,
    request_overview,
    review_overview,
    waiting_requests,
)
from staydown.journeys.register_pictures import open_case_with_pictures
from staydown.journeys.withdraw import withdraw_picture
from staydown.journeys.work_on_request import claim_request, decline_request, grant_request
from staydown.ledger.queries import events_of
from staydown.notices.errors import NoticeNotFound
from staydown.review.rules import CLAIM_LASTS
from staydown.review.terms import Outcome, Reason
from tests.staydown.conftest import (
    NOW,
    a_claimed_request,
    a_filed_request,
    a_staff_member,
    an_item,
    changed_by,
    some_content,
)

POSTS = "http://127.0.0.1:8001/posts/"


def registered(*items: SubmittedItem) -> str:
    return open_case_with_pictures(items, now=NOW).number


def test_case_shows_each_picture_how_far_it_is_protected_and_how_often_it_was_met(
    forum: Platform, bob: int
) -> None:
    # Given Alice's case: a picture that a removal confirmed, one with digests only, one withdrawn
    content = some_content(forum)
    number = registered(an_item(digests=content.digests), an_item(codes=()), an_item())
    ids = [row.id for row in case_by_number(number).registrations]
    notice = a_claimed_request(f"{POSTS}1", reviewer_id=bob, case_number=number)
    grant_request(notice_number=notice.number, reviewer_id=bob, now=NOW)
    withdraw_picture(case_number=number, registration_id=ids[2], now=NOW)
    [entry] = entries_of(registration_ids=ids[:1])
    record_matches(
        SeenMatch(check_id=f"chk_{n}", entry_id=entry.id, kind="exact", distance_bits=0, at=NOW)
        for n in range(2)
    )

    # When she opens it
    overview = case_overview(number, now=NOW)

    # Then all of that is there
    assert [row.id for row in overview.pictures] == ids
    assert [row.confirmed for row in overview.pictures] == [True, False, False]
    assert [row.near_matching for row in overview.pictures] == [True, False, True]
    assert [row.matches for row in overview.pictures] == [2, 0, 0]
    assert [row.withdrawn_at for row in overview.pictures] == [None, None, NOW]
    assert [row.notice.number for row in overview.requests] == [notice.number]
    assert overview.events == events_of(number)
    assert overview.case.number == number


def test_case_shows_nothing_of_another_case(forum: Platform) -> None:
    number = registered(an_item())
    registered(an_item())
    a_filed_request()

    overview = case_overview(number, now=NOW)

    assert (len(overview.pictures), overview.requests, len(overview.events)) == (1, (), 2)


def test_request_shows_how_many_copies_the_platform_says_are_gone(forum: Platform, bob: int) -> None:
    # Given a granted request with two copies, of which one is gone
    notice = a_claimed_request(f"{POSTS}1", f"{POSTS}2", reviewer_id=bob)
    grant_request(notice_number=notice.number, reviewer_id=bob, now=NOW)
    before = request_overview(notice.number, now=NOW)
    confirm_copy_gone(copy_id=before.copies[0].id, platform_id=forum.id, now=NOW)

    # Then that is what it shows, with its platform and its decision, and no claim any more
    after = request_overview(notice.number, now=NOW)
    assert (before.copies_gone, after.copies_gone, len(after.copies)) == (0, 1, 2)
    assert (after.platform, after.claim) == (forum, None)
    assert after.decision is not None
    assert after.decision.outcome is Outcome.REMOVED


def test_unknown_request_is_not_found(db: None, bob: int) -> None:
    with pytest.raises(NoticeNotFound):
        request_overview("R-NONE-0000", now=NOW)
    with pytest.raises(NoticeNotFound):
        review_overview("R-NONE-0000", reviewer_id=bob, now=NOW)


def test_queue_is_by_deadline_and_shows_live_claims_only(forum: Platform, bob: int) -> None:
    # Given a later request and an earlier one that Bob claimed
    later = a_filed_request(now=NOW + timedelta(hours=1))
    earlier = a_claimed_request(reviewer_id=bob)

    # Then the earlier one is first and shows the claim until it ends
    rows = waiting_requests(now=NOW)
    assert [row.notice.number for row in rows] == [earlier.number, later.number]
    assert [row.claim and row.claim.reviewer_name for row in rows] == ["bob", None]
    assert [row.claim for row in waiting_requests(now=NOW + CLAIM_LASTS)] == [None, None]


def test_closed_requests_are_the_last_ones_with_their_reasons(forum: Platform, bob: int) -> None:
    notices = [a_claimed_request(reviewer_id=bob) for _ in range(3)]
    for minutes, notice in enumerate(notices):
        decline_request(
            notice_number=notice.number,
            reviewer_id=bob,
            reason=Reason.NOT_FOUND,
            now=NOW + timedelta(minutes=minutes),
        )

    rows = closed_requests(most=2, now=NOW)
    assert [row.notice.number for row in rows] == [notices[2].number, notices[1].number]
    assert [row.decision and row.decision.reason for row in rows] == [Reason.NOT_FOUND] * 2
    assert waiting_requests(now=NOW) == ()


def test_review_tells_what_is_known_of_each_address_without_looking(forum: Platform, bob: int) -> None:
    # Given a case with a registration 9 bits from one post and one of the very file of another
    near = some_content(forum, 1)
    same = some_content(forum, 2)
    some_content(forum, 4, digests=same.digests)
    number = registered(
        an_item(codes=tuple(changed_by(code, bits=9) for code in near.fingerprints)),
        an_item(digests=same.digests, codes=()),
    )
    some_content(forum, 5, fingerprints=())
    notice = a_filed_request(f"{POSTS}1", f"{POSTS}2", f"{POSTS}3", f"{POSTS}5", case_number=number)

    # When Bob opens the request
    overview = review_overview(notice.number, reviewer_id=bob, now=NOW)

    # Then each address says what a machine can tell of it
    told = [(row.url, row.known, row.exact_copies, row.registered_bits) for row in overview.locations]
    assert told == [
        (f"{POSTS}1", True, 0, 9),
        (f"{POSTS}2", True, 1, 0),
        (f"{POSTS}3", False, 0, None),
        (f"{POSTS}5", True, 0, None),
    ]


def test_strangers_and_withdrawn_registrations_say_nothing_about_a_post(forum: Platform, bob: int) -> None:
    # Given Dana's registration of the file, and Alice's own that she withdrew
    content = some_content(forum)
    registered(an_item(digests=content.digests, codes=content.fingerprints))
    alices = registered(an_item(digests=content.digests, codes=content.fingerprints))
    [row] = case_by_number(alices).registrations
    withdraw_picture(case_number=alices, registration_id=row.id, now=NOW)
    notice = a_filed_request(f"{POSTS}1", case_number=alices)

    [location] = review_overview(notice.number, reviewer_id=bob, now=NOW).locations
    assert location.registered_bits is None


def test_review_says_whose_the_request_is(forum: Platform, bob: int) -> None:
    # Given a request that nobody claimed, then Bob, then nobody again
    berta = a_staff_member("berta")
    notice = a_filed_request()

    def held(reviewer_id: int, *, minutes: int = 0) -> tuple[bool, bool]:
        now = NOW + timedelta(minutes=minutes)
        overview = review_overview(notice.number, reviewer_id=reviewer_id, now=now)
        return overview.held_by_me, overview.held_by_other

    assert held(bob) == (False, False)
    claim_request(notice_number=notice.number, reviewer_id=bob, now=NOW)
    assert (held(bob), held(berta)) == ((True, False), (False, True))
    assert (held(bob, minutes=30), held(berta, minutes=30)) == ((False, False), (False, False))
