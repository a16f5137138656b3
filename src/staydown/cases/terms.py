"""Words of the cases stage."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from staydown.fingerprint import Digests, Fingerprint


class CaseState(StrEnum):
    """A case is open until the person withdraws it whole, or deletes what it holds."""

    OPEN = "open"
    WITHDRAWN = "withdrawn"
    ERASED = "erased"


class OutsideState(StrEnum):
    """What became of a request that the person sent somewhere else, as they tell it."""

    WAITING = "waiting"
    REMOVED = "removed"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class SubmittedItem:
    """One picture or video as the person's device described it: fingerprints and digests, no pixels."""

    media: str
    digests: Digests
    fingerprints: tuple[Fingerprint, ...]


@dataclass(frozen=True, slots=True)
class Registration:
    """One picture or video that a case protects. `position` counts from 1 within the case."""

    id: str
    case_number: str
    position: int
    media: str
    near_matching: bool
    registered_at: datetime
    withdrawn_at: datetime | None


@dataclass(frozen=True, slots=True)
class Case:
    """What a depicted person keeps with us."""

    number: str
    state: CaseState
    opened_at: datetime
    withdrawn_at: datetime | None
    registrations: tuple[Registration, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps that a person chose to keep: their answers as one code, and the ids of what they ticked."""

    answers: str
    ticked: tuple[str, ...]
    kept_at: datetime


@dataclass(frozen=True, slots=True)
class OutsideRequest:
    """A removal request that the person sent to another platform. We store no address of theirs and no text.

    `channel_id` is a row of the legal rows; `deadline_at` is when the duty named by `duty_id` ends, counted
    from `sent_at`.
    """

    id: str
    channel_id: str
    sent_at: datetime
    deadline_at: datetime
    duty_id: str
    state: OutsideState
    answered_at: datetime | None
