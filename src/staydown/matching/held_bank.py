"""A bank in memory: entries by digest and by code, which come and go. Pure: no files.

Refuses to search what it has not settled: changes wait, so that a long list is added to the indexes at once.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

import numpy as np

from staydown.fingerprint.terms import CODE_BYTES, MIN_QUALITY, Algorithm, Fingerprint
from staydown.matching.arrays import Codes, Ids
from staydown.matching.bank_ids import ids_of
from staydown.matching.bank_search import BankPart, EntryCodes, EntryRow, HeldEntry, SearchedBank
from staydown.matching.index import Index
from staydown.matching.rules import DEFAULT_THRESHOLD_BITS
from staydown.matching.terms import NO_HITS, EntryState, Hits

# Codes that wait before they go to the index by themselves, so that loading a large bank holds no second copy
# of it: 32 MB.
_WAITING_CODES = 1 << 20


class HeldBank(SearchedBank):
    """Call `put` and `drop` as often as needed, then `settle`, then search. While nobody changes it, any
    number of threads may search.

    An entry costs about 1 kB beside its codes in the index, however many codes it has.
    """

    def __init__(self, *, max_distance_bits: int = DEFAULT_THRESHOLD_BITS) -> None:
        super().__init__(max_distance_bits=max_distance_bits)
        self._rows: dict[int, EntryRow] = {}
        self._numbers: dict[str, int] = {}
        self._by_sha256: dict[str, set[int]] = {}
        self._by_md5: dict[str, set[int]] = {}
        self._next_number = 0
        self._stores = {algorithm: _CodeStore() for algorithm in Algorithm}
        # Most entries have the same derivations: one tuple serves them all.
        self._usual: dict[tuple[str, ...], tuple[str, ...]] = {}

    def parts(self) -> Sequence[BankPart]:
        """Itself."""
        return (self,)

    def __len__(self) -> int:
        """How many entries it holds."""
        return len(self._rows)

    @property
    def codes(self) -> int:
        """How many codes it holds."""
        return sum(map(len, self._stores.values()))

    def put(self, entry: HeldEntry, *, number: int | None = None) -> None:
        """Takes an entry in, in place of one with the same id.

        `number`: one that no entry had before; by default the next. Raises ValueError if it does not fit.
        """
        self.drop(entry.id)
        if number is None:
            number = self._next_number
        self._next_number = max(self._next_number, number + 1)
        for algorithm, codes in entry.codes.items():
            self._stores[algorithm].add(number, entry.state, codes)
        sha256, md5 = (text.lower() if text else None for text in (entry.sha256, entry.md5))
        derivations = {name: self._shared(codes.derivations) for name, codes in entry.codes.items()}
        self._rows[number] = EntryRow(entry.id, entry.bank, entry.state, sha256, md5, derivations)
        self._numbers[entry.id] = number
        for value, known in ((sha256, self._by_sha256), (md5, self._by_md5)):
            if value:
                known.setdefault(value, set()).add(number)

    def drop(self, entry_id: str) -> None:
        """Forgets an entry; one that is not there is no error."""
        number = self._numbers.pop(entry_id, None)
        if number is None:
            return
        row = self._rows.pop(number)
        for value, known in ((row.sha256, self._by_sha256), (row.md5, self._by_md5)):
            if value:
                known[value].discard(number)
                if not known[value]:
                    del known[value]
        for algorithm, derivations in row.derivations.items():
            self._stores[algorithm].remove(number, row.state, len(derivations))

    def settle(self) -> None:
        """Brings the indexes up to date; call it before the next search."""
        for store in self._stores.values():
            store.settle()

    def within(self, algorithm: Algorithm, codes: Codes, max_distance_bits: int) -> Hits:
        """As BankPart."""
        store = self._stores[algorithm]
        return store.index.search(codes, max_distance_bits) if len(store) else NO_HITS

    def same_sha256(self, sha256: str) -> Sequence[int]:
        """As BankPart."""
        return tuple(self._by_sha256.get(sha256, ()))

    def same_md5(self, md5: str) -> Sequence[int]:
        """As BankPart."""
        return tuple(self._by_md5.get(md5, ()))

    def row(self, number: int) -> EntryRow:
        """As BankPart."""
        return self._rows[number]

    def number_of(self, entry_id: str) -> int | None:
        """As BankPart."""
        return self._numbers.get(entry_id)

    def _shared(self, derivations: tuple[str, ...]) -> tuple[str, ...]:
        if (known := self._usual.get(derivations)) is not None:
            return known
        if any(name.startswith("@") for name in derivations):  # a video's frames: no two are the same
            return tuple(map(sys.intern, derivations))
        return self._usual.setdefault(derivations, derivations)


class _CodeStore:
    """The codes of one algorithm: an index, and changes that wait for `settle`."""

    def __init__(self) -> None:
        self.index = Index()
        self._added: dict[int, tuple[EntryState, EntryCodes]] = {}
        self._removed: list[Ids] = []
        self._count = 0
        self._waiting = 0

    def __len__(self) -> int:
        return self._count

    def add(self, number: int, state: EntryState, codes: EntryCodes) -> None:
        self._added[number] = state, codes
        self._count += len(codes.derivations)
        self._waiting += len(codes.derivations)
        if self._waiting > _WAITING_CODES:
            self.settle()

    def remove(self, number: int, state: EntryState, count: int) -> None:
        self._count -= count
        if self._added.pop(number, None) is None:
            self._removed.append(ids_of(number, state, count))

    def settle(self) -> None:
        if self._removed:
            self.index.remove(np.concatenate(self._removed))
            self._removed = []
        if self._added:
            packed = b"".join(codes.packed for _, codes in self._added.values())
            ids = [
                ids_of(number, state, len(codes.derivations))
                for number, (state, codes) in self._added.items()
            ]
            self.index.add(np.frombuffer(packed, np.uint8).reshape(-1, CODE_BYTES), np.concatenate(ids))
            self._added = {}
            self._waiting = 0


def codes_of(fingerprints: Iterable[Fingerprint]) -> dict[Algorithm, EntryCodes]:
    """An entry's codes as a bank takes them; those of too little detail (quality below 50) are left out."""
    sorted_out: dict[Algorithm, list[Fingerprint]] = {}
    for fingerprint in fingerprints:
        if fingerprint.quality >= MIN_QUALITY:
            sorted_out.setdefault(fingerprint.algorithm, []).append(fingerprint)
    return {
        algorithm: EntryCodes(
            tuple(fingerprint.derivation for fingerprint in found),
            b"".join(fingerprint.code for fingerprint in found),
        )
        for algorithm, found in sorted_out.items()
    }
