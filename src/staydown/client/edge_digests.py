"""The digests of an edge bank in one sorted file, mapped and searched in place.

It holds whether a digest is of a confirmed entry, and nothing else about the entry.
"""

import mmap
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import overload

# SHA-256, then 1 for a confirmed entry and 0 for an unconfirmed one.
_DIGEST_BYTES = 32
_ROW_BYTES = _DIGEST_BYTES + 1


def digests_as_bytes(rows: Iterable[tuple[bytes, bool]]) -> bytes:
    """The file: each digest once, in order, confirmed if any entry of that digest is.

    rows: a SHA-256 of 32 bytes, and whether its entry is confirmed.
    """
    found: dict[bytes, bool] = {}
    for digest, is_confirmed in rows:
        found[digest] = is_confirmed or found.get(digest, False)
    return b"".join(digest + bytes([is_confirmed]) for digest, is_confirmed in sorted(found.items()))


class EdgeDigests(Sequence[bytes]):
    """The digests of a file, as a sequence of 32 bytes each. The file may be replaced while it is open.

    Raises ValueError for a file that is not of this form, OSError.
    """

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            size_bytes = file.seek(0, 2)
            if size_bytes % _ROW_BYTES:
                raise ValueError("not a list of digests")
            self._data = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) if size_bytes else b""
        self._count = size_bytes // _ROW_BYTES

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, place: int) -> bytes: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[bytes]: ...
    def __getitem__(self, place: int | slice) -> bytes | Sequence[bytes]:
        if isinstance(place, slice):
            return [self[one] for one in range(*place.indices(self._count))]
        start = place * _ROW_BYTES
        return self._data[start : start + _DIGEST_BYTES]

    def is_confirmed(self, digest: bytes) -> bool | None:
        """Whether this SHA-256 (32 bytes) is of a confirmed entry; None if it is of none at all."""
        place = bisect_left(self, digest)
        if place == self._count or self[place] != digest:
            return None
        return self._data[place * _ROW_BYTES + _DIGEST_BYTES] == 1
