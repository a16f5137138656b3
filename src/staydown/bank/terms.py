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


class Order(Protocol):
    """A source of randomness that mixes: ``random.SystemRandom()`` in life, a seeded one in tests."""

    def shuffle(self, x: MutableSequence[Any], /) -> None:
        """Mixes the sequence in place."""
