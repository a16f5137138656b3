"""An id says whose code it is, how the entry stands and which of its codes it is, and gives it all back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from staydown.matching.bank_ids import MAX_CODES, MAX_NUMBER, by_state, ids_of, numbers_of, places_of
from staydown.matching.terms import EntryState


@given(st.integers(0, MAX_NUMBER), st.sampled_from(EntryState), st.integers(1, 400))
def test_id_gives_back_what_was_put_into_it(number: int, state: EntryState, count: int) -> None:
    ids = ids_of(number, state, count)

    assert ids.dtype == np.uint64
    assert numbers_of(ids).tolist() == [number] * count
    assert places_of(ids).tolist() == list(range(count))
    ranks = {each: place for place, each in enumerate(EntryState)}
    assert by_state(ranks, ids).tolist() == [ranks[state]] * count


def test_ids_of_different_entries_states_and_places_differ() -> None:
    ids = [ids_of(number, state, 3) for number in (0, 1, MAX_NUMBER) for state in EntryState]

    assert len(np.unique(np.concatenate(ids))) == 3 * 3 * len(EntryState)
    assert len(np.unique(ids_of(MAX_NUMBER, EntryState.WITHDRAWN, MAX_CODES))) == MAX_CODES


def test_states_in_files_keep_their_meaning() -> None:
    # Given what was written by an earlier release: number 5, place 2
    written = [(5 << 3 | code) << 16 | 2 for code in range(5)]

    names = ["unconfirmed", "confirmed", "disputed", "quarantined", "withdrawn"]
    expected = [int(ids_of(5, EntryState(name), 3)[2]) for name in names]
    assert written == expected


@pytest.mark.parametrize("number", [-1, MAX_NUMBER + 1])
def test_number_that_does_not_fit_is_refused(number: int) -> None:
    with pytest.raises(ValueError):
        ids_of(number, EntryState.CONFIRMED, 1)
