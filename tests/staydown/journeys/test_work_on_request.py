"""Bob works on a request: claims, opens, decides. A removal reaches exact copies and the bank at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings

from staydown.access.terms import Platform
from staydown.action.errors import NoEndpoint
from staydown.action.models import CopyRecord, DeliveryRecord, EndpointRecord
from staydown.action.queries import copies_of
from staydown.action.terms import CopyKind, CopyState
from staydown.bank.queries import entries_of, entries_with_digest
from staydown.bank.terms import Entry, Source
from staydown.cases.queries import case_by_number
from staydown.cases.terms import SubmittedItem
from staydown.catalog.terms import Content
from staydown.fingerprint import Fingerprint
from staydown.journal import BankJournalReader, Reset
from staydown.journeys.register_pictures import open_case_with_pictures
from staydown.journeys.withdraw import withdraw_everything
from staydown.journeys.work_on_request import (
    claim_request,
    decline_request,
    grant_request,
    open_post,
    release_request,
)
from staydown.ledger.queries import events_of
from staydown.matching.terms import EntryState
from staydown.notices.errors import NoticeNotFound, TransitionRefused
from staydown.notices.queries import notice_by_number
from staydown.notices.terms import Notice, NoticeState
from staydown.review.errors import (
    ClaimedBySomebodyElse,
    DecisionAlreadyFinal,
    NotClaimedByYou,
    ReasonMissing,
)
from staydown.review.queries import claims_on, decisions_on, openings_by
from staydown.review.rules import CLAIM_LASTS
from staydown.review.terms import OpeningReason, Outcome, Reason
from tests.staydown.conftest import (
    NOW,
    a_claimed_request,
    a_filed_request,
    a_platform,
    a_staff_member,
    an_item,
    changed_by,
    some_content,
    some_digests,
)

Callbacks = Callable[..., Any]
POSTS = "http://127.0.0.1:8001/posts/"


@pytest.fixture
def berta(db: None) -> int:
    """A second reviewer."""
    return a_staff_member("berta")


def state_of(notice: Notice) -> NoticeState:
    return notice_by_number(notice.number).state


def kinds(notice: Notice) -> list[str]:
    return [row.event.kind for row in events_of(notice.case_number)]


def registered(*items: SubmittedItem) -> str:
    return open_case_with_pictures(items, now=NOW).number


def the_entry(case_number: str) -> Entry:
    [registration] = case_by_number(case_number).registrations
    [entry] = entries_of(registration_ids=[registration.id])
    return entry


def near(content: Content, *, bits: int = 12) -> tuple[Fingerprint, ...]:
    return tuple(changed_by(code, bits=bits) for code in content.fingerprints)


# --- claiming and giving back


def test_claimed_request_is_kept_for_one_reviewer_and_can_be_given_back(
    forum: Platform, bob: int, berta: int
) -> None:
    # Given Alice's request, claimed by Bob
    notice = a_claimed_request(reviewer_id=bob)
    assert state_of(notice) is NoticeState.CLAIMED

    # When Berta claims it or gives it back, then nothing changes
    before = kinds(notice)
    with pytest.raises(ClaimedBySomebodyElse):
        claim_request(notice_number=notice.number, reviewer_id=berta, now=NOW)
    with pytest.raises(NotClaimedByYou):
        release_request(notice_number=notice.number, reviewer_id=berta, now=NOW)
    assert kinds(notice) == before
    assert claims_on([notice.number])[notice.number].reviewer_id == bob

    # When Bob gives it back, then it waits for anybody
    release_request(notice_number=notice.number, reviewer_id=bob, now=NOW)
    assert state_of(notice) is NoticeState.OPEN
    claim_request(notice_number=notice.number, reviewer_id=berta, now=NOW)
    assert kinds(notice)[-2:] == ["request.released", "request.claimed"]


def test_claim_that_ended_passes_to_the_next_reviewer(forum: Platform, bob: int, berta: int) -> None:
    # Given Bob, who went home
    notice = a_claimed_request(reviewer_id=bob)
    later = NOW + CLAIM_LASTS

    # When Berta claims it after half an hour, then she decides and Bob cannot
    claim_request(notice_number=notice.number, reviewer_id=berta, now=later)
    with pytest.raises(NotClaimedByYou):
        grant_request(notice_number=notice.number, reviewer_id=bob, now=later)
    decline_request(notice_number=notice.number, reviewer_id=berta, reason=Reason.NOT_FOUND, now=later)
    assert state_of(notice) is NoticeState.NOT_REMOVED


def test_claim_that_ended_cannot_be_decided_upon_even_by_its_holder(forum: Platform, bob: int) -> None:
    notice = a_claimed_request(reviewer_id=bob)

    with pytest.raises(NotClaimedByYou):
        grant_request(notice_number=notice.number, reviewer_id=bob, now=NOW + CLAIM_LASTS)
    assert state_of(notice) is NoticeState.CLAIMED


@pytest.mark.parametrize("act", [claim_request, release_request, grant_request])
def test_unknown_request_is_not_found(db: None, bob: int, act: Callable[..., None]) -> None:
    with pytest.raises(NoticeNotFound):
        act(notice_number="R-NONE-0000", reviewer_id=bob, now=NOW)


def test_closed_request_cannot_be_claimed(forum: Platform, bob: int) -> None:
    notice = a_claimed_request(reviewer_id=bob)
    grant_request(notice_number=notice.number, reviewer_id=bob, now=NOW)

    with pytest.raises(TransitionRefused):
        claim_request(notice_number=notice.number, reviewer_id=bob, now=NOW)
    assert claims_on([notice.number]) == {}


# --- looking


def test_opening_a_post_is_recorded_and_is_not_in_alices_receipt(forum: Platform, bob: int) -> None:
    # When Bob opens the post twice
    notice = a_claimed_request(reviewer_id=bob)
    for _ in range(2):
        opened = open_post(
            notice_number=notice.number, reviewer_id=bob, reason=OpeningReason.CHECK_LOCATION, now=NOW
        )
        assert opened.number == notice.number

    # Then both are counted and in the ledger under the request, not under her case
    assert openings_by(bob) == 2
    assert [row.event.details for row in events_of(notice.number)] == [{"reason": "check_location"}] * 2
    assert "post.opened" not in kinds(notice)


# --- declining


@pytest.mark.parametrize("reason", list(Reason))
def test_declined_request_says_why_and_removes_nothing(forum: Platform, bob: int, reason: Reason) -> None:
    # Given Alice's request for a post that is known
    some_content(forum)
    notice = a_claimed_request(reviewer_id=bob)

    # When Bob declines
    decline_request(notice_number=notice.number, reviewer_id=bob, reason=reason, now=NOW)

    # Then it is closed with the reason, and nobody was told to remove anything
    assert state_of(notice) is NoticeState.NOT_REMOVED
    decision = decisions_on([notice.number])[notice.number]
    assert (decision.outcome, decision.reason) == (Outcome.NOT_REMOVED, reason)
    assert events_of(notice.case_number)[-1].event.details == {
        "request": notice.number,
        "outcome": "not_removed",
        "reason": reason.value,
    }
    assert not CopyRecord.objects.exists()
    assert entries_of(notice_numbers=[notice.number]) == ()


def test_declining_needs_a_reason(forum: Platform, bob: int) -> None:
    notice = a_claimed_request(reviewer_id=bob)

    with pytest.raises(ReasonMissing):
        decline_request(notice_number=notice.number, reviewer_id=bob, reason=None, now=NOW)
    assert state_of(notice) is NoticeState.CLAIMED


# --- granting


def test_only_the_first_of_two_decisions_counts(forum: Platform, bob: int, berta: int) -> None:
    # Given a request that Bob granted
    notice = a_claimed_request(reviewer_id=bob)
    grant_request(notice_number=notice.number, reviewer_id=bob, now=NOW)
    before = kinds(notice)

    # When he or Berta decides again, then the first decision stands
    for reviewer_id in (bob, berta):
        with pytest.raises(DecisionAlreadyFinal):
            decline_request(
                notice_number=notice.number, reviewer_id=reviewer_id, reason=Reason.NOT_FOUND, now=NOW
            )
        with pytest.raises(DecisionAlreadyFinal):
            grant_request(notice_number=notice.number, reviewer_id=reviewer_id, now=NOW)
    assert state_of(notice) is NoticeState.REMOVED
    assert kinds(notice) == before
    assert CopyRecord.objects.count() == 1


def test_named_and_exact_copies_are_ordered_and_a_near_one_is_not(forum: Platform, bob: int) -> None:
    # Given two named posts, one of them unknown, an exact copy and a near copy
    digests = some_digests()
    named = some_content(forum, 1, digests=digests)
    some_content(forum, 3, digests=digests)
    some_content(forum, 4, fingerprints=near(named))
    notice = a_claimed_request(f"{POSTS}1", f"{POSTS}2", reviewer_id=bob)

    # When Bob grants the request
    grant_request(notice_number=notice.number, reviewer_id=bob, now=NOW)

    # Then the named posts and the exact copy are ordered, each once, with a message that is due
    copies = copies_of([notice.number])[notice.number]
    assert [(copy.kind, copy.content_id, copy.content_url) for copy in copies] == [
        (CopyKind.NAMED, "post-1", f"{POSTS}1"),
        (CopyKind.NAMED, None, f"{POSTS}2"),
        (CopyKind.EXACT, "post-3", f"{POSTS}3"),
    ]
    assert {copy.state for copy in copies} == {CopyState.PENDING}
    assert list(DeliveryRecord.objects.values_list("copy__public_id", "state")) == [
        (copy.id, "waiting") for copy in copies
    ]
    ordered = [row.event for row in events_of(notice.case_number) if row.event.kind == "copy.ordered"]
    assert [event.details["copy"] for event in ordered] == [copy.id for copy in copies]


def test_copy_that_is_both_named_and_exact_is_ordered_once(forum: Platform, bob: int) -> None:
    digests = some_digests()
    for number in (1, 2):
        some_content(forum, number, digests=digests)
    notice = a_claimed_request(f"{POSTS}1", f"{POSTS}2", reviewer_id=bob)

    grant_request(notice_number=notice.number, reviewer_id=bob, now=NOW)

    assert [copy.kind for copy in copies_of([notice.number])[notice.number]] == [CopyKind.NAMED] * 2
    assert len(entries_of(notice_numbers=[notice.number])) == 1


def test_removed_picture_becomes_a_confirmed_entry_from_what_the_catalog_knows(
    forum: Platform, bob: int, django_capture_on_commit_callbacks: Callbacks
) -> None:
    # Given a post that Alice never registered
    content = some_content(forum)
    notice = a_claimed_request(f"{POSTS}1", reviewer_id=bob)

    # When it is removed
    with django_capture_on_commit_callbacks(execute=True):
        grant_request(notice_number=notice.number, reviewer_id=bob, now=NOW)

    # Then the bank has it, confirmed, with the request as its source, and it is published
    [entry] = entries_of(notice_numbers=[notice.number])
    assert (entry.state, entry.source) == (EntryState.CONFIRMED, Source.NOTICE)
    assert (entry.digests, entry.fingerprints) == (content.digests, content.fingerprints)
    news = BankJournalReader(settings.STAYDOWN_BANK_JOURNAL_PATH).poll()
    [record] = [record for record in news if not isinstance(record, Reset)]
    assert (record["op"], record["entry"]["id"], record["entry"]["state"]) == ("put", entry.id, "confirmed")
    last = events_of(notice.case_number)[-1].event
    assert (last.kind, last.details["entries"]) == ("entries.confirmed", [entry.id])


def test_unknown_post_is_ordered_removed_but_nothing_enters_the_bank(forum: Platform, bob: int) -> None:
    notice = a_claimed_request(f"{POSTS}1", reviewer_id=bob)

    grant_request(notice_number=notice.number, reviewer_id=bob, now=NOW)

    assert len(copies_of([notice.number])[notice.number]) == 1
    assert entries_of(notice_numbers=[notice.number]) == ()
    assert "entries.confirmed" not in kinds(notice)


def test_own_near_registration_is_confirmed_and_a_far_one_is_not(forum: Platform, bob: int) -> None:
    # Given Alice's case with a registration near to the post and another picture
    content = some_content(forum)
    case_number = registered(an_item(codes=near(content)), an_item())
    notice = a_claimed_request(f"{POSTS}1", reviewer_id=bob, case_number=case_number)

    # When the post is removed
    grant_request(notice_number=notice.number, reviewer_id=bob, now=NOW)

    # Then hers that is near is confirmed, the other one waits, and the post itself is an entry too
    ids = [row.id for row in case_by_number(case_number).registrations]
    states = [entry.state for entry in entries_of(registration_ids=ids)]
    assert states == [EntryState.CONFIRMED, EntryState.UNCONFIRMED]
    [entry] = entries_of(notice_numbers=[notice.number])
    confirmed = events_of(notice.case_number)[-1].event.details["entries"]
    assert confirmed == [entries_of(registration_ids=ids)[0].id, entry.id]


def test_strangers_near_registration_is_not_confirmed_but_their_exact_one_is(
    forum: Platform, bob: int
) -> None:
    # Given Dana's registration near to the post, and Erin's of the very file
    content = some_content(forum)
    danas = registered(an_item(codes=near(content, bits=1)))
    erins = registered(an_item(digests=content.digests, codes=()))
    notice = a_claimed_request(f"{POSTS}1", reviewer_id=bob)

    # When the post is removed at Alice's request
    grant_request(notice_number=notice.number, reviewer_id=bob, now=NOW)

    # Then nobody has looked at Dana's; Erin's is the file that somebody looked at
    assert the_entry(danas).state is EntryState.UNCONFIRMED
    assert the_entry(erins).state is EntryState.CONFIRMED


@pytest.mark.parametrize("same_file", [True, False])
def test_withdrawn_registration_is_never_confirmed(forum: Platform, bob: int, same_file: bool) -> None:
    # Given Dana, who registered the very file or one near to it, and withdrew
    content = some_content(forum)
    danas = registered(an_item(digests=content.digests if same_file else None, codes=near(content)))
    withdraw_everything(case_number=danas, now=NOW)

    # When Alice's request is granted, then Dana's entry stays withdrawn
    notice = a_claimed_request(f"{POSTS}1", reviewer_id=bob)
    grant_request(notice_number=notice.number, reviewer_id=bob, now=NOW)
    assert the_entry(danas).state is EntryState.WITHDRAWN


def test_second_request_of_the_same_case_adds_no_second_entry(forum: Platform, bob: int) -> None:
    # Given a file that was removed at Alice's request and posted again
    digests = some_digests()
    some_content(forum, 1, digests=digests)
    first = a_claimed_request(f"{POSTS}1", reviewer_id=bob)
    grant_request(notice_number=first.number, reviewer_id=bob, now=NOW)
    some_content(forum, 2, digests=digests)

    # When she asks again, then her entry serves
    second = a_claimed_request(f"{POSTS}2", reviewer_id=bob, case_number=first.case_number)
    grant_request(notice_number=second.number, reviewer_id=bob, now=NOW)
    assert len(entries_with_digest(digests.sha256)) == 1


def test_entry_of_one_person_does_not_depend_on_another_who_withdraws(forum: Platform, bob: int) -> None:
    # Given one file with Dana and Alice in it, removed at Dana's request and then at Alice's
    digests = some_digests()
    some_content(forum, 1, digests=digests)
    danas, alices = (a_claimed_request(f"{POSTS}1", reviewer_id=bob) for _ in range(2))
    for notice in (danas, alices):
        grant_request(notice_number=notice.number, reviewer_id=bob, now=NOW)

    # When Dana withdraws everything
    withdraw_everything(case_number=danas.case_number, now=NOW)

    # Then what was granted to Alice still keeps it down
    [entry] = entries_with_digest(digests.sha256)
    assert (entry.state, entry.notice_number) == (EntryState.CONFIRMED, alices.number)


def test_platform_that_cannot_be_told_rolls_everything_back(transactional_db: None) -> None:
    # Given a platform without an endpoint, a known post and a claimed request
    platform = a_platform(endpoint=False)
    some_content(platform)
    bob = a_staff_member()
    case_number = registered(an_item())
    notice = a_claimed_request(f"{POSTS}1", reviewer_id=bob, case_number=case_number)
    before = kinds(notice)

    # When Bob grants it
    with pytest.raises(NoEndpoint):
        grant_request(notice_number=notice.number, reviewer_id=bob, now=NOW)

    # Then it is as if he had not: the claim, the state, the ledger, the bank
    assert state_of(notice) is NoticeState.CLAIMED
    assert decisions_on([notice.number]) == {}
    assert claims_on([notice.number])[notice.number].reviewer_id == bob
    assert kinds(notice) == before
    assert entries_of(notice_numbers=[notice.number]) == ()
    assert not CopyRecord.objects.exists()

    # When an endpoint is set, then the same decision goes through
    EndpointRecord.objects.create(platform_id=platform.id, url="http://127.0.0.1:8001/x", secret="whsec_eA==")
    grant_request(notice_number=notice.number, reviewer_id=bob, now=NOW + timedelta(minutes=1))
    assert state_of(notice) is NoticeState.REMOVED


def test_failure_at_the_very_end_leaves_no_message_behind(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a bank that breaks after the orders were written
    some_content(a_platform())
    bob = a_staff_member()
    notice = a_claimed_request(f"{POSTS}1", reviewer_id=bob)

    def broken(**given: object) -> None:
        raise OSError

    monkeypatch.setattr("staydown.journeys.work_on_request.add_entry", broken)

    # Then neither an order nor a message is left
    with pytest.raises(OSError):
        grant_request(notice_number=notice.number, reviewer_id=bob, now=NOW)
    assert not CopyRecord.objects.exists()
    assert not DeliveryRecord.objects.exists()
    assert state_of(notice) is NoticeState.CLAIMED


def test_another_platforms_copy_of_the_file_is_not_ordered(forum: Platform, bob: int) -> None:
    # Given the same file on another platform, which the request does not name
    content = some_content(forum)
    some_content(a_platform("Other", url_prefix="https://other.example/"), 2, digests=content.digests)
    notice = a_claimed_request(f"{POSTS}1", reviewer_id=bob)

    grant_request(notice_number=notice.number, reviewer_id=bob, now=NOW)

    assert [copy.platform_id for copy in copies_of([notice.number])[notice.number]] == [forum.id]


def test_waiting_request_that_nobody_claimed_cannot_be_decided(forum: Platform, bob: int) -> None:
    notice = a_filed_request()

    with pytest.raises(NotClaimedByYou):
        grant_request(notice_number=notice.number, reviewer_id=bob, now=NOW)
    assert state_of(notice) is NoticeState.OPEN
