"""The readable twin of the native index: looks at every code. The tests hold the two against each other.

Not for production: it refuses nothing that the index accepts, but its time grows with every code.
"""

from __future__ import annotations

import numpy as np

from staydown.matching.arrays import (
    CODE_BITS,
    CODE_BYTES,
    NO_THRESHOLD,
    Codes,
    Ids,
    Thresholds,
    check_codes,
    check_distance,
    check_ids,
    check_pairs,
    check_thresholds,
)
from staydown.matching.rules import DEFAULT_THRESHOLD_BITS
from staydown.matching.terms import Hits


class LinearIndex:
    """As `Index`, in numpy, without files."""

    def __init__(self) -> None:
        self._codes = np.empty((0, CODE_BYTES), np.uint8)
        self._ids = np.empty(0, np.uint64)
        self._thresholds = np.empty(0, np.uint8)

    def __len__(self) -> int:
        """How many codes it holds."""
        return len(self._ids)

    def add(self, codes: Codes, ids: Ids, thresholds: Thresholds | None = None) -> None:
        """Adds codes under ids, each with its own threshold if it has one. Raises WrongShape, WrongType."""
        codes, ids = check_pairs(codes, ids)
        own = check_thresholds(thresholds, count=len(ids))
        if own is None:
            own = np.full(len(ids), NO_THRESHOLD, np.uint8)
        self._codes = np.concatenate([self._codes, codes])
        self._ids = np.concatenate([self._ids, ids])
        self._thresholds = np.concatenate([self._thresholds, own])

    def remove(self, ids: Ids) -> int:
        """Removes every code of each id and returns how many went. Raises WrongShape, WrongType."""
        stays = ~np.isin(self._ids, check_ids(ids))
        removed = len(self) - int(stays.sum())
        self._codes, self._ids = self._codes[stays], self._ids[stays]
        self._thresholds = self._thresholds[stays]
        return removed

    def search(
        self, codes: Codes, max_distance_bits: int = DEFAULT_THRESHOLD_BITS, *, threads: int = 1
    ) -> Hits:
        """Every code within the distance and within its own threshold. `threads` changes nothing.

        Raises WrongShape, WrongType, DistanceOutOfRange.
        """
        codes, most = check_codes(codes), check_distance(max_distance_bits)
        differing = codes[:, np.newaxis, :] ^ self._codes[np.newaxis, :, :]
        distances = np.bitwise_count(differing).sum(axis=2, dtype=np.uint16)
        within = self._thresholds.astype(np.uint16)
        within[within == NO_THRESHOLD] = CODE_BITS
        query, row = np.nonzero((distances <= most) & (distances <= within))
        found, ids = distances[query, row], self._ids[row]
        order = np.lexsort((ids, found, query))
        return Hits(query=query.astype(np.int64)[order], id=ids[order], distance_bits=found[order])
