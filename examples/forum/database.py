"""The forum's SQLite file: one short connection for each use, and nothing left of what was erased."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS member (
  name TEXT PRIMARY KEY, verifier TEXT NOT NULL, moderates INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS post (
  id TEXT PRIMARY KEY, member TEXT NOT NULL REFERENCES member(name), title TEXT NOT NULL, file TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('published', 'held', 'removed')), posted_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS announced (post_id TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS unchecked (post_id TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS removal (copy_id TEXT PRIMARY KEY, done_at TEXT);
CREATE TABLE IF NOT EXISTS heard (event_id TEXT PRIMARY KEY, at TEXT NOT NULL);
"""


class Database:
    """Reads with `reading()`, writes with `writing()`; the latter is one transaction."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with closing(self._open()) as connection:
            connection.executescript(_SCHEMA)

    def _open(self) -> sqlite3.Connection:
        # isolation_level=None: transactions begin where we say so, not at the first INSERT, so that a
        # SELECT before it sees what the INSERT will meet.
        connection = sqlite3.connect(self._path, timeout=20, isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA secure_delete=ON")  # overwrites what is deleted with zeros
        return connection

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection to read with."""
        with closing(self._open()) as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A connection inside a transaction: committed at the end, rolled back if the block raises."""
        with closing(self._open()) as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def empty_write_ahead_log(self) -> None:
        """Moves everything into the database file, so that the log keeps no page from before an erasure."""
        with closing(self._open()) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
