"""Words of matching: the states of an entry, kinds of match, and what an answer says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt


class EntryState(StrEnum):
    """Where an entry stands, and so what it may do."""

    UNCONFIRMED = "unconfirmed"
    CONFIRMED = "confirmed"
    DISPUTED = "disputed"
    QUARANTINED = "quarantined"
    WITHDRAWN = "withdrawn"


class MatchKind(StrEnum):
    """How an upload and an entry belong together."""

    EXACT = "exact"
    """The same file: a digest is equal."""
    NEAR = "near"
    """The same picture, as far as fingerprints tell: a code lies within the threshold."""


class Action(StrEnum):
    """What the platform is asked to do with an upload, from the mildest to the strictest."""

    ALLOW = "allow"
    HOLD = "hold"
    BLOCK = "block"


@dataclass(frozen=True, slots=True)
class Stretch:
    """Which part of an uploaded video is which part of an entry. Frames are about a second apart, so the true
    ends lie up to a second outside.
    """

    upload_seconds: tuple[float, float]
    """First and last frame of the upload that matched."""
    entry_seconds: tuple[float, float] | None
    """The same of the entry; None if the entry is a picture."""
    frames: int
    """How many distinct frames matched."""


@dataclass(frozen=True, slots=True)
class Match:
    """One entry that an upload belongs to, and which rule that triggers."""

    entry_id: str
    kind: MatchKind
    distance_bits: int
    """0..256; 0 for an exact match."""
    derivation: str
    """Which of the entry's codes was found: "full", "r90", ...; "full" for an exact match."""
    bank: str
    state: EntryState
    rule: str
    """The rule that decided, as `rules.verdict` names it."""
    view: str = "full"
    """Which part of the upload was found: "full", "strip", "interface", "cut1", ...; "full" if exact."""
    stretch: Stretch | None = None
    """Of a video that is near: from when to when."""


@dataclass(frozen=True, slots=True)
class Hits:
    """What a search found: three arrays of the same length, ordered by query, distance, id.

    One hit is one stored code, so an id with several codes near a query is there several times.
    """

    query: npt.NDArray[np.int64]
    """(m,) the row of the query."""
    id: npt.NDArray[np.uint64]
    """(m,) the id under which the code was added."""
    distance_bits: npt.NDArray[np.uint16]
    """(m,) 0..256."""

    def __len__(self) -> int:
        return len(self.id)


NO_HITS = Hits(np.empty(0, np.int64), np.empty(0, np.uint64), np.empty(0, np.uint16))
"""What a search of nothing finds."""
