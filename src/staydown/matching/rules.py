"""The action rule: one table from an entry's state and the kind of match to what happens. Pure.

Refuses to weigh: how near a near match is, or how many entries match, changes nothing here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from staydown.matching.terms import Action, EntryState, Match, MatchKind

# Two PDQ codes of one picture are within 31 bits, those of unrelated pictures near 128. Source: the
# PDQ paper (ThreatExchange hashing/hashing.pdf, "a distance threshold of 31"), also the default of
# python-threatexchange. It is also the largest distance that the index answers without a plain scan.
DEFAULT_THRESHOLD_BITS = 31


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a match asks for, and the name of the rule that says so."""

    action: Action
    rule: str


_ACTIVE = {EntryState.CONFIRMED: Action.BLOCK, EntryState.UNCONFIRMED: Action.HOLD}

# A confirmed entry was seen or vouched for by a reviewer, so it blocks. An unconfirmed one is the word
# of one person or of a partner: a person looks first. The others do nothing until that changes.
_TABLE: dict[tuple[EntryState, MatchKind], Verdict] = {
    (state, kind): (
        Verdict(_ACTIVE[state], f"{state}-{kind}")
        if state in _ACTIVE
        else Verdict(Action.ALLOW, f"{state}-inactive")
    )
    for state in EntryState
    for kind in MatchKind
}

# From the mildest to the strictest.
STRICTNESS = {Action.ALLOW: 0, Action.HOLD: 1, Action.BLOCK: 2}


def verdict(state: EntryState, kind: MatchKind) -> Verdict:
    """What a match of this kind with an entry in this state asks for."""
    return _TABLE[state, kind]


def decide(matches: Iterable[Match]) -> Action:
    """The strictest action that any of the matches asks for; ALLOW when there is none."""
    actions = (verdict(match.state, match.kind).action for match in matches)
    return max(actions, key=STRICTNESS.__getitem__, default=Action.ALLOW)


def strictest_first(matches: Iterable[Match]) -> list[Match]:
    """The matches as they are told: by what they ask for, exact before near, then the nearest."""

    def place(match: Match) -> tuple[int, bool, int, str]:
        strictness = STRICTNESS[verdict(match.state, match.kind).action]
        return -strictness, match.kind is not MatchKind.EXACT, match.distance_bits, match.entry_id

    return sorted(matches, key=place)
