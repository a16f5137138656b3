"""What an upload matches in a bank, whatever the bank is made of: memory, files, or both. Pure.

A bank consists of parts, each of which answers for the entries that it holds; no entry is in two of them.
Refuses to look an entry up before it is sure to be told: most of what is near is decided by its id alone.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from staydown.fingerprint.terms import (
    CODE_BYTES,
    DERIVATIONS,
    MIN_QUALITY,
    Algorithm,
    Fingerprint,
    QueryView,
)
from staydown.matching.arrays import Codes, Ids
from staydown.matching.bank_ids import MAX_CODES, by_state, numbers_of, places_of
from staydown.matching.rules import STRICTNESS, strictest_first, verdict
from staydown.matching.terms import EntryState, Hits, Match, MatchKind

WHOLE = DERIVATIONS[0]
"""The name of the whole picture, neither turned nor mirrored: as a derivation and as a view."""


@dataclass(frozen=True, slots=True)
class EntryCodes:
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
    codes: Mapping[Algorithm, EntryCodes]


@dataclass(frozen=True, slots=True)
class EntryRow:
    """An entry as a bank tells it: everything but its codes."""

    id: str
    bank: str
    state: EntryState
    sha256: str | None
    md5: str | None
    derivations: Mapping[Algorithm, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class CodeHit:
    """One code of an entry that lies near one of the codes that were sought."""

    sought: int
    """The position of the sought code, from 0."""
    entry_id: str
    derivation: str
    distance_bits: int


class BankPart(Protocol):
    """Some of the entries of a bank. Its ids are those of bank_ids.py."""

    def within(self, algorithm: Algorithm, codes: Codes, max_distance_bits: int) -> Hits:
        """Its codes of the algorithm near each of ``codes: (n, 32) uint8``."""

    def same_sha256(self, sha256: str) -> Sequence[int]:
        """The numbers of its entries with this digest (lower-case hex)."""

    def same_md5(self, md5: str) -> Sequence[int]:
        """The same by MD5."""

    def row(self, number: int) -> EntryRow:
        """The entry with this number. Raises KeyError."""

    def number_of(self, entry_id: str) -> int | None:
        """The number of its entry with this id; None if it has none."""


@dataclass(frozen=True, slots=True)
class _Near:
    """The nearest code of each entry, in the order in which entries are told."""

    ids: Ids
    sought: Sequence[int]
    distances: Sequence[int]
    sources: Sequence[tuple[BankPart, Algorithm]]


class SearchedBank(ABC):
    """A bank that can be searched. While nobody changes it, any number of threads may search."""

    def __init__(self, *, max_distance_bits: int) -> None:
        self.max_distance_bits = max_distance_bits

    @abstractmethod
    def parts(self) -> Sequence[BankPart]:
        """What it consists of."""

    def find(
        self,
        views: Sequence[QueryView],
        *,
        sha256: str | None = None,
        md5: str | None = None,
        most: int | None = None,
    ) -> list[Match]:
        """The entries that an upload matches, each once: the strictest first, exact before near, then the
        nearest. Digests are lower-case.

        `most`: no more than the strictest so many. Of equally near views the first one is told.
        """
        exact = dict(self._exact(sha256=sha256, md5=md5))
        told = [_match(part.row(number), MatchKind.EXACT) for number, part in exact.items()]
        near = self._nearest([view.fingerprint for view in views], without=list(exact), most=most)
        if near is not None:
            rows = zip(
                numbers_of(near.ids).tolist(),
                places_of(near.ids).tolist(),
                near.sought,
                near.distances,
                near.sources,
                strict=True,
            )
            for number, place, sought, distance_bits, (part, algorithm) in rows:
                row = part.row(number)
                derivation = row.derivations[algorithm][place]
                told.append(
                    _match(
                        row,
                        MatchKind.NEAR,
                        distance_bits=distance_bits,
                        derivation=derivation,
                        view=views[sought].name,
                    )
                )
        return strictest_first(told)[:most] if told else told

    def hits(self, sought: Sequence[Fingerprint]) -> Iterator[CodeHit]:
        """Every code near each of these, compared with codes of the same algorithm.

        Those of too little detail (quality below 50) are not sought.
        """
        for part, algorithm, places, hits in self._searches(sought):
            columns = (
                hits.query.tolist(),
                numbers_of(hits.id).tolist(),
                places_of(hits.id).tolist(),
                hits.distance_bits.tolist(),
            )
            for query, number, place, distance_bits in zip(*columns, strict=True):
                row = part.row(number)
                yield CodeHit(places[query], row.id, row.derivations[algorithm][place], distance_bits)

    def exact(self, *, sha256: str | None, md5: str | None) -> list[str]:
        """The entries of this very file, each once."""
        return [part.row(number).id for number, part in dict(self._exact(sha256=sha256, md5=md5)).items()]

    def row_of(self, entry_id: str) -> EntryRow:
        """The entry with this id. Raises KeyError."""
        for part in self.parts():
            number = part.number_of(entry_id)
            if number is not None:
                return part.row(number)
        raise KeyError(entry_id)

    def __contains__(self, entry_id: str) -> bool:
        """Whether there is an entry with this id."""
        return any(part.number_of(entry_id) is not None for part in self.parts())

    def match(
        self,
        entry_id: str,
        kind: MatchKind,
        *,
        distance_bits: int = 0,
        derivation: str = WHOLE,
        view: str = WHOLE,
    ) -> Match:
        """What a match with this entry says. Raises KeyError."""
        row = self.row_of(entry_id)
        return _match(row, kind, distance_bits=distance_bits, derivation=derivation, view=view)

    def _exact(self, *, sha256: str | None, md5: str | None) -> Iterator[tuple[int, BankPart]]:
        """Number and part of each entry of this very file; one may come twice.

        MD5 can be forged, so it counts only where SHA-256 cannot speak: when one side does not have it.
        """
        for part in self.parts():
            if sha256:
                yield from ((number, part) for number in part.same_sha256(sha256))
            if md5:
                for number in part.same_md5(md5):
                    if not sha256 or not part.row(number).sha256:
                        yield number, part

    def _searches(
        self, sought: Sequence[Fingerprint]
    ) -> Iterator[tuple[BankPart, Algorithm, list[int], Hits]]:
        """What each part has near each code with enough detail; only where there is something."""
        good = [place for place, fingerprint in enumerate(sought) if fingerprint.quality >= MIN_QUALITY]
        for algorithm in dict.fromkeys(sought[place].algorithm for place in good):
            places = [place for place in good if sought[place].algorithm is algorithm]
            packed = b"".join([sought[place].code for place in places])
            codes = np.frombuffer(packed, np.uint8).reshape(-1, CODE_BYTES)
            for part in self.parts():
                hits = part.within(algorithm, codes, self.max_distance_bits)
                if len(hits):
                    yield part, algorithm, places, hits

    def _nearest(
        self, sought: Sequence[Fingerprint], *, without: Sequence[int], most: int | None
    ) -> _Near | None:
        """The nearest code of each entry but those numbered `without`, the strictest entries first."""
        searches = list(self._searches(sought))
        if not searches:
            return None
        ids = np.concatenate([hits.id for *_, hits in searches])
        distances = np.concatenate([hits.distance_bits for *_, hits in searches])
        places = np.concatenate([np.array(where)[hits.query] for *_, where, hits in searches])
        source = np.repeat(np.arange(len(searches)), [len(hits) for *_, hits in searches])
        numbers = numbers_of(ids)
        # The nearest code of an entry is the first of its run.
        order = np.lexsort((places, distances, numbers))
        is_first = np.append(True, numbers[order][1:] != numbers[order][:-1])
        order = order[is_first & ~np.isin(numbers[order], np.array(without, np.uint64))]
        strictness = by_state(_NEAR_STRICTNESS, ids[order])
        order = order[np.lexsort((numbers[order], distances[order], -strictness))][:most]
        return _Near(
            ids=ids[order],
            sought=places[order].tolist(),
            distances=distances[order].tolist(),
            sources=[searches[place][:2] for place in source[order].tolist()],
        )


_NEAR_STRICTNESS = {state: STRICTNESS[verdict(state, MatchKind.NEAR).action] for state in EntryState}


def _match(
    row: EntryRow,
    kind: MatchKind,
    *,
    distance_bits: int = 0,
    derivation: str = WHOLE,
    view: str = WHOLE,
) -> Match:
    return Match(
        entry_id=row.id,
        kind=kind,
        distance_bits=distance_bits,
        derivation=derivation,
        bank=row.bank,
        state=row.state,
        rule=verdict(row.state, kind).rule,
        view=view,
    )
