"""Words of matching: the states of an entry, kinds of match, and what an answer says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class EntryState(StrEnum):
    """Where an entry stands, and so what it may do."""

    UNCONFIRMED = "unconfirmed"
    CONFIRMED = "confirmed"
    DISPUTED = "disputed"
    QUARANTINED = "quarantined"
    WITHDRAWN = "withdrawn"
