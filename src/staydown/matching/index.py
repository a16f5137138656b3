"""The index: every stored code within a distance of a query, found exactly, by the native core.

Refuses to approximate, and to open a file that is not whole.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np

from staydown import _native
from staydown.matching.arrays import (
    Codes,
    Ids,
    Thresholds,
    check_codes,
    check_distance,
    check_ids,
    check_pairs,
    check_thresholds,
)
from staydown.matching.errors import IndexDamaged, IndexFormatUnknown, IndexFull, MatchingError
from staydown.matching.rules import DEFAULT_THRESHOLD_BITS
from staydown.matching.terms import NO_HITS, Hits

# A scan of 4,096 codes reads 128 KiB, which stays in a second-level cache, and takes about as long as looking
# a query up in the tables of a million.
TAIL_LIMIT = 4096

# The statuses of native/include/staydown_index.h that a caller can tell apart.
_TOO_MANY = 2
_FORMAT_UNKNOWN = frozenset({4, 5, 6})  # not ours, other version, other byte order


@dataclass(frozen=True, slots=True)
class IndexStats:
    """What an index consists of."""

    codes: int
    """Those that are found."""
    tombstones: int
    """Those that were removed and are left out when their segment is merged."""
    tail: int
    """Those that are scanned, because they are new."""
    segments: int
    bytes: int
    """All that is kept, in memory or mapped."""
    mapped_bytes: int
    """Of these, what is mapped from a file: processes that open the same file share it."""


def _raise(error: ValueError, *, doing: str) -> NoReturn:
    status, clause = error.args
    if status == _TOO_MANY:
        raise IndexFull(f"{doing}: {clause}.") from None
    kind: type[MatchingError] = IndexFormatUnknown if status in _FORMAT_UNKNOWN else IndexDamaged
    raise kind(f"{doing}: {clause}.") from None


class Index:
    """256-bit codes under the caller's ids. Thread-safe; a search runs without the GIL.

    One id may carry several codes. The same code under the same id, added twice, is there twice: it is found
    twice, and removing the id removes both. Added codes are found and removed ones gone as soon as the call
    returns. New codes are scanned; when there are `tail_limit` they become an immutable segment with tables,
    and a thread of the index's own merges segments of similar size. Nothing waits for it.
    """

    def __init__(self, *, tail_limit: int = TAIL_LIMIT, _widths: Iterable[int] = ()) -> None:
        """An empty index. `tail_limit`: how many new codes are scanned before tables are made of them.

        `_widths` is for tests: the chunks that every segment is cut into, whatever its size.
        """
        self._native = _native.index_new(tail_limit, bytes(_widths))

    def __len__(self) -> int:
        """How many codes (not ids) it holds."""
        return _native.index_count(self._native)

    def stats(self) -> IndexStats:
        """What it consists of at this moment."""
        return IndexStats(*_native.index_stats(self._native))

    def add(self, codes: Codes, ids: Ids, thresholds: Thresholds | None = None) -> None:
        """Adds ``codes: (n, 32) uint8`` under ``ids: (n,) uint64``, all of them or none.

        thresholds: ``(n,) uint8``. A code is found within the distance that is asked for or its own
        threshold, whichever is less; 255, or no thresholds at all, leaves it to the distance. Raises
        WrongShape, WrongType, IndexFull.
        """
        codes, ids = check_pairs(codes, ids)
        try:
            _native.index_add(self._native, codes, ids, check_thresholds(thresholds, count=len(ids)))
        except ValueError as error:
            _raise(error, doing="The codes were not added")

    def remove(self, ids: Ids) -> int:
        """Removes every code of each of ``ids: (n,) uint64``. Returns how many codes went.

        An id that is not there is no error. Raises WrongShape, WrongType.
        """
        return _native.index_remove(self._native, check_ids(ids))

    def search(
        self, codes: Codes, max_distance_bits: int = DEFAULT_THRESHOLD_BITS, *, threads: int = 1
    ) -> Hits:
        """Every stored code within `max_distance_bits` (0..256) of each of ``codes: (n, 32) uint8``.

        threads: how many share the queries; the answer is the same. The answer is as large as it is: at 256
        bits it holds every code for every query. The further the distance the longer it takes, up to a
        scan of everything. Raises WrongShape, WrongType, DistanceOutOfRange, ValueError for no thread;
        IndexDamaged if the opened file was forged so that its tables point outside.
        """
        codes, most = check_codes(codes), check_distance(max_distance_bits)
        if threads < 1:
            raise ValueError("a search has at least one thread")
        try:
            query, ids, distances = _native.index_search(self._native, codes, most, threads)
        except ValueError as error:
            _raise(error, doing="The index cannot be searched")
        if not ids:
            return NO_HITS
        return Hits(
            query=np.frombuffer(query, np.int64),
            id=np.frombuffer(ids, np.uint64),
            distance_bits=np.frombuffer(distances, np.uint16),
        )

    def settle(self) -> None:
        """Waits until no merge is under way or due. Nobody has to: it is for those who measure."""
        _native.index_settle(self._native)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes one checksummed file, readable by its owner only; an old one is replaced at once and whole.

        What it holds at the moment of the call is written; additions and removals go on. Two that write to
        one path at once both finish, and the last one stays. Raises OSError, and leaves no file then.
        """
        Index.merge([self], path)

    @staticmethod
    def merge(indexes: Iterable[Index], path: str | os.PathLike[str]) -> None:
        """Writes every code that these indexes hold as one file, in the way of `save`.

        The file is written as it is made: what it takes in memory beside is at most 8 bytes a code, and 4
        bytes for each bucket of one table. Raises OSError, IndexFull; IndexDamaged as `search` does.
        """
        try:
            _native.index_merge(tuple(index._native for index in indexes), os.fspath(path))
        except ValueError as error:
            _raise(error, doing=f"{Path(path).name} cannot be written")

    @classmethod
    def open(
        cls, path: str | os.PathLike[str], *, tail_limit: int = TAIL_LIMIT, _widths: Iterable[int] = ()
    ) -> Index:
        """Maps a saved index read-only; what is added or removed afterwards stays in memory until saved.

        The whole file is verified by its checksums first. It may be replaced while it is open, but must not
        be cut short in place. Raises IndexFormatUnknown, IndexDamaged, OSError.
        """
        index = cls.__new__(cls)
        try:
            index._native = _native.index_open(os.fspath(path), tail_limit, bytes(_widths))
        except ValueError as error:
            _raise(error, doing=f"{Path(path).name} cannot be opened")
        return index
