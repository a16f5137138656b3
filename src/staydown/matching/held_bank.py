"""A bank in memory: entries by digest and by code, and what an upload matches among them. Pure: no files.

Refuses to search what it has not settled: changes wait, so that a long list is added to the indexes at once.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from staydown.fingerprint.terms import (
    CODE_BYTES,
    DERIVATIONS,
    MIN_QUALITY,
    Algorithm,
    Fingerprint,
    QueryView,
)
from staydown.matching.arrays import Ids
from staydown.matching.index import Index
from staydown.matching.rules import DEFAULT_THRESHOLD_BITS, verdict
from staydown.matching.terms import EntryState, Match, MatchKind

WHOLE = DERIVATIONS[0]
"""The name of the whole picture, neither turned nor mirrored: as a derivation and as a view."""

# An id in an index is the entry's number and, in its last bits, the place among the entry's codes.
_PLACE_BITS = 16
MAX_CODES = 1 << _PLACE_BITS
"""How many codes of one algorithm an entry may have: far more than any entry has."""
# Codes that wait before they go to the index by themselves, so that loading a large bank holds no second copy
# of it: 32 MB.
_WAITING_CODES = 1 << 20


@dataclass(frozen=True, slots=True)
class Codes:
    """An entry's codes of one algorithm."""

    derivations: tuple[str, ...]
    packed: bytes = field(repr=False)
    """32 bytes for each derivation."""

    def __post_init__(self) -> None:
        if len(self.packed) != CODE_BYTES * len(self.derivations) or len(self.derivations) > MAX_CODES:
            raise ValueError("there are 32 bytes for each derivation, and not too many of them")


@dataclass(frozen=True, slots=True)
class HeldEntry:
    """An entry as a bank takes it. Its codes have enough detail to be sought; the bank does not look."""

    id: str
    bank: str
    state: EntryState
    sha256: str | None
    md5: str | None
    codes: Mapping[Algorithm, Codes]


@dataclass(frozen=True, slots=True)
class CodeHit:
    """One code of an entry that lies near one of the codes that were sought."""

    sought: int
    """The position of the sought code, from 0."""
    entry_id: str
    derivation: str
    distance_bits: int


@dataclass(frozen=True, slots=True)
class _Kept:
    """An entry as it is kept: its codes are in the indexes, its number leads back to it."""

    number: int
    bank: str
    state: EntryState
    sha256: str | None
    md5: str | None
    derivations: Mapping[Algorithm, tuple[str, ...]]


class HeldBank:
    """Call `put` and `drop` as often as needed, then `settle`, then `find`. While nobody changes it, any
    number of threads may find.

    An entry costs about 1 kB beside its codes in the index, however many codes it has.
    """

    def __init__(self, *, max_distance_bits: int = DEFAULT_THRESHOLD_BITS) -> None:
        self._max_distance_bits = max_distance_bits
        self._kept: dict[str, _Kept] = {}
        self._ids: dict[int, str] = {}
        self._by_sha256: dict[str, set[str]] = {}
        self._by_md5: dict[str, set[str]] = {}
        self._next_number = 0
        self._stores = {algorithm: _CodeStore() for algorithm in Algorithm}
        # Most entries have the same derivations: one tuple serves them all.
        self._usual: dict[tuple[str, ...], tuple[str, ...]] = {}

    def __len__(self) -> int:
        """How many entries it holds."""
        return len(self._kept)

    def __contains__(self, entry_id: str) -> bool:
        """Whether there is an entry with this id."""
        return entry_id in self._kept

    @property
    def codes(self) -> int:
        """How many codes it holds."""
        return sum(map(len, self._stores.values()))

    def derivations(self, entry_id: str) -> Iterator[str]:
        """How the codes of an entry were derived. Raises KeyError."""
        for names in self._kept[entry_id].derivations.values():
            yield from names

    def put(self, entry: HeldEntry) -> None:
        """Takes an entry in, in place of one with the same id."""
        self.drop(entry.id)
        number, self._next_number = self._next_number, self._next_number + 1
        for algorithm, codes in entry.codes.items():
            self._stores[algorithm].add(number, codes)
        sha256, md5 = (text.lower() if text else None for text in (entry.sha256, entry.md5))
        derivations = {name: self._shared(codes.derivations) for name, codes in entry.codes.items()}
        self._kept[entry.id] = _Kept(number, entry.bank, entry.state, sha256, md5, derivations)
        self._ids[number] = entry.id
        for value, known in ((sha256, self._by_sha256), (md5, self._by_md5)):
            if value:
                known.setdefault(value, set()).add(entry.id)

    def drop(self, entry_id: str) -> None:
        """Forgets an entry; one that is not there is no error."""
        kept = self._kept.pop(entry_id, None)
        if kept is None:
            return
        del self._ids[kept.number]
        for value, known in ((kept.sha256, self._by_sha256), (kept.md5, self._by_md5)):
            if value:
                known[value].discard(entry_id)
                if not known[value]:
                    del known[value]
        for algorithm, derivations in kept.derivations.items():
            self._stores[algorithm].remove(kept.number, len(derivations))

    def settle(self) -> None:
        """Brings the indexes up to date; call it before the next search."""
        for store in self._stores.values():
            store.settle()

    def find(
        self, views: Sequence[QueryView], *, sha256: str | None = None, md5: str | None = None
    ) -> list[Match]:
        """Every entry that an upload matches, each once: exact before near, then the nearest code.

        Of equally near views the first one is told. Digests are lower-case.
        """
        best: dict[str, CodeHit] = {}
        for hit in self.hits([view.fingerprint for view in views]):
            known = best.get(hit.entry_id)
            if known is None or (hit.distance_bits, hit.sought) < (known.distance_bits, known.sought):
                best[hit.entry_id] = hit
        exact = dict.fromkeys(self.exact(sha256=sha256, md5=md5))
        near = (
            self.match(
                hit.entry_id,
                MatchKind.NEAR,
                distance_bits=hit.distance_bits,
                derivation=hit.derivation,
                view=views[hit.sought].name,
            )
            for hit in best.values()
            if hit.entry_id not in exact
        )
        return [*(self.match(entry_id, MatchKind.EXACT) for entry_id in exact), *near]

    def hits(self, sought: Sequence[Fingerprint]) -> Iterator[CodeHit]:
        """Every code near each of these, compared with codes of the same algorithm.

        Those of too little detail (quality below 50) are not sought.
        """
        for algorithm, store in self._stores.items():
            places = [
                place
                for place, fingerprint in enumerate(sought)
                if fingerprint.algorithm is algorithm and fingerprint.quality >= MIN_QUALITY
            ]
            if not places:
                continue
            codes = b"".join(sought[place].code for place in places)
            for row, number, place, distance_bits in store.within(codes, self._max_distance_bits):
                entry_id = self._ids[number]
                derivation = self._kept[entry_id].derivations[algorithm][place]
                yield CodeHit(places[row], entry_id, derivation, distance_bits)

    def exact(self, *, sha256: str | None, md5: str | None) -> Iterator[str]:
        """The entries of this very file; one may come twice.

        MD5 can be forged, so it counts only where SHA-256 cannot speak: when one side does not have it.
        """
        if sha256:
            yield from self._by_sha256.get(sha256, ())
        if md5:
            for entry_id in self._by_md5.get(md5, ()):
                if not sha256 or not self._kept[entry_id].sha256:
                    yield entry_id

    def match(
        self,
        entry_id: str,
        kind: MatchKind,
        *,
        distance_bits: int = 0,
        derivation: str = WHOLE,
        view: str = WHOLE,
    ) -> Match:
        """What a match with this entry says."""
        kept = self._kept[entry_id]
        return Match(
            entry_id=entry_id,
            kind=kind,
            distance_bits=distance_bits,
            derivation=derivation,
            bank=kept.bank,
            state=kept.state,
            rule=verdict(kept.state, kind).rule,
            view=view,
        )

    def _shared(self, derivations: tuple[str, ...]) -> tuple[str, ...]:
        if (known := self._usual.get(derivations)) is not None:
            return known
        if any(name.startswith("@") for name in derivations):  # a video's frames: no two are the same
            return tuple(map(sys.intern, derivations))
        return self._usual.setdefault(derivations, derivations)


