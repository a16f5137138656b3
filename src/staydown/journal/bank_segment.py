"""A segment of the bank: a folder of files that never change, mapped by every process of a host.

It holds entries as they stood under a sequence number: their codes and digests in indexes, the rest in an
SQLite file; and which entries of older segments it overrules. Refuses a folder of which a byte has changed.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from staydown.fingerprint.terms import CODE_BYTES, Algorithm
from staydown.journal.errors import BankSegmentDamaged, BankSegmentMissing
from staydown.journal.lines import decode_line
from staydown.matching.arrays import Codes
from staydown.matching.bank_ids import ids_of, numbers_of
from staydown.matching.bank_search import EntryRow
from staydown.matching.errors import MatchingError
from staydown.matching.index import Index
from staydown.matching.terms import EntryState, Hits

FORMAT = "staydown-bank-segment"
VERSION = 1
MANIFEST, ROWS = "manifest.line", "rows.sqlite"
# Rows that were looked up lately: some hundred bytes each.
_ROWS_KEPT = 4096


class IndexKind(StrEnum):
    """The indexes of a segment. Digests are codes too, sought at a distance of nothing."""

    PDQ = "pdq"
    PDQ512 = "pdq512"
    SHA256 = "sha256"
    MD5 = "md5"

    @property
    def file_name(self) -> str:
        """The file it lies in."""
        return f"{self}.index"


INDEX_OF = {Algorithm.PDQ: IndexKind.PDQ, Algorithm.PDQ512: IndexKind.PDQ512}


def digest_code(digest: str) -> bytes:
    """A SHA-256 or MD5 digest (hex) as 32 bytes for an index; MD5 twice, so that each chunk of it differs."""
    raw = bytes.fromhex(digest)
    return raw * (CODE_BYTES // len(raw))


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a segment says of itself."""

    made_at: str
    entries: int
    gone: int
    codes: int
    first_seq: int
    last_seq: int
    files: dict[str, dict[str, Any]]
    """Size and, of what is not an index, SHA-256 by name. An index has checksums of its own."""


def read_manifest(folder: Path) -> Manifest:
    """Raises BankSegmentMissing, BankSegmentDamaged."""
    try:
        content = (folder / MANIFEST).read_bytes()
    except FileNotFoundError:
        raise BankSegmentMissing(folder.name) from None
    try:
        line = decode_line(content) if content.endswith(b"\n") else None
        if line is None or line.pop("format") != FORMAT or line.pop("version") != VERSION:
            raise BankSegmentDamaged(folder.name, MANIFEST)
        return Manifest(**line)
    except (KeyError, TypeError):
        raise BankSegmentDamaged(folder.name, MANIFEST) from None


