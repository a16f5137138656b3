"""Words of the access stage: roles, platforms, tokens and receipts as other packages see them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Role(StrEnum):
    """What a member of staff may do at the desk."""

    REVIEWER = "reviewer"
    LEAD = "lead"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


class Scope(StrEnum):
    """What a platform's token may do."""

    CHECK = "check"
    COPIES = "copies"
    NOTICES = "notices"
    ENTRIES = "entries"
    EDGE = "edge"
    FINGERPRINT = "fingerprint"
    METRICS = "metrics"


@dataclass(frozen=True, slots=True)
class Platform:
    """A covered platform that this installation serves."""

    id: str
    name: str
    url_prefix: str


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token that was just made; `secret` is shown once and never stored."""

    secret: str
    platform: Platform
    scopes: tuple[Scope, ...]


@dataclass(frozen=True, slots=True)
class TokenHolder:
    """The platform that a token speaks for, and what the token may do."""

    platform: Platform
    scopes: frozenset[Scope]


class KeyKind(StrEnum):
    """Which of a case's keys some words are. Both open the case; the second is optional."""

    KEY_PHRASE = "key_phrase"
    RECOVERY_KEY = "recovery_key"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a person takes away: a number that is no secret and a key phrase that is.

    `key_phrase` is None where the person's device made it: then it was never here.
    """

    number: str
    key_phrase: str | None
    made_at: datetime


@dataclass(frozen=True, slots=True)
class MarkedCall:
    """A call that its maker may send twice: whose, which route, under which key, with which body."""

    platform_id: str
    route: str
    key: str
    body_sha256: str
