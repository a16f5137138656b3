"""The token file: digests of the tokens that are good, replaced whole whenever one is made or revoked."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from staydown.journal.errors import JournalFormatUnknown

VERSION = 1
# Looking at the file is a system call; a token that was revoked may be good for so much longer.
LOOK_AGAIN_SECONDS = 0.0005


@contextmanager
def tokens_lock(path: Path) -> Iterator[None]:
    """Keeps other writers of the token file out while the block reads the tokens and writes them."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)  # closing releases the lock


def write_tokens(path: Path, tokens: Sequence[dict[str, Any]]) -> None:
    """Replaces the token file at once and whole; only this account can read it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump({"version": VERSION, "tokens": list(tokens)}, file)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


class TokensFile:
    """Follows the token file. Looking a token up costs at most one stat when the file has not changed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._identity: tuple[int, int, int] | None = None
        self._tokens: dict[str, dict[str, Any]] = {}
        self._look_again_at = 0.0

    def find(self, digest: str, *, now: datetime) -> dict[str, Any] | None:
        """The token's row, or None if it is unknown, revoked or expired. Raises JournalFormatUnknown."""
        if (moment := time.monotonic()) >= self._look_again_at:
            self._refresh()
            self._look_again_at = moment + LOOK_AGAIN_SECONDS
        row = self._tokens.get(digest)
        if row is None:
            return None
        expires_at = row.get("expires_at")
        if expires_at is not None and datetime.fromisoformat(expires_at) <= now:
            return None
        return row

    def _refresh(self) -> None:
        try:
            seen = self._path.stat()
        except FileNotFoundError:
            self._tokens, self._identity = {}, None
            return
        identity = (seen.st_ino, seen.st_mtime_ns, seen.st_size)
        if identity == self._identity:
            return
        try:
            document = json.loads(self._path.read_text())
            if document["version"] != VERSION:
                raise JournalFormatUnknown(f"the token file is not of version {VERSION}")
            tokens = {row["digest"]: row for row in document["tokens"]}
        except (ValueError, KeyError, TypeError) as error:
            raise JournalFormatUnknown("the token file cannot be read") from error
        self._tokens = tokens
        self._identity = identity
