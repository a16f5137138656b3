"""Words of the action stage."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class CopyState(StrEnum):
    """Where one copy stands."""

    PENDING = "pending"
    INSTRUCTED = "instructed"
    GONE = "gone"
    FAILED = "failed"


class CopyAction(StrEnum):
    """What can happen to a copy."""

    INSTRUCT = "instruct"
    CONFIRM_GONE = "confirm_gone"
    FAIL = "fail"


class CopyKind(StrEnum):
    """Why a copy is on the list."""

    NAMED = "named"
    EXACT = "exact"


class DeliveryState(StrEnum):
    """Where one webhook delivery stands."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class CopyToRemove:
    """A copy that a decision orders removed, before it is recorded."""

    content_id: str | None
    content_url: str
    kind: CopyKind


@dataclass(frozen=True, slots=True)
class Copy:
    """One place where a removed picture was, and what became of it."""

    id: str
    notice_number: str
    platform_id: str
    content_id: str | None
    content_url: str
    kind: CopyKind
    state: CopyState
    created_at: datetime
    instructed_at: datetime | None
    gone_at: datetime | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook message that this worker has claimed. `attempt` is also the fencing token."""

    id: int
    message_id: str
    url: str
    secret: str
    body: str
    attempt: int
    copy_id: str | None


@dataclass(frozen=True, slots=True)
class DeliveryResult:
    """What came of one attempt: the answer's status, or 0 and a word when there was no answer."""

    status: int
    trouble: str

    @property
    def delivered(self) -> bool:
        """Only 2xx counts (Standard Webhooks 1.0.0)."""
        return 200 <= self.status < 300
