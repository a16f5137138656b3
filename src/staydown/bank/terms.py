"""Words of the bank stage."""

from __future__ import annotations

from collections.abc import MutableSequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from staydown.fingerprint import Digests, Fingerprint
from staydown.matching.terms import EntryState

DEFAULT_BANK = "default"


class Source(StrEnum):
    """Where an entry came from: the first word of its provenance."""

    REGISTRATION = "registration"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True)
class Entry:
    """Fingerprints of one picture, to keep down."""

    id: str
    bank: str
    state: EntryState
    source: Source
    registration_id: str | None
    notice_number: str | None
    digests: Digests
    fingerprints: tuple[Fingerprint, ...]
    created_at: datetime
    state_changed_at: datetime


@dataclass(frozen=True, slots=True)
class SeenMatch:
    """A match that an upload check reported, without anything about the upload but its check."""

    check_id: str
    entry_id: str
    kind: str
    distance_bits: int
    at: datetime
    platform_id: str | None = None
    upload: str = ""
    """A mark that is the same for the same file and entry (`rules.upload_mark`); empty if not near."""


class FloodAnswer(StrEnum):
    """What the flood guard did about an entry that left its baseline."""

    QUARANTINE = "quarantine"
    ALARM = "alarm"


class FloodDecision(StrEnum):
    """What a reviewer decided about it."""

    PUT_BACK = "put_back"
    KEEP_OUT = "keep_out"


class FloodReason(StrEnum):
    """Why: the words on the page are in the templates."""

    COPIES_OF_IT = "copies_of_it"
    FLOOD_IS_OVER = "flood_is_over"
    FITS_MANY_PICTURES = "fits_many_pictures"
    MADE_TO_DISTURB = "made_to_disturb"


@dataclass(frozen=True, slots=True)
class FloodLimits:
    """When matches are a flood. Reasons and sources of the numbers stand in `rules.judge_flood`."""

    floor: int = 60
    """Different files near an entry within an hour on one platform; fewer are never a flood."""
    times: int = 5
    """How many times an entry's own busy hour."""
    far_bits: int = 16
    """A near match beyond this distance is probably of another picture."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """The uploads near one entry on one platform within an hour, and what came before."""

    entry_id: str
    platform_id: str
    state: EntryState
    near: int
    """Different files within the last hour that were near, not exact."""
    far: int
    """How many of them were beyond `far_bits`."""
    earlier: tuple[int, ...]
    """The same as `near` for each earlier hour since the entry came, within the baseline."""
    put_back_at_near: int | None
    """The largest hour after which a reviewer put the entry back; None if nobody ever did."""


@dataclass(frozen=True, slots=True)
class HourOfMatches:
    """Different files that met an entry within one hour, on all platforms."""

    starts_at: datetime
    near: int
    exact: int


@dataclass(frozen=True, slots=True)
class FloodChoice:
    """A reviewer's decision about a flood."""

    decision: FloodDecision
    reason: FloodReason
    reviewer_name: str
    decided_at: datetime


@dataclass(frozen=True, slots=True)
class Flood:
    """One time that an entry left its baseline; open until it is put back or withdrawn."""

    id: str
    entry_id: str
    bank: str
    state: EntryState
    state_before: EntryState
    platform_id: str
    answer: FloodAnswer
    near: int
    far: int
    usual: int
    found_at: datetime
    closed_at: datetime | None
    choices: tuple[FloodChoice, ...]
    """Oldest first."""

    @property
    def waits(self) -> bool:
        """Whether nobody has decided yet."""
        return self.closed_at is None and not self.choices


class Order(Protocol):
    """A source of randomness that mixes: ``random.SystemRandom()`` in life, a seeded one in tests."""

    def shuffle(self, x: MutableSequence[Any], /) -> None:
        """Mixes the sequence in place."""
