"""A reviewer works on a request: claims it, gives it back, opens the post, decides."""

from __future__ import annotations

from datetime import datetime

from staydown.access.operations import new_public_id
from staydown.action.operations import instruct_copies
from staydown.action.terms import CopyKind, CopyToRemove
from staydown.bank import rules as bank_rules
from staydown.bank.operations import add_entry, set_state
from staydown.bank.queries import entries_of, entries_with_digest
from staydown.cases.queries import case_by_number
from staydown.catalog.queries import content_at, exact_copies_of
from staydown.catalog.terms import Content
from staydown.journeys.events import EventKind, write
from staydown.journeys.publishing import publish_bank_after_commit
from staydown.journeys.turn import in_turn
from staydown.matching.terms import EntryState
from staydown.notices.operations import change_state
from staydown.notices.queries import notice_by_number, notices_of_case
from staydown.notices.terms import Notice, NoticeAction
from staydown.review import operations as review
from staydown.review.terms import OpeningReason, Outcome, Reason


@in_turn
def claim_request(*, notice_number: str, reviewer_id: int, now: datetime) -> None:
    """Claims a waiting request. Raises ClaimedBySomebodyElse or TransitionRefused."""
    notice = notice_by_number(notice_number)
    change_state(number=notice_number, action=NoticeAction.CLAIM, now=now)
    review.claim(notice_number=notice_number, reviewer_id=reviewer_id, now=now)
    write(EventKind.REQUEST_CLAIMED, subject=notice.case_number, now=now, request=notice_number)


@in_turn
def release_request(*, notice_number: str, reviewer_id: int, now: datetime) -> None:
    """Gives a claimed request back to the queue. Raises NotClaimedByYou."""
    notice = notice_by_number(notice_number)
    review.release(notice_number=notice_number, reviewer_id=reviewer_id, now=now)
    change_state(number=notice_number, action=NoticeAction.RELEASE, now=now)
    write(EventKind.REQUEST_RELEASED, subject=notice.case_number, now=now, request=notice_number)


@in_turn
def open_post(*, notice_number: str, reviewer_id: int, reason: OpeningReason, now: datetime) -> Notice:
    """Records that a reviewer is about to open the post itself. Returns the request.

    Raises NotClaimedByYou without a live claim.
    """
    notice = notice_by_number(notice_number)
    review.record_opening(notice_number=notice_number, reviewer_id=reviewer_id, reason=reason, now=now)
    write(EventKind.POST_OPENED, subject=notice_number, now=now, reason=reason.value)
    return notice


@in_turn
def decline_request(*, notice_number: str, reviewer_id: int, reason: Reason | None, now: datetime) -> None:
    """Decides that nothing is removed, and why.

    Raises NotClaimedByYou, ReasonMissing, DecisionAlreadyFinal, or TransitionRefused if it was withdrawn.
    """
    notice = notice_by_number(notice_number)
    review.record_decision(
        notice_number=notice_number,
        reviewer_id=reviewer_id,
        outcome=Outcome.NOT_REMOVED,
        reason=reason,
        now=now,
    )
    change_state(number=notice_number, action=NoticeAction.DECLINE, now=now)
    write(
        EventKind.REQUEST_DECIDED,
        subject=notice.case_number,
        now=now,
        request=notice_number,
        outcome=Outcome.NOT_REMOVED.value,
        reason=reason.value if reason else None,
    )


@in_turn
def grant_request(*, notice_number: str, reviewer_id: int, now: datetime) -> None:
    """Decides that the picture goes.

    In one transaction: the decision; an order for each named post and for each exact copy that the catalog
    knows; and the bank's confirmation of the picture, so that it stays down.
    Raises NotClaimedByYou, DecisionAlreadyFinal, TransitionRefused if it was withdrawn, or NoEndpoint if the
    platform cannot be told.
    """
    notice = notice_by_number(notice_number)
    review.record_decision(
        notice_number=notice_number, reviewer_id=reviewer_id, outcome=Outcome.REMOVED, reason=None, now=now
    )
    change_state(number=notice_number, action=NoticeAction.REMOVE, now=now)
    write(
        EventKind.REQUEST_DECIDED,
        subject=notice.case_number,
        now=now,
        request=notice_number,
        outcome=Outcome.REMOVED.value,
        reason=None,
    )
    known = {url: content_at(platform_id=notice.platform_id, url=url) for url in notice.urls}
    _order_removal(notice, known=known, now=now)
    _confirm_pictures(notice, pictures=[content for content in known.values() if content], now=now)


def _order_removal(notice: Notice, *, known: dict[str, Content | None], now: datetime) -> None:
    wanted = {
        url: CopyToRemove(
            content_id=content.content_id if content else None, content_url=url, kind=CopyKind.NAMED
        )
        for url, content in known.items()
    }
    for content in known.values():
        for copy in exact_copies_of(content) if content else ():
            wanted.setdefault(
                copy.content_url,
                CopyToRemove(content_id=copy.content_id, content_url=copy.content_url, kind=CopyKind.EXACT),
            )
    copies = instruct_copies(
        notice_number=notice.number,
        platform_id=notice.platform_id,
        copies=list(wanted.values()),
        copy_ids=[new_public_id("cpy") for _ in wanted],
        message_ids=[new_public_id("msg") for _ in wanted],
        now=now,
    )
    for ordered in copies:
        write(
            EventKind.COPY_ORDERED,
            subject=notice.case_number,
            now=now,
            request=notice.number,
            copy=ordered.id,
            kind=ordered.kind.value,
        )


def _confirm_pictures(notice: Notice, *, pictures: list[Content], now: datetime) -> None:
    case = case_by_number(notice.case_number)
    registrations = [registration.id for registration in case.registrations]
    notices = [other.number for other in notices_of_case(case.number)]
    confirmed: list[str] = []
    for picture in pictures:
        own = entries_of(registration_ids=registrations, notice_numbers=notices)
        candidates = {entry.id: (entry, True) for entry in own}
        for entry in entries_with_digest(picture.digests.sha256):
            candidates.setdefault(entry.id, (entry, False))
        found = [
            entry.id
            for entry, own_case in candidates.values()
            if bank_rules.is_confirmed_by_removal(
                entry, digests=picture.digests, fingerprints=picture.fingerprints, own_case=own_case
            )
        ]
        set_state(entry_ids=found, state=EntryState.CONFIRMED, now=now)
        confirmed += found
        # Another case's entry of this file does not serve: it goes when that person withdraws.
        if not any(
            entry.notice_number and bank_rules.is_exact(entry.digests, picture.digests) for entry in own
        ):
            entry = add_entry(
                entry_id=new_public_id("ent"),
                digests=picture.digests,
                fingerprints=picture.fingerprints,
                state=EntryState.CONFIRMED,
                notice_number=notice.number,
                now=now,
            )
            confirmed.append(entry.id)
    if confirmed:
        write(
            EventKind.ENTRIES_CONFIRMED,
            subject=notice.case_number,
            now=now,
            request=notice.number,
            entries=list(dict.fromkeys(confirmed)),
        )
    publish_bank_after_commit()