class _CodeStore:
    """The codes of one algorithm: an index, and changes that wait for `settle`."""

    def __init__(self) -> None:
        self._index = Index()
        self._added: dict[int, Codes] = {}
        self._removed: list[Ids] = []
        self._count = 0
        self._waiting = 0

    def __len__(self) -> int:
        return self._count

    def add(self, number: int, codes: Codes) -> None:
        self._added[number] = codes
        self._count += len(codes.derivations)
        self._waiting += len(codes.derivations)
        if self._waiting > _WAITING_CODES:
            self.settle()

    def remove(self, number: int, count: int) -> None:
        self._count -= count
        if self._added.pop(number, None) is None:
            self._removed.append(_index_ids(number, count))

    def settle(self) -> None:
        if self._removed:
            self._index.remove(np.concatenate(self._removed))
            self._removed = []
        if self._added:
            packed = b"".join(codes.packed for codes in self._added.values())
            ids = [_index_ids(number, len(codes.derivations)) for number, codes in self._added.items()]
            self._index.add(np.frombuffer(packed, np.uint8).reshape(-1, CODE_BYTES), np.concatenate(ids))
            self._added = {}
            self._waiting = 0

    def within(self, packed: bytes, max_distance_bits: int) -> Iterator[tuple[int, int, int, int]]:
        """Row of the query, number of the entry, place among its codes, distance in bits."""
        hits = self._index.search(np.frombuffer(packed, np.uint8).reshape(-1, CODE_BYTES), max_distance_bits)
        numbers, places = hits.id >> np.uint64(_PLACE_BITS), hits.id & np.uint64(MAX_CODES - 1)
        columns = (hits.query, numbers, places, hits.distance_bits)
        return zip(*(column.tolist() for column in columns), strict=True)


def _index_ids(number: int, count: int) -> Ids:
    first = np.uint64(number << _PLACE_BITS)
    return first + np.arange(count, dtype=np.uint64)


def codes_of(fingerprints: Iterable[Fingerprint]) -> dict[Algorithm, Codes]:
    """An entry's codes as a bank takes them; those of too little detail (quality below 50) are left out."""
    sorted_out: dict[Algorithm, list[Fingerprint]] = {}
    for fingerprint in fingerprints:
        if fingerprint.quality >= MIN_QUALITY:
            sorted_out.setdefault(fingerprint.algorithm, []).append(fingerprint)
    return {
        algorithm: Codes(
            tuple(fingerprint.derivation for fingerprint in found),
            b"".join(fingerprint.code for fingerprint in found),
        )
        for algorithm, found in sorted_out.items()
    }
