"""What an id in a bank's index says: whose code it is, where the entry stands, which of its codes it is.

An entry that changes is a new version under a new number, so an id never means two things. Refuses numbers
that do not fit.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from staydown.matching.arrays import Ids
from staydown.matching.terms import EntryState

# number << 19 | state << 16 | place. 45 bits of numbers last for a million changes a second over a year.
PLACE_BITS, STATE_BITS = 16, 3
MAX_CODES = 1 << PLACE_BITS
"""How many codes of one algorithm an entry may have: far more than any entry has."""
MAX_NUMBER = (1 << (64 - PLACE_BITS - STATE_BITS)) - 1

# These stand in files: never change one, only add.
_STATES = (
    EntryState.UNCONFIRMED,
    EntryState.CONFIRMED,
    EntryState.DISPUTED,
    EntryState.QUARANTINED,
    EntryState.WITHDRAWN,
)
_STATE_CODES = {state: code for code, state in enumerate(_STATES)}

Numbers = npt.NDArray[np.uint64]


def ids_of(number: int, state: EntryState, count: int) -> Ids:
    """The ids of an entry's first so many codes. Raises ValueError for a number that does not fit."""
    if not 0 <= number <= MAX_NUMBER:
        raise ValueError("the number of an entry does not fit into an id")
    first = np.uint64((number << STATE_BITS | _STATE_CODES[state]) << PLACE_BITS)
    return first + np.arange(count, dtype=np.uint64)


def numbers_of(ids: Ids) -> Numbers:
    """Whose codes these are."""
    return ids >> np.uint64(PLACE_BITS + STATE_BITS)


def places_of(ids: Ids) -> Numbers:
    """Which of the entry's codes each one is, from 0."""
    return ids & np.uint64(MAX_CODES - 1)


def by_state(values: dict[EntryState, int], ids: Ids) -> npt.NDArray[np.int64]:
    """The value of each id's state. Raises KeyError for a state without a value, IndexError for no state."""
    table = np.array([values[state] for state in _STATES], np.int64)
    found: npt.NDArray[np.int64] = table[(ids >> np.uint64(PLACE_BITS)) & np.uint64((1 << STATE_BITS) - 1)]
    return found
