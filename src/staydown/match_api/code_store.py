"""The codes of one algorithm: an index, and what each code id in it stands for.

Refuses to search what it has not settled: changes wait, so that a long journal is added to the index at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from staydown.matching import Index


@dataclass(frozen=True, slots=True)
class CodePlace:
    """What a code id in an index stands for."""

    entry_id: str
    derivation: str


class CodeStore:
    """The codes of one algorithm. Changes wait until `settle`, so that a long journal is added at once."""

    def __init__(self) -> None:
        self._places: dict[int, CodePlace] = {}
        self._index = Index()
        self._added: dict[int, bytes] = {}
        self._removed: list[int] = []

    def __len__(self) -> int:
        """How many codes it holds."""
        return len(self._places)

    def add(self, code_id: int, code: bytes, place: CodePlace) -> None:
        """Takes in a code under an id that was never used before."""
        self._places[code_id] = place
        self._added[code_id] = code

    def remove(self, code_id: int) -> None:
        """Forgets a code that is there."""
        del self._places[code_id]
        if self._added.pop(code_id, None) is None:
            self._removed.append(code_id)

    def settle(self) -> None:
        """Brings the index up to date; call it before the next search."""
        if self._removed:
            self._index.remove(np.array(self._removed, np.uint64))
            self._removed = []
        if self._added:
            codes = np.frombuffer(b"".join(self._added.values()), np.uint8).reshape(-1, 32)
            self._index.add(codes, np.fromiter(self._added, np.uint64, len(self._added)))
            self._added = {}

    def within(self, code: bytes, *, max_distance_bits: int) -> Iterator[tuple[int, CodePlace]]:
        """The distance in bits and the place of every code that near."""
        hits = self._index.search(np.frombuffer(code, np.uint8).reshape(1, 32), max_distance_bits)
        for code_id, distance_bits in zip(hits.id.tolist(), hits.distance_bits.tolist(), strict=True):
            yield distance_bits, self._places[code_id]
