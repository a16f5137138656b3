"""Words of the review stage."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Outcome(StrEnum):
    """What a reviewer decided."""

    REMOVED = "removed"
    NOT_REMOVED = "not_removed"


class Reason(StrEnum):
    """Why a request was not granted: the words that the requester reads are in the templates."""

    NOT_FOUND = "not_found"
    NOT_INTIMATE = "not_intimate"
    NOT_THE_REQUESTER = "not_the_requester"
    CONSENT_SHOWN = "consent_shown"


class OpeningReason(StrEnum):
    """Why a reviewer opened the post itself."""

    CANNOT_DECIDE_WITHOUT = "cannot_decide_without"
    CHECK_LOCATION = "check_location"
    SECOND_OPINION = "second_opinion"


@dataclass(frozen=True, slots=True)
class Claim:
    """Who works on a request, and until when nobody else does."""

    notice_number: str
    reviewer_id: int
    reviewer_name: str
    claimed_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ReviewDecision:
    """What was decided, by whom, when and why."""

    notice_number: str
    reviewer_name: str
    outcome: Outcome
    reason: Reason | None
    decided_at: datetime
