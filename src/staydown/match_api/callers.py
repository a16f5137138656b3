"""Who is asking: a bearer token, known by its digest only. Refuses whoever has no right to check."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request

from staydown.journal import JournalError, TokensFile
from staydown.match_api.errors import Refused
from staydown.match_api.refusals import scope_missing, unauthenticated, unavailable
from staydown.match_api.settings import MatchApiSettings

SCOPE = "check"


@dataclass(frozen=True, slots=True)
class Caller:
    """The platform that a good token belongs to."""

    platform: str
    token_digest: str


class Callers:
    """Looks tokens up in the token file, which is read again whenever it was replaced."""

    def __init__(self, settings: MatchApiSettings) -> None:
        self._settings = settings
        self._tokens = TokensFile(settings.tokens_path)

    def check_readable(self) -> None:
        """Raises Refused unless there is a token file that can be read."""
        if not self._settings.tokens_path.exists():
            raise self._unavailable("tokens-missing", "The list of tokens has not been published yet.")
        self._row("")

    def identify(self, request: Request) -> Caller:
        """The platform that may check. Raises Refused: 401, 403, or 503 for an unreadable token file."""
        scheme, _, token = request.headers.get("authorization", "").strip().partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            raise unauthenticated("Send the platform's token as `Authorization: Bearer sdk_...`.")
        digest = hashlib.sha256(token.encode()).hexdigest()
        row = self._row(digest)
        if row is None:
            raise unauthenticated("The token is unknown, was revoked, or has expired.")
        if SCOPE not in row["scopes"]:
            raise scope_missing(SCOPE)
        return Caller(platform=row["platform"], token_digest=digest)

    def _row(self, digest: str) -> dict[str, Any] | None:
        try:
            return self._tokens.find(digest, now=datetime.now(UTC))
        except (JournalError, OSError, ValueError, TypeError):  # the last two: an expiry that is no time
            raise self._unavailable(
                "tokens-unreadable", "The list of tokens cannot be read at the moment."
            ) from None

    def _unavailable(self, slug: str, detail: str) -> Refused:
        return unavailable(slug, detail, retry_after_seconds=self._settings.retry_after_seconds)
