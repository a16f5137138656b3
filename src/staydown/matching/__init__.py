"""Index, distance search and action rule. Pure: no Django, no network, no clock."""

from staydown.matching.errors import (
    DistanceOutOfRange,
    IndexDamaged,
    IndexFormatUnknown,
    IndexFull,
    MatchingError,
    WrongShape,
    WrongType,
)
from staydown.matching.index import Index, IndexStats
from staydown.matching.rules import DEFAULT_THRESHOLD_BITS, Verdict, decide, strictest_first, verdict
from staydown.matching.terms import Action, EntryState, Hits, Match, MatchKind

__all__ = [
    "DEFAULT_THRESHOLD_BITS",
    "Action",
    "DistanceOutOfRange",
    "EntryState",
    "Hits",
    "Index",
    "IndexDamaged",
    "IndexFormatUnknown",
    "IndexFull",
    "IndexStats",
    "Match",
    "MatchKind",
    "MatchingError",
    "Verdict",
    "WrongShape",
    "WrongType",
    "decide",
    "strictest_first",
    "verdict",
]
