"""The ledger's events of a case in sentences for the person it belongs to, newest first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from staydown.journeys.events import EventKind
from staydown.journeys.overviews import CaseOverview

Details = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TimelineLine:
    """One thing that happened."""

    at: datetime
    sentence: str


def _registered(details: Details) -> str:
    count = int(details["count"])
    return ngettext("%(n)d picture registered.", "%(n)d pictures registered.", count) % {"n": count}


def _decided(details: Details) -> str:
    if details["outcome"] == "removed":
        return str(_("Request %s: a reviewer decided that it is removed.") % details["request"])
    return str(_("Request %s: a reviewer decided that it is not removed.") % details["request"])


_SENTENCES: dict[str, Callable[[Details], str]] = {
    EventKind.CASE_OPENED: lambda details: _("Your case was opened."),
    EventKind.CASE_WITHDRAWN: lambda details: _("You withdrew everything. No picture is matched any more."),
    EventKind.PICTURES_REGISTERED: _registered,
    EventKind.PICTURE_WITHDRAWN: lambda details: _("You withdrew a picture. It is matched no more."),
    EventKind.REQUEST_RECEIVED: lambda details: _("Request %s was received.") % details["request"],
    EventKind.REQUEST_CLAIMED: lambda details: (
        _("Request %s: a reviewer started on it.") % details["request"]
    ),
    EventKind.REQUEST_RELEASED: lambda details: (
        _("Request %s waits for a reviewer again.") % details["request"]
    ),
    EventKind.REQUEST_DECIDED: _decided,
    EventKind.REQUEST_WITHDRAWN: lambda details: _("You withdrew request %s.") % details["request"],
    EventKind.ENTRIES_CONFIRMED: lambda details: _(
        "The picture's fingerprint was confirmed: new uploads of it are blocked."
    ),
    EventKind.ENTRY_PAUSED: lambda details: _(
        "Protection by one picture was paused: many different pictures look like it. A person looks at it."
    ),
    EventKind.ENTRY_PUT_BACK: lambda details: _("A person looked, and the picture protects you again."),
    EventKind.ENTRY_KEPT_OUT: lambda details: _(
        "A person looked: too many other pictures look like this one. It stays paused."
    ),
    EventKind.KEY_MADE: lambda details: (
        _("You made a recovery key.")
        if details["key"] == "recovery_key"
        else _("You made a new key phrase. The old one opens nothing any more.")
    ),
    EventKind.KEY_REMOVED: lambda details: _("You removed the recovery key."),
    EventKind.NOTES_STARTED: lambda details: _("You started private notes."),
    EventKind.NOTES_DELETED: lambda details: _("You deleted your private notes."),
    EventKind.PLAN_KEPT: lambda details: _("You kept your plan here."),
    EventKind.PLAN_DELETED: lambda details: _("You deleted your plan."),
    EventKind.OUTSIDE_REQUEST_ADDED: lambda details: _("You noted a request to another site."),
    EventKind.OUTSIDE_REQUEST_ANSWERED: lambda details: _(
        "You noted what became of a request to another site."
    ),
    EventKind.OUTSIDE_REQUEST_DELETED: lambda details: _("You deleted a note of a request to another site."),
    EventKind.COPY_ORDERED: lambda details: (
        _("Request %s: a copy was found and its removal ordered.") % details["request"]
    ),
    EventKind.COPY_INSTRUCTED: lambda details: (
        _("Request %s: the platform was told to remove a copy.") % details["request"]
    ),
    EventKind.COPY_GONE: lambda details: (
        _("Request %s: the platform says that a copy is gone.") % details["request"]
    ),
    EventKind.COPY_FAILED: lambda details: (
        _("Request %s: the platform could not be reached about a copy. A person was told.")
        % details["request"]
    ),
}


def timeline(overview: CaseOverview) -> list[TimelineLine]:
    """What happened in a case, newest first."""
    lines = [
        TimelineLine(at=row.event.at, sentence=_SENTENCES[row.event.kind](row.event.details))
        for row in overview.events
        if row.event.kind in _SENTENCES
    ]
    return lines[::-1]
