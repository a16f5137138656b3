"""Who is asking: a bearer token, known by its digest only. Refuses whoever has no right to check."""

from __future__ import annotations

import base64
import hashlib
import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from staydown.journal import JournalError, TokensFile
from staydown.match_api.call import Call
from staydown.match_api.errors import Refused
from staydown.match_api.refusals import scope_missing, unauthenticated, unavailable
from staydown.match_api.settings import MatchApiSettings

# As access.Scope has them; this door does not import what lies above it.
CHECK, FINGERPRINT, METRICS = "check", "fingerprint", "metrics"
_ASK = "Send the platform's token as `Authorization: Bearer sdk_...`."
_ASK_WATCHER = 'Send a token with the scope "metrics", as Bearer or as the password of Basic.'
# Headers that a proxy adds: a call with one of them did not begin on this machine.
_FORWARDED = (b"forwarded", b"x-forwarded-for", b"x-real-ip", b"via")


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

    def identify(self, call: Call, *, scope: str = CHECK) -> Caller:
        """The platform that may do this. Raises Refused: 401, 403, or 503 for an unreadable token file."""
        return self._holder(_bearer_digest(call.headers.get(b"authorization", b"")), scope=scope)

    def check_may_watch(self, call: Call) -> None:
        """Returns if the caller may see metrics and the health page. Raises Refused.

        A browser asks for a name and a password: the name is ignored, the password is the token. Where the
        installation says so, a call that began on this machine needs none.
        """
        if self._settings.metrics_open and is_local(call):
            return
        scheme, _, sent = (call.header(b"authorization") or "").strip().partition(" ")
        token = {"bearer": sent.strip(), "basic": _password(sent)}.get(scheme.lower())
        if token is None:
            raise unauthenticated(_ASK_WATCHER, challenge='Basic realm="Staydown"')
        try:
            self._holder(_digest_of(token), scope=METRICS)
        except Refused as refused:
            if refused.problem.status == 401:
                raise unauthenticated(_ASK_WATCHER, challenge='Basic realm="Staydown"') from None
            raise

    def _holder(self, digest: str, *, scope: str) -> Caller:
        row = self._row(digest)
        if row is None:
            raise unauthenticated("The token is unknown, was revoked, or has expired.")
        if scope not in row["scopes"]:
            raise scope_missing(scope)
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


def is_local(call: Call) -> bool:
    """Whether the connection came from this machine, and not for somebody else through a proxy."""
    try:
        peer = ipaddress.ip_address(call.peer)
    except ValueError:
        return False
    return peer.is_loopback and not any(name in call.headers for name in _FORWARDED)


@lru_cache(maxsize=256)  # platforms send the same header all day
def _bearer_digest(header: bytes) -> str:
    scheme, _, token = header.decode("latin-1").strip().partition(" ")
    if scheme.lower() != "bearer":
        raise unauthenticated(_ASK)
    return _digest_of(token.strip())


def _digest_of(token: str) -> str:
    if not token:
        raise unauthenticated(_ASK)
    return hashlib.sha256(token.encode()).hexdigest()


def _password(sent: str) -> str:
    try:
        return base64.b64decode(sent.strip(), validate=True).decode().partition(":")[2]
    except ValueError:
        return ""
