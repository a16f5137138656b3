"""Who may post: names, passwords, and patience with wrong ones. The first member looks after the forum."""

from __future__ import annotations

import sqlite3
import time
import unicodedata
from dataclasses import dataclass

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from forum.database import Database

MIN_PASSWORD_LENGTH = 8
MAX_PASSWORD_LENGTH = 200
MIN_NAME_LENGTH, MAX_NAME_LENGTH = 2, 40
# Enough for somebody who tries the passwords they remember; guessing gets 32 tries an hour for one name.
FAILURES_ALLOWED = 8
FORGOTTEN_AFTER_SECONDS = 15 * 60
# So that nobody fills the memory with made-up names; then the oldest are forgotten.
_MOST_REMEMBERED = 10_000
_ARGON2ID = PasswordHasher()


class NameTaken(Exception):
    """Somebody is a member under this name already."""


class NotAllowedHere(Exception):
    """This name or password cannot be used; str() says why."""


@dataclass(frozen=True)
class Member:
    """Somebody who may post; the first member looks after the forum."""

    name: str
    moderates: bool


def tidy_name(text: str) -> str:
    """A name as it is kept: one way to write each letter, single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).split())


class Members:
    """The members in the forum's database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        # Checked when nobody has the name, so that the answer takes as long as for a wrong password.
        self._nobodys_verifier = _ARGON2ID.hash("nobody")

    def join(self, name: str, password: str) -> Member:
        """Adds a member. Raises NameTaken or NotAllowedHere."""
        name = tidy_name(name)
        if not MIN_NAME_LENGTH <= len(name) <= MAX_NAME_LENGTH or not name.isprintable():
            raise NotAllowedHere(f"A name has {MIN_NAME_LENGTH} to {MAX_NAME_LENGTH} letters.")
        if not MIN_PASSWORD_LENGTH <= len(password) <= MAX_PASSWORD_LENGTH:
            raise NotAllowedHere(f"A password has {MIN_PASSWORD_LENGTH} to {MAX_PASSWORD_LENGTH} letters.")
        verifier = _ARGON2ID.hash(password)
        with self._database.writing() as database:
            # NOCASE knows ASCII only. In a forum for more than a few people compare names more carefully.
            if database.execute("SELECT 1 FROM member WHERE name = ? COLLATE NOCASE", (name,)).fetchone():
                raise NameTaken
            first = database.execute("SELECT count(*) FROM member").fetchone()[0] == 0
            database.execute("INSERT INTO member VALUES (?, ?, ?)", (name, verifier, first))
        return Member(name=name, moderates=first)

    def member(self, name: str) -> Member | None:
        """The member of that name."""
        row = self._row(name)
        return Member(name=row[0], moderates=bool(row[2])) if row else None

    def sign_in(self, name: str, password: str) -> Member | None:
        """The member, if the password is theirs."""
        row = self._row(tidy_name(name))
        try:
            _ARGON2ID.verify(row[1] if row else self._nobodys_verifier, password[: MAX_PASSWORD_LENGTH + 1])
        except VerifyMismatchError:
            return None
        return Member(name=row[0], moderates=bool(row[2])) if row else None

    def _row(self, name: str) -> tuple[str, str, int] | None:
        with self._database.reading() as database:
            query = "SELECT name, verifier, moderates FROM member WHERE name = ? COLLATE NOCASE"
            cursor: sqlite3.Cursor = database.execute(query, (name,))
            row: tuple[str, str, int] | None = cursor.fetchone()
        return row


class FailedSignIns:
    """Counts wrong passwords for each name and address; kept in memory, so a restart forgives all."""

    def __init__(self) -> None:
        self._failures: dict[tuple[str, str], list[float]] = {}

    def are_too_many(self, name: str, address: str) -> bool:
        """Whether this name must wait before it is tried again from this address."""
        return len(self._recent(name, address)) >= FAILURES_ALLOWED

    def note(self, name: str, address: str) -> None:
        """Counts one more."""
        recent = [*self._recent(name, address), time.monotonic()]
        self._failures.pop(_key(name, address), None)
        self._failures[_key(name, address)] = recent
        while len(self._failures) > _MOST_REMEMBERED:
            del self._failures[next(iter(self._failures))]

    def forget(self, name: str, address: str) -> None:
        """The right password came."""
        self._failures.pop(_key(name, address), None)

    def _recent(self, name: str, address: str) -> list[float]:
        since = time.monotonic() - FORGOTTEN_AFTER_SECONDS
        return [at for at in self._failures.get(_key(name, address), []) if at > since]


def _key(name: str, address: str) -> tuple[str, str]:
    return tidy_name(name).casefold()[:MAX_NAME_LENGTH], address