class BankSegment:
    """An open segment. Entries can be hidden, in this process only. A layer of a LayeredBank."""

    def __init__(self, folder: Path) -> None:
        """Opens and verifies every file. Raises BankSegmentMissing, BankSegmentDamaged, OSError."""
        self.name = folder.name
        self.manifest = read_manifest(folder)
        self._hidden: set[int] = set()
        self._check_files(folder)
        self._indexes = {kind: self._open_index(folder, kind) for kind in IndexKind}
        self._codes = sum(len(self._indexes[kind]) for kind in INDEX_OF.values())
        # immutable: no locks, and the mapping is shared by all processes of the host.
        self._rows = sqlite3.connect(
            f"file:{folder / ROWS}?mode=ro&immutable=1", uri=True, check_same_thread=False
        )
        self._rows.execute(f"PRAGMA mmap_size={self.manifest.files[ROWS]['size_bytes']}")
        # As BankPart. Holds the connection, not the segment, which can so go when nobody has it.
        self.row: Callable[[int], EntryRow] = lru_cache(maxsize=_ROWS_KEPT)(partial(_row, self._rows))

    def close(self) -> None:
        """Closes the rows; the indexes go with the object."""
        self._rows.close()

    @property
    def entries(self) -> int:
        """How many entries are not hidden."""
        return self.manifest.entries - len(self._hidden)

    @property
    def codes(self) -> int:
        """How many codes they have."""
        return self._codes

    @property
    def hidden(self) -> int:
        """How many entries are hidden: overruled, or withdrawn."""
        return len(self._hidden)

    def gone(self) -> Iterator[int]:
        """The numbers of entries of older segments that this one overrules."""
        for (number,) in self._rows.execute("SELECT number FROM gone ORDER BY number"):
            yield number

    def live_rows(self) -> Iterator[tuple[Any, ...]]:
        """The rows of entries that are not hidden, as they are stored."""
        for row in self._rows.execute(
            "SELECT number, entry.id, bank, state, sha256, md5, names FROM entry"
            " JOIN derivations ON derivations.id = derivations ORDER BY number"
        ):
            if row[0] not in self._hidden:
                yield row

    def index(self, kind: IndexKind) -> Index:
        """One of its indexes, without the hidden entries."""
        return self._indexes[kind]

    def within(self, algorithm: Algorithm, codes: Codes, max_distance_bits: int) -> Hits:
        """As BankPart."""
        return self._indexes[INDEX_OF[algorithm]].search(codes, max_distance_bits)

    def same_sha256(self, sha256: str) -> Sequence[int]:
        """As BankPart."""
        return self._same(IndexKind.SHA256, sha256)

    def same_md5(self, md5: str) -> Sequence[int]:
        """As BankPart."""
        return self._same(IndexKind.MD5, md5)

    def number_of(self, entry_id: str) -> int | None:
        """As BankPart."""
        number = self.stored_number_of(entry_id)
        return None if number in self._hidden else number

    def stored_number_of(self, entry_id: str) -> int | None:
        """The same, also of an entry that is hidden."""
        found = self._rows.execute("SELECT number FROM entry WHERE id = ?", (entry_id,)).fetchone()
        return None if found is None else int(found[0])

    def stores(self, number: int) -> bool:
        """Whether it has an entry with this number, hidden or not."""
        return self._rows.execute("SELECT 1 FROM entry WHERE number = ?", (number,)).fetchone() is not None

    def hide(self, number: int) -> None:
        """Finds the entry no more, if it is there."""
        is_inside = self.manifest.first_seq <= number <= self.manifest.last_seq
        if not is_inside or number in self._hidden:
            return
        try:
            row = _row(self._rows, number)
        except KeyError:
            return
        self._hidden.add(number)
        for algorithm, derivations in row.derivations.items():
            removed = self._indexes[INDEX_OF[algorithm]].remove(ids_of(number, row.state, len(derivations)))
            self._codes -= removed
        for kind, digest in ((IndexKind.SHA256, row.sha256), (IndexKind.MD5, row.md5)):
            if digest:
                self._indexes[kind].remove(ids_of(number, row.state, 1))

    def _same(self, kind: IndexKind, digest: str) -> Sequence[int]:
        index = self._indexes[kind]
        code = np.frombuffer(digest_code(digest), np.uint8).reshape(1, CODE_BYTES)
        numbers: list[int] = numbers_of(index.search(code, 0).id).tolist()
        return numbers

    def _check_files(self, folder: Path) -> None:
        for name in (ROWS, *(kind.file_name for kind in IndexKind)):
            try:
                facts = self.manifest.files[name]
                if (folder / name).stat().st_size != facts["size_bytes"]:
                    raise BankSegmentDamaged(self.name, name)
                if name == ROWS and file_digest(folder / name) != facts["sha256"]:
                    raise BankSegmentDamaged(self.name, name)
            except FileNotFoundError:
                # The manifest is deleted first: without it the whole segment goes, which is no damage.
                if (folder / MANIFEST).exists():
                    raise BankSegmentDamaged(self.name, name) from None
                raise BankSegmentMissing(self.name) from None
            except (KeyError, TypeError):
                raise BankSegmentDamaged(self.name, MANIFEST) from None

    def _open_index(self, folder: Path, kind: IndexKind) -> Index:
        try:
            return Index.open(folder / kind.file_name)
        except MatchingError as error:
            raise BankSegmentDamaged(self.name, kind.file_name) from error


def _row(rows: sqlite3.Connection, number: int) -> EntryRow:
    found = rows.execute(
        "SELECT entry.id, bank, state, sha256, md5, names FROM entry"
        " JOIN derivations ON derivations.id = derivations WHERE number = ?",
        (number,),
    ).fetchone()
    if found is None:
        raise KeyError(number)
    entry_id, bank, state, sha256, md5, names = found
    derivations = {Algorithm(name): tuple(found) for name, found in json.loads(names).items()}
    return EntryRow(entry_id, bank, EntryState(state), sha256, md5, derivations)


def file_digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
