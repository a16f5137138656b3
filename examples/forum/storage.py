"""The forum's own storage: members and posts in SQLite, pictures as files beside it.

A post that is removed loses its picture and its title for good; what stays says only that something was here.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

_SCHEMA = """
CREATE TABLE IF NOT EXISTS member (
  name TEXT PRIMARY KEY, verifier TEXT NOT NULL, moderates INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS post (
  id TEXT PRIMARY KEY, member TEXT NOT NULL REFERENCES member(name), title TEXT NOT NULL, file TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('published', 'held', 'removed')), posted_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS removal (copy_id TEXT PRIMARY KEY, done_at TEXT);
"""
_ARGON2ID = PasswordHasher()


class NameTaken(Exception):
    """Somebody is a member under this name already."""


@dataclass(frozen=True)
class Member:
    """Somebody who may post; the first member looks after the forum."""

    name: str
    moderates: bool


@dataclass(frozen=True)
class Post:
    """A picture on the forum. `state` is published, held or removed."""

    id: str
    member: str
    title: str
    file: str
    state: str
    posted_at: datetime


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


class Storage:
    """Members, posts and pictures in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.media = folder / "media"
        self.media.mkdir(parents=True, exist_ok=True)
        with self._open() as database:
            database.executescript(_SCHEMA)

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._folder / "forum.sqlite3", timeout=20, isolation_level="IMMEDIATE")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA secure_delete=ON")
        return connection

    def join(self, name: str, password: str) -> Member:
        """Adds a member; the first looks after the forum. Raises NameTaken."""
        verifier = _ARGON2ID.hash(password)
        with self._open() as database:
            first = database.execute("SELECT count(*) FROM member").fetchone()[0] == 0
            try:
                database.execute("INSERT INTO member VALUES (?, ?, ?)", (name, verifier, first))
            except sqlite3.IntegrityError:
                raise NameTaken from None
        return Member(name=name, moderates=first)

    def member(self, name: str) -> Member | None:
        """The member of that name."""
        with self._open() as database:
            row = database.execute("SELECT name, moderates FROM member WHERE name = ?", (name,)).fetchone()
        return Member(name=row[0], moderates=bool(row[1])) if row else None

    def sign_in(self, name: str, password: str) -> Member | None:
        """The member, if the password is theirs."""
        with self._open() as database:
            row = database.execute("SELECT verifier FROM member WHERE name = ?", (name,)).fetchone()
        try:
            _ARGON2ID.verify(row[0] if row else _ARGON2ID.hash("nobody"), password)
        except VerifyMismatchError:
            return None
        return self.member(name) if row else None

    def add_post(
        self, *, post_id: str, member: str, title: str, file: str, picture: bytes, state: str
    ) -> None:
        """Stores a picture and its post."""
        (self.media / file).write_bytes(picture)
        values = (post_id, member, title, file, state, datetime.now(UTC).isoformat())
        with self._open() as database:
            database.execute("INSERT INTO post VALUES (?, ?, ?, ?, ?, ?)", values)

    def post(self, post_id: str) -> Post | None:
        """One post, also a removed one."""
        found = self._posts("id = ?", post_id)
        return found[0] if found else None

    def published(self) -> list[Post]:
        """What everybody sees, newest first."""
        return self._posts("state = 'published'")

    def held(self) -> list[Post]:
        """What waits for a moderator."""
        return self._posts("state = 'held'")

    def posts_of(self, member: str) -> list[Post]:
        """A member's own posts that are not removed."""
        return self._posts("member = ? AND state != 'removed'", member)

    def _posts(self, condition: str, *values: str) -> list[Post]:
        query = f"SELECT id, member, title, file, state, posted_at FROM post WHERE {condition}"
        with self._open() as database:
            rows = database.execute(query + " ORDER BY posted_at DESC, id", values).fetchall()
        return [
            Post(id=row[0], member=row[1], title=row[2], file=row[3], state=row[4], posted_at=_time(row[5]))
            for row in rows
        ]

    def publish(self, post_id: str) -> None:
        """Publishes a held post."""
        with self._open() as database:
            database.execute(
                "UPDATE post SET state = 'published' WHERE id = ? AND state = 'held'", (post_id,)
            )

    def remove(self, post_id: str) -> None:
        """Deletes the picture and the title for good; doing it twice changes nothing."""
        post = self.post(post_id)
        if post is None or post.state == "removed":
            return
        (self.media / post.file).unlink(missing_ok=True)
        with self._open() as database:
            database.execute(
                "UPDATE post SET state = 'removed', title = '', file = '' WHERE id = ?", (post_id,)
            )

    def order_removal(self, copy_id: str) -> None:
        """Remembers that a copy is to go; hearing it twice changes nothing."""
        with self._open() as database:
            database.execute("INSERT OR IGNORE INTO removal VALUES (?, NULL)", (copy_id,))

    def removals_to_do(self) -> list[str]:
        """The copies that are still to go."""
        with self._open() as database:
            rows = database.execute("SELECT copy_id FROM removal WHERE done_at IS NULL").fetchall()
        return [row[0] for row in rows]

    def removal_done(self, copy_id: str) -> None:
        """Notes that a copy is gone and that Staydown knows."""
        with self._open() as database:
            database.execute(
                "UPDATE removal SET done_at = ? WHERE copy_id = ?", (datetime.now(UTC).isoformat(), copy_id)
            )
