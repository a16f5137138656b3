"""A flood of different uploads pauses an entry, once, and people are told; nothing else does."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings

from staydown.access.terms import Platform
from staydown.bank.operations import set_state
from staydown.bank.queries import crowds, entry_by_id, floods_waiting, last_change, open_floods
from staydown.bank.terms import Entry, FloodAnswer, FloodLimits
from staydown.cases.queries import case_number_of
from staydown.journal import BankJournalWriter
from staydown.journeys.guard_flood import guard_against_floods
from staydown.ledger.queries import events_of
from staydown.matching.terms import EntryState, MatchKind
from tests.staydown.conftest import NOW, a_platform, an_entry
from tests.staydown.journeys.floods import a_flood, uploads_near


def kinds_about(entry: Entry) -> list[str]:
    """What the ledger tells about an entry's case."""
    return [row.event.kind for row in events_of(case_number_of(str(entry.registration_id)))]


def test_flood_of_different_pictures_pauses_the_entry_with_its_reason(
    forum: Platform, django_capture_on_commit_callbacks: Any, caplog: pytest.LogCaptureFixture
) -> None:
    # Given an entry, and eighty different uploads far from it within half an hour
    entry = an_entry()

    # When the guard comes by
    with django_capture_on_commit_callbacks(execute=True), caplog.at_level(logging.WARNING):
        flood = a_flood(entry, forum, now=NOW)

    # Then it is paused, with what was seen, what was usual and what it was before
    assert entry_by_id(entry.id).state is EntryState.QUARANTINED
    assert (flood.answer, flood.near, flood.far, flood.usual) == (FloodAnswer.QUARANTINE, 80, 80, 0)
    assert (flood.state_before, flood.platform_id, flood.found_at) == (EntryState.UNCONFIRMED, forum.id, NOW)
    assert flood.waits

    # Then the upload checks are told, the ledger proves it to the person, and a person is called
    with BankJournalWriter(settings.STAYDOWN_BANK_JOURNAL_PATH) as journal:
        assert journal.last_seq() == last_change()
    assert kinds_about(entry) == ["entry.paused"]
    assert floods_waiting() == 1
    [line] = [row.getMessage() for row in caplog.records]
    assert "/desk/quarantine" in line
    assert entry.id not in line


def test_guard_that_comes_twice_acts_once(forum: Platform) -> None:
    entry = an_entry()
    a_flood(entry, forum, now=NOW)

    assert guard_against_floods(now=NOW + timedelta(seconds=5)) == 0
    assert kinds_about(entry) == ["entry.paused"]


def test_flood_that_another_guard_noted_meanwhile_is_skipped(
    forum: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a guard that has read the counts before another one acted
    entry = an_entry()
    uploads_near(entry, forum, 80, at=NOW)
    seen = crowds(settings.STAYDOWN_FLOOD_LIMITS, now=NOW)
    assert guard_against_floods(now=NOW) == 1
    monkeypatch.setattr("staydown.journeys.guard_flood.crowds", lambda *_, **__: seen)

    # Then it finds nothing left to do
    assert guard_against_floods(now=NOW) == 0
    assert len(open_floods()) == 1


def test_confirmed_entry_is_never_paused_but_people_are_told(forum: Platform) -> None:
    entry = an_entry(state=EntryState.CONFIRMED)

    flood = a_flood(entry, forum, now=NOW)

    assert flood.answer is FloodAnswer.ALARM
    assert entry_by_id(entry.id).state is EntryState.CONFIRMED
    assert kinds_about(entry) == []
    assert [row.event.kind for row in events_of(flood.id)] == ["flood.noticed"]


def test_real_picture_that_spreads_stays_protected(forum: Platform) -> None:
    # Given a hundred files that are close, as copies that were saved again are
    entry = an_entry()
    uploads_near(entry, forum, 100, at=NOW, distance_bits=6)

    # Then people are told and nothing is paused
    assert guard_against_floods(now=NOW) == 1
    assert entry_by_id(entry.id).state is EntryState.UNCONFIRMED
    assert open_floods()[0].answer is FloodAnswer.ALARM


@pytest.mark.parametrize(
    "uploads",
    [
        {"kind": MatchKind.EXACT, "distance_bits": 0},
        {"one_file": True},
        {"at": NOW - timedelta(hours=2)},
    ],
    ids=["the very picture", "one file again and again", "long ago"],
)
def test_other_uploads_are_no_flood(forum: Platform, uploads: dict[str, Any]) -> None:
    entry = an_entry()
    uploads_near(entry, forum, 500, **{"at": NOW, **uploads})

    assert guard_against_floods(now=NOW) == 0
    assert entry_by_id(entry.id).state is EntryState.UNCONFIRMED


def test_platforms_are_counted_each_by_itself(forum: Platform) -> None:
    # Given uploads below the floor on each of two platforms, beyond it together
    entry, lagoon = an_entry(), a_platform("Lagoon", url_prefix="https://lagoon.example/")
    uploads_near(entry, forum, 40, at=NOW)
    uploads_near(entry, lagoon, 40, at=NOW)

    assert guard_against_floods(now=NOW) == 0


def test_entry_that_is_always_met_a_lot_is_compared_with_its_own_hours(
    forum: Platform, settings: Any
) -> None:
    # Given an entry of ten hours that is met twenty times in each of them
    settings.STAYDOWN_FLOOD_LIMITS = FloodLimits(floor=30)
    entry, now = an_entry(), NOW + timedelta(hours=10)
    for hour in range(10):
        uploads_near(entry, forum, 20, at=NOW + timedelta(hours=hour, minutes=10), files=f"of hour {hour}")

    # When eighty come in the next, then that is within five times its usual; a hundred are not
    uploads_near(entry, forum, 80, at=now, files="now")
    assert guard_against_floods(now=now) == 0
    uploads_near(entry, forum, 40, at=now + timedelta(minutes=1), files="more")
    assert guard_against_floods(now=now + timedelta(minutes=1)) == 1
    assert open_floods()[0].usual == 20


@pytest.mark.parametrize("state", [EntryState.WITHDRAWN, EntryState.DISPUTED, EntryState.QUARANTINED])
def test_entry_that_does_nothing_is_left_alone(forum: Platform, state: EntryState) -> None:
    entry = an_entry()
    uploads_near(entry, forum, 80, at=NOW)
    set_state(entry_ids=[entry.id], state=state, now=NOW)

    assert guard_against_floods(now=NOW) == 0
    assert entry_by_id(entry.id).state is state


def test_withdrawing_ends_the_flood_and_keeps_no_trace_of_the_uploads(forum: Platform) -> None:
    # Given a paused entry
    entry = an_entry()
    a_flood(entry, forum, now=NOW)

    # When its person withdraws it
    set_state(entry_ids=[entry.id], state=EntryState.WITHDRAWN, now=NOW)

    # Then nobody is asked any more, and no mark of a file is left
    assert (open_floods(), floods_waiting()) == ((), 0)
    from staydown.bank.models import SeenMatchRecord

    assert set(SeenMatchRecord.objects.values_list("upload", flat=True)) == {""}
