"""Words of the notices stage: the four elements of a removal request and the states it goes through."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Element(StrEnum):
    """The four elements of 47 U.S.C. 223a(a)(1)(B), in the Act's order."""

    SIGNATURE = "signature"
    LOCATION = "location"
    GOOD_FAITH = "good_faith"
    CONTACT = "contact"


class Signer(StrEnum):
    """Who signs."""

    DEPICTED_PERSON = "depicted_person"
    AUTHORISED = "authorised"


class NoticeState(StrEnum):
    """Where a request stands."""

    OPEN = "open"
    CLAIMED = "claimed"
    REMOVED = "removed"
    NOT_REMOVED = "not_removed"
    WITHDRAWN = "withdrawn"


class NoticeAction(StrEnum):
    """What can happen to a request."""

    CLAIM = "claim"
    RELEASE = "release"
    REMOVE = "remove"
    DECLINE = "decline"
    WITHDRAW = "withdraw"


@dataclass(frozen=True, slots=True)
class RequestDraft:
    """What somebody typed into the form, before it is a request."""

    urls: tuple[str, ...]
    signature: str
    signer: Signer
    statement: str
    good_faith: bool
    contact: str


@dataclass(frozen=True, slots=True)
class Notice:
    """One removal request."""

    number: str
    case_number: str
    platform_id: str
    state: NoticeState
    received_at: datetime
    deadline_at: datetime
    duty_id: str
    closed_at: datetime | None
    urls: tuple[str, ...]
    signature: str
    signer: Signer
    statement: str
    contact: str
