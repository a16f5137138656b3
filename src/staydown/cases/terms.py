"""Words of the cases stage."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from staydown.fingerprint import Digests, Fingerprint


class CaseState(StrEnum):
    """A case is open until the person withdraws it whole."""

    OPEN = "open"
    WITHDRAWN = "withdrawn"


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
