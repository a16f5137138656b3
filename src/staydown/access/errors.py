"""Errors of the access stage.

AccessError
├── ReceiptNotRecognised    the number and the key phrase do not belong together
├── OpenKeyMalformed        what a device sent is no open key
├── TooManyAttempts         slow down; carries how long
├── TokenNotRecognised      unknown, revoked or expired
├── ScopeMissing            a good token that may not do this
├── PlatformNameTaken       a platform of that name exists
├── PlatformAddressTaken    a platform with that address exists
├── PlatformNotFound        no platform of that name
├── IdempotencyKeyReused    the same key came with another body
└── WordListMissing         the installation lacks data/words
"""

from __future__ import annotations

from staydown.errors import StaydownError


class AccessError(StaydownError):
    """Base of the stage's errors."""


class ReceiptNotRecognised(AccessError):
    """The number and the key phrase do not belong together (which of the two is never said)."""


class OpenKeyMalformed(AccessError):
    """What a device sent in the place of a key phrase is not the key that one derives."""


class TooManyAttempts(AccessError):
    """Somebody tried too often; they may try again after `retry_after_seconds`."""

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(f"too many attempts; try again in {retry_after_seconds} seconds")
        self.retry_after_seconds = retry_after_seconds


class TokenNotRecognised(AccessError):
    """The token is unknown, revoked or expired."""


class ScopeMissing(AccessError):
    """The token is good but may not do this."""

    def __init__(self, scope: str) -> None:
        super().__init__(f"this token lacks the scope {scope!r}")
        self.scope = scope


class PlatformNameTaken(AccessError):
    """A platform of that name exists already."""


class PlatformAddressTaken(AccessError):
    """A platform with that address exists already."""


class PlatformNotFound(AccessError):
    """No platform of that name is connected."""


class IdempotencyKeyReused(AccessError):
    """The same Idempotency-Key came before with another body."""


class WordListMissing(AccessError):
    """data/words/en.txt is not where it should be, so no receipt can be made."""
