"""Events of a case become sentences, newest first; what is not the person's business does not."""

from __future__ import annotations

from datetime import timedelta

import pytest

from staydown.cases.terms import Case, CaseState
from staydown.journeys.events import EventKind
from staydown.journeys.overviews import CaseOverview
from staydown.ledger.terms import Json, LedgerEvent, RecordedEvent
from staydown.survivor_site.timeline import timeline
from tests.staydown.conftest import NOW

# What each event of a case tells (journeys write these), and the sentence it becomes.
TOLD: dict[EventKind, tuple[dict[str, Json], str]] = {
    EventKind.CASE_OPENED: ({}, "Your case was opened."),
    EventKind.CASE_WITHDRAWN: ({}, "You withdrew everything. No picture is matched any more."),
    EventKind.PICTURES_REGISTERED: ({"count": 1}, "1 picture registered."),
    EventKind.PICTURE_WITHDRAWN: ({}, "You withdrew a picture. It is matched no more."),
    EventKind.REQUEST_RECEIVED: ({}, "Request R-1 was received."),
    EventKind.REQUEST_CLAIMED: ({}, "Request R-1: a reviewer started on it."),
    EventKind.REQUEST_RELEASED: ({}, "Request R-1 waits for a reviewer again."),
    EventKind.REQUEST_DECIDED: (
        {"outcome": "removed"},
        "Request R-1: a reviewer decided that it is removed.",
    ),
    EventKind.REQUEST_WITHDRAWN: ({}, "You withdrew request R-1."),
    EventKind.ENTRIES_CONFIRMED: (
        {},
        "The picture's fingerprint was confirmed: new uploads of it are blocked.",
    ),
    EventKind.ENTRY_PAUSED: (
        {},
        "Protection by one picture was paused: many different pictures look like it. A person looks at it.",
    ),
    EventKind.ENTRY_PUT_BACK: ({}, "A person looked, and the picture protects you again."),
    EventKind.ENTRY_KEPT_OUT: (
        {},
        "A person looked: too many other pictures look like this one. It stays paused.",
    ),
    EventKind.KEY_MADE: (
        {"key": "key_phrase"},
        "You made a new key phrase. The old one opens nothing any more.",
    ),
    EventKind.KEY_REMOVED: ({}, "You removed the recovery key."),
    EventKind.NOTES_STARTED: ({}, "You started private notes."),
    EventKind.NOTES_DELETED: ({}, "You deleted your private notes."),
    EventKind.PLAN_KEPT: ({}, "You kept your plan here."),
    EventKind.PLAN_DELETED: ({}, "You deleted your plan."),
    EventKind.OUTSIDE_REQUEST_ADDED: ({}, "You noted a request to another site."),
    EventKind.OUTSIDE_REQUEST_ANSWERED: ({}, "You noted what became of a request to another site."),
    EventKind.OUTSIDE_REQUEST_DELETED: ({}, "You deleted a note of a request to another site."),
    EventKind.COPY_ORDERED: ({}, "Request R-1: a copy was found and its removal ordered."),
    EventKind.COPY_INSTRUCTED: ({}, "Request R-1: the platform was told to remove a copy."),
    EventKind.COPY_GONE: ({}, "Request R-1: the platform says that a copy is gone."),
    EventKind.COPY_FAILED: (
        {},
        "Request R-1: the platform could not be reached about a copy. A person was told.",
    ),
}
# Whether a reviewer looked at the post, and alarms that changed nothing for the person, are between the
# reviewer and the auditor.
NOT_TOLD = {EventKind.POST_OPENED, EventKind.FLOOD_NOTICED, EventKind.FLOOD_DISMISSED}


def a_case(*events: tuple[str, dict[str, Json]]) -> CaseOverview:
    recorded = tuple(
        RecordedEvent(
            index,
            LedgerEvent(kind, NOW + timedelta(minutes=index), "C-1", {"request": "R-1", **details}),
            b"",
        )
        for index, (kind, details) in enumerate(events)
    )
    case = Case(number="C-1", state=CaseState.OPEN, opened_at=NOW, withdrawn_at=None, registrations=())
    return CaseOverview(case=case, pictures=(), requests=(), events=recorded)


def test_every_kind_of_event_is_either_told_or_left_out_on_purpose() -> None:
    assert set(TOLD) | NOT_TOLD == set(EventKind)


@pytest.mark.parametrize("kind", list(TOLD))
def test_event_becomes_its_sentence_with_its_time(kind: EventKind) -> None:
    details, sentence = TOLD[kind]

    [line] = timeline(a_case((kind, details)))

    assert (line.at, line.sentence) == (NOW, sentence)


def test_refusal_and_several_pictures_are_told_as_such() -> None:
    lines = timeline(
        a_case(
            (EventKind.PICTURES_REGISTERED, {"count": 2}),
            (EventKind.REQUEST_DECIDED, {"outcome": "not_removed"}),
        )
    )

    assert [line.sentence for line in lines] == [
        "Request R-1: a reviewer decided that it is not removed.",
        "2 pictures registered.",
    ]


@pytest.mark.parametrize("kind", [*sorted(NOT_TOLD), "ledger.erased", "kind.of.a.later.version"])
def test_what_is_not_told_leaves_no_line(kind: str) -> None:
    assert timeline(a_case((kind, {}), (EventKind.CASE_OPENED, {}))) == timeline(
        a_case(("unknown", {}), (EventKind.CASE_OPENED, {}))
    )


def test_newest_comes_first() -> None:
    lines = timeline(a_case((EventKind.CASE_OPENED, {}), (EventKind.CASE_WITHDRAWN, {})))

    assert [line.at for line in lines] == [NOW + timedelta(minutes=1), NOW]
