"""The token file as the upload check follows it."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from staydown.journal import JournalFormatUnknown, TokensFile, write_tokens

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def _row(digest: str, *, expires_at: datetime | None = None) -> dict[str, object]:
    return {
        "digest": digest,
        "platform": "pf_a",
        "scopes": ["check"],
        "expires_at": expires_at.isoformat() if expires_at else None,
    }


def test_revoked_token_is_gone_at_the_next_look(tmp_path: Path) -> None:
    # Given a token that is good
    path = tmp_path / "tokens.json"
    write_tokens(path, [_row("aa")])
    tokens = TokensFile(path)
    assert tokens.find("aa", now=NOW) is not None

    # When the file is replaced without it
    write_tokens(path, [])

    # Then it is not found
    assert tokens.find("aa", now=NOW) is None


def test_expired_token_is_not_found(tmp_path: Path) -> None:
    path = tmp_path / "tokens.json"
    write_tokens(path, [_row("aa", expires_at=NOW + timedelta(seconds=1))])
    tokens = TokensFile(path)

    assert tokens.find("aa", now=NOW) is not None
    assert tokens.find("aa", now=NOW + timedelta(seconds=1)) is None


def test_nobody_else_can_read_the_file(tmp_path: Path) -> None:
    path = tmp_path / "tokens.json"
    write_tokens(path, [_row("aa")])

    assert os.stat(path).st_mode & 0o077 == 0


def test_missing_file_knows_nobody(tmp_path: Path) -> None:
    assert TokensFile(tmp_path / "tokens.json").find("aa", now=NOW) is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 1}', '{"version": 1, "tokens": [7]}'])
def test_damaged_file_is_refused_by_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "tokens.json"
    path.write_text(text)

    with pytest.raises(JournalFormatUnknown):
        TokensFile(path).find("aa", now=NOW)


def test_later_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tokens.json"
    path.write_text('{"version": 2, "tokens": []}')

    with pytest.raises(JournalFormatUnknown):
        TokensFile(path).find("aa", now=NOW)
