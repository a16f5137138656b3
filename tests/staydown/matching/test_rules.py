"""The action rule over the full table: every state and every kind of match."""

import itertools

import pytest

from staydown.matching import Action, EntryState, Match, MatchKind, decide, strictest_first, verdict

TABLE = {
    ("unconfirmed", "exact"): ("hold", "unconfirmed-exact"),
    ("unconfirmed", "near"): ("hold", "unconfirmed-near"),
    ("confirmed", "exact"): ("block", "confirmed-exact"),
    ("confirmed", "near"): ("block", "confirmed-near"),
    ("disputed", "exact"): ("allow", "disputed-inactive"),
    ("disputed", "near"): ("allow", "disputed-inactive"),
    ("quarantined", "exact"): ("allow", "quarantined-inactive"),
    ("quarantined", "near"): ("allow", "quarantined-inactive"),
    ("withdrawn", "exact"): ("allow", "withdrawn-inactive"),
    ("withdrawn", "near"): ("allow", "withdrawn-inactive"),
}
PAIRS = list(itertools.product(EntryState, MatchKind))


def match(state: EntryState, kind: MatchKind) -> Match:
    return Match(
        entry_id="ent_aaaaaaaaaaaaaaaa",
        kind=kind,
        distance_bits=0 if kind is MatchKind.EXACT else 12,
        derivation="full",
        bank="default",
        state=state,
        rule=verdict(state, kind).rule,
    )


def test_table_names_every_state_and_kind():
    assert {(state.value, kind.value) for state, kind in PAIRS} == set(TABLE)


@pytest.mark.parametrize(("state", "kind"), PAIRS)
def test_each_state_and_kind_has_its_action_and_names_its_rule(state, kind):
    # When
    said = verdict(state, kind)

    # Then
    assert (said.action, said.rule) == TABLE[state.value, kind.value]


@pytest.mark.parametrize(("first", "second"), list(itertools.product(PAIRS, PAIRS)))
def test_strictest_of_two_matches_decides_in_either_order(first, second):
    # Given
    matches = [match(*first), match(*second)]
    strictness = ["allow", "hold", "block"]
    expected = max((TABLE[pair[0].value, pair[1].value][0] for pair in (first, second)), key=strictness.index)

    # Then
    assert decide(matches) == decide(matches[::-1]) == expected


def test_upload_without_a_match_is_allowed():
    assert decide([]) is Action.ALLOW


def test_matches_are_told_the_strictest_first_then_exact_then_nearest() -> None:
    # Given one of each, in no order
    def match(entry_id: str, state: EntryState, kind: MatchKind, distance_bits: int = 0) -> Match:
        rule = verdict(state, kind).rule
        return Match(entry_id, kind, distance_bits, "full", "default", state, rule)

    matches = [
        match("allow", EntryState.DISPUTED, MatchKind.EXACT),
        match("hold-far", EntryState.UNCONFIRMED, MatchKind.NEAR, 9),
        match("hold-b", EntryState.UNCONFIRMED, MatchKind.NEAR, 2),
        match("hold-a", EntryState.UNCONFIRMED, MatchKind.NEAR, 2),
        match("hold-exact", EntryState.UNCONFIRMED, MatchKind.EXACT),
        match("block", EntryState.CONFIRMED, MatchKind.NEAR, 31),
    ]

    # Then
    told = [one.entry_id for one in strictest_first(matches)]
    assert told == ["block", "hold-exact", "hold-a", "hold-b", "hold-far", "allow"]
