"""The index: every stored code within a distance of a query, found exactly, by the native core.

Refuses to approximate, and to open a file that is not whole.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NoReturn

import numpy as np

from staydown import _native
from staydown.matching.arrays import Codes, Ids, check_codes, check_distance, check_ids, check_pairs
from staydown.matching.errors import IndexDamaged, IndexFormatUnknown, IndexFull, MatchingError
from staydown.matching.rules import DEFAULT_THRESHOLD_BITS
from staydown.matching.terms import Hits

# A scan of 4,096 codes reads 128 KiB, which stays in a second-level cache. Up to here there are no tables
# at all: those would take 4 MiB however few the codes are.
TAIL_LIMIT = 4096

# The statuses of native/include/staydown_index.h that a caller can tell apart.
_TOO_MANY = 2
_FORMAT_UNKNOWN = frozenset({4, 5, 6})  # not ours, other version, other byte order


def _raise(error: ValueError, *, path: Path | None = None) -> NoReturn:
    status, clause = error.args
    if status == _TOO_MANY:
        raise IndexFull(f"The codes were not added: {clause}.") from None
    name = path.name if path else "The index"
    kind: type[MatchingError] = IndexFormatUnknown if status in _FORMAT_UNKNOWN else IndexDamaged
    raise kind(f"{name} cannot be opened: {clause}.") from None


class Index:
    """256-bit codes under the caller's ids. Thread-safe; a search runs without the GIL.

    One id may carry several codes, and the same code may be added more than once. Added codes are found
    and removed ones gone as soon as the call returns. Searches wait for neither; add, remove and save
    take turns, and wait while one of them folds new codes into the tables, which reads every code.
    """

    def __init__(self, *, tail_limit: int = TAIL_LIMIT) -> None:
        """An empty index. `tail_limit`: how many new codes are scanned before tables are made of them."""
        self._tail_limit = tail_limit
        self._native = _native.index_new(tail_limit)

    def __len__(self) -> int:
        """How many codes (not ids) it holds."""
        return _native.index_count(self._native)

    def add(self, codes: Codes, ids: Ids) -> None:
        """Adds ``codes: (n, 32) uint8`` under ``ids: (n,) uint64``, all of them or none.

        Raises WrongShape, WrongType, IndexFull.
        """
        codes, ids = check_pairs(codes, ids)
        try:
            _native.index_add(self._native, codes, ids)
        except ValueError as error:
            _raise(error)

    def remove(self, ids: Ids) -> int:
        """Removes every code of each of ``ids: (n,) uint64``. Returns how many codes went.

        An id that is not there is no error. Raises WrongShape, WrongType.
        """
        return _native.index_remove(self._native, check_ids(ids))

    def search(self, codes: Codes, max_distance_bits: int = DEFAULT_THRESHOLD_BITS) -> Hits:
        """Every stored code within `max_distance_bits` (0..256) of each of ``codes: (n, 32) uint8``.

        The answer is as large as it is: at 256 bits it holds every code for every query. Above 31 bits the
        whole index is scanned. Raises WrongShape, WrongType, DistanceOutOfRange.
        """
        codes, most = check_codes(codes), check_distance(max_distance_bits)
        query, ids, distances = _native.index_search(self._native, codes, most)
        return Hits(
            query=np.frombuffer(query, np.int64),
            id=np.frombuffer(ids, np.uint64),
            distance_bits=np.frombuffer(distances, np.uint16),
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes one checksummed file, readable by its owner only; an old one is replaced at once and whole.

        Adds and removals wait meanwhile, searches do not. Raises OSError.
        """
        _native.index_save(self._native, os.fspath(path))

    @classmethod
    def open(cls, path: str | os.PathLike[str], *, tail_limit: int = TAIL_LIMIT) -> Index:
        """Maps a saved index read-only; what is added or removed afterwards stays in memory until saved.

        The whole file is verified first. It may be replaced while it is open, but must not be cut short in
        place. Raises IndexFormatUnknown, IndexDamaged, OSError.
        """
        index = cls.__new__(cls)
        index._tail_limit = tail_limit
        try:
            index._native = _native.index_open(os.fspath(path), tail_limit)
        except ValueError as error:
            _raise(error, path=Path(path))
        return index
