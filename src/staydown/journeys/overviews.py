"""What a page shows when it needs more than one stage. Reads only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from staydown.access.queries import platforms
from staydown.access.terms import Platform
from staydown.action.queries import copies_of
from staydown.action.terms import Copy
from staydown.bank import rules as bank_rules
from staydown.bank.queries import entries_of, match_counts, open_floods_of
from staydown.bank.terms import Entry
from staydown.cases.queries import case_by_number, outside_requests_of, plan_of
from staydown.cases.terms import Case, OutsideRequest, Plan
from staydown.catalog.queries import content_at, exact_copies_of
from staydown.catalog.terms import Content
from staydown.ledger.queries import events_of
from staydown.ledger.terms import RecordedEvent
from staydown.matching import DEFAULT_THRESHOLD_BITS
from staydown.matching.terms import EntryState
from staydown.notices.queries import (
    closed_notices,
    notice_by_number,
    notices_of_case,
    waiting_notices_by_deadline,
)
from staydown.notices.terms import Notice
from staydown.review import rules as review_rules
from staydown.review.queries import claims_on, decisions_on
from staydown.review.terms import Claim, ReviewDecision


@dataclass(frozen=True, slots=True)
class RequestOverview:
    """One request with what became of it."""

    notice: Notice
    platform: Platform
    claim: Claim | None
    decision: ReviewDecision | None
    copies: tuple[Copy, ...]

    @property
    def copies_gone(self) -> int:
        """How many copies the platform says are gone."""
        return sum(copy.gone_at is not None for copy in self.copies)


@dataclass(frozen=True, slots=True)
class PictureOverview:
    """One protected picture: how far it is protected and how often a check met it."""

    id: str
    position: int
    media: str
    near_matching: bool
    registered_at: datetime
    withdrawn_at: datetime | None
    confirmed: bool
    matches: int
    paused_since: datetime | None = None
    kept_out: bool = False
    """Of a paused one: a person has looked, and it stays paused."""


@dataclass(frozen=True, slots=True)
class CaseOverview:
    """What a person sees when they open their case."""

    case: Case
    pictures: tuple[PictureOverview, ...]
    requests: tuple[RequestOverview, ...]
    events: tuple[RecordedEvent, ...]
    outside: tuple[OutsideRequest, ...] = ()
    plan: Plan | None = None


@dataclass(frozen=True, slots=True)
class LocatedContent:
    """One address of a request as the catalog knows it, without anything to look at.

    `registered_bits` is the distance to the nearest picture that the requester registered.
    """

    url: str
    known: bool
    exact_copies: int
    registered_bits: int | None

    @property
    def resembles_registered(self) -> bool:
        """Whether it is near enough to a registered picture to count as a match."""
        return self.registered_bits is not None and self.registered_bits <= DEFAULT_THRESHOLD_BITS


@dataclass(frozen=True, slots=True)
class ReviewOverview:
    """What a reviewer sees of one request."""

    request: RequestOverview
    locations: tuple[LocatedContent, ...]
    held_by_me: bool
    held_by_other: bool


def _requests(notices: tuple[Notice, ...], *, now: datetime) -> tuple[RequestOverview, ...]:
    numbers = [notice.number for notice in notices]
    by_id = {platform.id: platform for platform in platforms()}
    claims, decisions, copies = claims_on(numbers), decisions_on(numbers), copies_of(numbers)
    return tuple(
        RequestOverview(
            notice=notice,
            platform=by_id[notice.platform_id],
            claim=claim
            if (claim := claims.get(notice.number)) and review_rules.is_live(claim, now=now)
            else None,
            decision=decisions.get(notice.number),
            copies=copies.get(notice.number, ()),
        )
        for notice in notices
    )


def case_overview(case_number: str, *, now: datetime) -> CaseOverview:
    """Everything that the case's receipt opens. Matches are counts only."""
    case = case_by_number(case_number)
    entries = {
        entry.registration_id: entry
        for entry in entries_of(registration_ids=[row.id for row in case.registrations])
    }
    ids = [entry.id for entry in entries.values()]
    counts, floods = match_counts(ids), open_floods_of(ids)
    pictures = tuple(
        PictureOverview(
            id=row.id,
            position=row.position,
            media=row.media,
            near_matching=row.near_matching,
            registered_at=row.registered_at,
            withdrawn_at=row.withdrawn_at,
            confirmed=entries[row.id].state.value == "confirmed",
            matches=counts.get(entries[row.id].id, 0),
            paused_since=_paused_since(entries[row.id]),
            kept_out=entries[row.id].id in floods and not floods[entries[row.id].id].waits,
        )
        for row in case.registrations
    )
    return CaseOverview(
        case=case,
        pictures=pictures,
        requests=_requests(notices_of_case(case_number), now=now),
        outside=outside_requests_of(case_number),
        plan=plan_of(case_number),
        events=events_of(case_number),
    )


def _paused_since(entry: Entry) -> datetime | None:
    return entry.state_changed_at if entry.state is EntryState.QUARANTINED else None


def waiting_requests(*, now: datetime) -> tuple[RequestOverview, ...]:
    """The queue: every request that waits, the most urgent first."""
    return _requests(waiting_notices_by_deadline(), now=now)


def closed_requests(*, most: int, now: datetime) -> tuple[RequestOverview, ...]:
    """The requests closed last."""
    return _requests(closed_notices(most=most), now=now)


def request_overview(notice_number: str, *, now: datetime) -> RequestOverview:
    """One request with what became of it. Raises NoticeNotFound."""
    return _requests((notice_by_number(notice_number),), now=now)[0]


def review_overview(notice_number: str, *, reviewer_id: int, now: datetime) -> ReviewOverview:
    """What a reviewer needs to decide one request without looking. Raises NoticeNotFound."""
    request = request_overview(notice_number, now=now)
    case = case_by_number(request.notice.case_number)
    registered = entries_of(registration_ids=[row.id for row in case.registrations if not row.withdrawn_at])
    locations = []
    for url in request.notice.urls:
        content = content_at(platform_id=request.notice.platform_id, url=url)
        locations.append(
            LocatedContent(
                url=url,
                known=content is not None,
                exact_copies=len(exact_copies_of(content)) if content else 0,
                registered_bits=_nearest(content, registered=registered) if content else None,
            )
        )
    claim = request.claim
    return ReviewOverview(
        request=request,
        locations=tuple(locations),
        held_by_me=review_rules.holds(claim, reviewer_id=reviewer_id, now=now),
        held_by_other=claim is not None and claim.reviewer_id != reviewer_id,
    )


def _nearest(content: Content, *, registered: tuple[Entry, ...]) -> int | None:
    distances = []
    for entry in registered:
        if bank_rules.is_exact(entry.digests, content.digests):
            return 0
        nearest = bank_rules.nearest_bits(content.fingerprints, entry.fingerprints)
        if nearest is not None:
            distances.append(nearest)
    return min(distances, default=None)
