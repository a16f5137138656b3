"""Writes segments of the bank: new ones out of changes, and one out of several.

A segment appears whole or not at all, under a name that nobody had before. Refuses to leave anything behind
when the disk is full.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from staydown.fingerprint.terms import CODE_BYTES
from staydown.journal.bank_journal import sync_folder
from staydown.journal.bank_segment import (
    FORMAT,
    INDEX_OF,
    MANIFEST,
    ROWS,
    VERSION,
    BankSegment,
    IndexKind,
    Manifest,
    digest_code,
    file_digest,
)
from staydown.journal.lines import encode_line
from staydown.matching.arrays import Ids
from staydown.matching.bank_ids import ids_of
from staydown.matching.bank_search import HeldEntry
from staydown.matching.index import Index

DRAFT_SUFFIX = ".new"

_TABLES = """
PRAGMA journal_mode=OFF;
PRAGMA synchronous=OFF;
CREATE TABLE entry (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  bank TEXT NOT NULL,
  state TEXT NOT NULL,
  sha256 TEXT,
  md5 TEXT,
  derivations INTEGER NOT NULL REFERENCES derivations (id)
) STRICT;
-- Most entries have the same. JSON: algorithm -> names, in the order of the entry's codes.
CREATE TABLE derivations (id INTEGER PRIMARY KEY, names TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE gone (number INTEGER PRIMARY KEY) STRICT;
BEGIN;
"""


def write_segment(
    parent: Path,
    *,
    entries: Sequence[tuple[int, HeldEntry]],
    gone: Iterable[int],
    seqs: tuple[int, int],
    now: datetime,
) -> str:
    """A segment of these entries under their numbers, which overrules the entries `gone` of older ones.

    seqs: the first and last sequence number of the changes in it. Returns its name. Raises OSError.
    """
    with _draft(parent, seqs=seqs) as folder:
        for kind in IndexKind:
            _index_of(entries, kind).save(folder / kind.file_name)
        rows = (
            (
                number,
                entry.id,
                entry.bank,
                entry.state.value,
                _lower(entry.sha256),
                _lower(entry.md5),
                json.dumps({name: codes.derivations for name, codes in entry.codes.items()}),
            )
            for number, entry in entries
        )
        count, gone_count = _write_rows(folder / ROWS, rows, gone)
        codes = sum(len(codes.derivations) for _, entry in entries for codes in entry.codes.values())
        _finish(folder, Manifest(now.isoformat(), count, gone_count, codes, *seqs, files={}))
    return folder.name.removesuffix(DRAFT_SUFFIX)


def merge_segments(
    parent: Path, segments: Sequence[BankSegment], *, gone: Iterable[int], now: datetime
) -> str:
    """One segment of all that is not hidden in these neighbours. Returns its name.

    gone: entries of segments still older than these that it overrules. Raises OSError, IndexDamaged.
    """
    seqs = segments[0].manifest.first_seq, segments[-1].manifest.last_seq
    with _draft(parent, seqs=seqs) as folder:
        for kind in IndexKind:
            Index.merge([segment.index(kind) for segment in segments], folder / kind.file_name)
        rows = (row for segment in segments for row in segment.live_rows())
        count, gone_count = _write_rows(folder / ROWS, rows, gone)
        codes = sum(segment.codes for segment in segments)
        _finish(folder, Manifest(now.isoformat(), count, gone_count, codes, *seqs, files={}))
    return folder.name.removesuffix(DRAFT_SUFFIX)


def delete_unnamed(parent: Path, *, named: Iterable[str]) -> None:
    """Deletes every segment and draft that is not among these. Processes that have one open keep it."""
    keep = set(named)
    for folder in parent.glob("*"):
        if folder.name not in keep:
            # First of all the manifest: whoever comes now sees that the segment has gone, not damage.
            (folder / MANIFEST).unlink(missing_ok=True)
            shutil.rmtree(folder)


@contextmanager
def _draft(parent: Path, *, seqs: tuple[int, int]) -> Iterator[Path]:
    name = f"{seqs[0]:012d}-{seqs[1]:012d}-{secrets.token_hex(4)}"
    folder = parent / f"{name}{DRAFT_SUFFIX}"
    folder.mkdir(mode=0o700, parents=True)
    try:
        yield folder
        folder.rename(parent / name)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    sync_folder(parent)


def _index_of(entries: Sequence[tuple[int, HeldEntry]], kind: IndexKind) -> Index:
    packed, ids = list[bytes](), list[Ids]()
    for number, entry in entries:
        own = _codes_of(entry, kind)
        if own:
            packed.append(own)
            ids.append(ids_of(number, entry.state, len(own) // CODE_BYTES))
    index = Index()
    if packed:
        index.add(np.frombuffer(b"".join(packed), np.uint8).reshape(-1, CODE_BYTES), np.concatenate(ids))
    return index


def _codes_of(entry: HeldEntry, kind: IndexKind) -> bytes:
    match kind:
        case IndexKind.SHA256:
            return digest_code(entry.sha256) if entry.sha256 else b""
        case IndexKind.MD5:
            return digest_code(entry.md5) if entry.md5 else b""
    (algorithm,) = (algorithm for algorithm, own in INDEX_OF.items() if own is kind)
    codes = entry.codes.get(algorithm)
    return codes.packed if codes else b""


def _write_rows(path: Path, entries: Iterable[tuple[Any, ...]], gone: Iterable[int]) -> tuple[int, int]:
    """How many entries, and how many that have gone. Each row ends with its derivations as JSON."""
    path.touch(mode=0o600)  # SQLite would let others read it
    rows = sqlite3.connect(path, isolation_level=None)
    try:
        rows.executescript(_TABLES)
        derivations_id = _ids_of_derivations(rows)
        rows.executemany(
            "INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?)",
            ((*row[:-1], derivations_id(row[-1])) for row in entries),
        )
        rows.executemany("INSERT INTO gone VALUES (?)", ((number,) for number in gone))
        rows.execute("COMMIT")
        counts = rows.execute("SELECT (SELECT count(*) FROM entry), (SELECT count(*) FROM gone)").fetchone()
    except sqlite3.OperationalError as error:
        # SQLite tells of a full disk in a way of its own.
        raise OSError(f"the rows of a segment cannot be written: {error}") from error
    finally:
        rows.close()
    return int(counts[0]), int(counts[1])


def _ids_of_derivations(rows: sqlite3.Connection) -> Callable[[str], int]:
    @lru_cache(maxsize=1024)
    def derivations_id(names: str) -> int:
        rows.execute("INSERT OR IGNORE INTO derivations (names) VALUES (?)", (names,))
        found = rows.execute("SELECT id FROM derivations WHERE names = ?", (names,)).fetchone()
        return int(found[0])

    return derivations_id


def _finish(folder: Path, manifest: Manifest) -> None:
    """Measures the files, writes the manifest, and brings everything to the disk."""
    for name in (ROWS, *(kind.file_name for kind in IndexKind)):
        path = folder / name
        manifest.files[name] = {"size_bytes": path.stat().st_size}
        if name == ROWS:
            manifest.files[name]["sha256"] = file_digest(path)
            _sync(path)
    line = encode_line({"format": FORMAT, "version": VERSION, **asdict(manifest)})
    (folder / MANIFEST).touch(mode=0o600)
    (folder / MANIFEST).write_bytes(line)
    _sync(folder / MANIFEST)
    sync_folder(folder)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _lower(digest: str | None) -> str | None:
    return digest.lower() if digest else None
