"""The kinds of event that journeys write into the ledger, and what each tells.

A case's number is the subject of everything that its receipt proves; staff acts that are not the
person's business have the request's number as subject.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from staydown.bank.terms import Entry
from staydown.cases.queries import case_number_of
from staydown.ledger.operations import record
from staydown.ledger.terms import Json, LedgerEvent
from staydown.notices.queries import notice_by_number


class EventKind(StrEnum):
    """What happened."""

    CASE_OPENED = "case.opened"
    CASE_WITHDRAWN = "case.withdrawn"
    PICTURES_REGISTERED = "pictures.registered"
    PICTURE_WITHDRAWN = "picture.withdrawn"
    REQUEST_RECEIVED = "request.received"
    REQUEST_CLAIMED = "request.claimed"
    REQUEST_RELEASED = "request.released"
    REQUEST_DECIDED = "request.decided"
    REQUEST_WITHDRAWN = "request.withdrawn"
    ENTRIES_CONFIRMED = "entries.confirmed"
    COPY_ORDERED = "copy.ordered"
    COPY_INSTRUCTED = "copy.instructed"
    COPY_GONE = "copy.gone"
    COPY_FAILED = "copy.failed"
    POST_OPENED = "post.opened"
    FLOOD_NOTICED = "flood.noticed"
    FLOOD_DISMISSED = "flood.dismissed"
    ENTRY_PAUSED = "entry.paused"
    ENTRY_PUT_BACK = "entry.put_back"
    ENTRY_KEPT_OUT = "entry.kept_out"
    KEY_MADE = "key.made"
    KEY_REMOVED = "key.removed"
    NOTES_STARTED = "notes.started"
    NOTES_DELETED = "notes.deleted"
    PLAN_KEPT = "plan.kept"
    PLAN_DELETED = "plan.deleted"
    OUTSIDE_REQUEST_ADDED = "outside_request.added"
    OUTSIDE_REQUEST_ANSWERED = "outside_request.answered"
    OUTSIDE_REQUEST_DELETED = "outside_request.deleted"


def write(kind: EventKind, /, *, subject: str, now: datetime, **details: Json) -> None:
    """Writes one event into the ledger, in the caller's transaction."""
    record(LedgerEvent(kind=kind.value, at=now, subject=subject, details=details))


def subject_of(entry: Entry) -> str:
    """The number of the case that an entry came from: the subject of what happens to it."""
    if entry.registration_id is not None:
        return case_number_of(entry.registration_id)
    return notice_by_number(str(entry.notice_number)).case_number
