"""A reviewer puts an entry back into its former state, or keeps it out; both with a reason, both provable."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from staydown.access.terms import Platform
from staydown.bank.errors import FloodIsOver, FloodNotFound, FloodReasonDoesNotFit
from staydown.bank.operations import set_state
from staydown.bank.queries import entry_by_id, flood_by_id, floods_waiting, open_floods
from staydown.bank.terms import FloodDecision, FloodReason
from staydown.cases.queries import case_number_of
from staydown.journeys.guard_flood import guard_against_floods
from staydown.journeys.judge_flood import floods_for_desk, judge_flood
from staydown.ledger.queries import events_of
from staydown.matching.terms import EntryState, MatchKind
from tests.staydown.conftest import NOW, an_entry
from tests.staydown.journeys.floods import a_flood, uploads_near

LATER = NOW + timedelta(minutes=20)


def put_back(flood_id: str, *, bob: int, **changes: Any) -> None:
    given: dict[str, Any] = {
        "decision": FloodDecision.PUT_BACK,
        "reason": FloodReason.FLOOD_IS_OVER,
        "now": LATER,
        **changes,
    }
    judge_flood(flood_id=flood_id, reviewer_id=bob, **given)


def keep_out(flood_id: str, *, bob: int) -> None:
    put_back(flood_id, bob=bob, decision=FloodDecision.KEEP_OUT, reason=FloodReason.FITS_MANY_PICTURES)


def test_entry_that_is_put_back_is_what_it_was_and_the_person_can_prove_it(forum: Platform, bob: int) -> None:
    # Given a paused entry
    entry = an_entry()
    flood = a_flood(entry, forum, now=NOW)

    # When Bob puts it back
    put_back(flood.id, bob=bob)

    # Then it is unconfirmed as before, nobody is asked any more, and who decided what is kept
    assert entry_by_id(entry.id).state is EntryState.UNCONFIRMED
    assert (open_floods(), floods_waiting()) == ((), 0)
    [choice] = flood_by_id(flood.id).choices
    assert (choice.reviewer_name, choice.decision, choice.reason, choice.decided_at) == (
        *("bob", FloodDecision.PUT_BACK),
        *(FloodReason.FLOOD_IS_OVER, LATER),
    )
    events = [row.event for row in events_of(case_number_of(str(entry.registration_id)))]
    assert [event.kind for event in events] == ["entry.paused", "entry.put_back"]
    assert events[1].details["reason"] == "flood_is_over"


def test_entry_that_was_put_back_is_not_paused_again_by_the_same_flood(forum: Platform, bob: int) -> None:
    # Given a flood of eighty that Bob judged
    entry = an_entry()
    put_back(a_flood(entry, forum, now=NOW).id, bob=bob)

    # When the guard comes by again, then it is left alone; and at twice as many people are told, no more
    assert guard_against_floods(now=LATER) == 0
    uploads_near(entry, forum, 100, at=LATER, files="another")
    assert guard_against_floods(now=LATER) == 1
    assert entry_by_id(entry.id).state is EntryState.UNCONFIRMED


def test_entry_that_is_kept_out_stays_paused_until_somebody_puts_it_back(forum: Platform, bob: int) -> None:
    # Given an entry that Bob keeps out
    entry = an_entry()
    flood = a_flood(entry, forum, now=NOW)
    keep_out(flood.id, bob=bob)

    # Then it stays in the list, but nobody is called any more
    assert entry_by_id(entry.id).state is EntryState.QUARANTINED
    assert (len(open_floods()), floods_waiting()) == (1, 0)

    # When he puts it back later, then both decisions are kept
    put_back(flood.id, bob=bob)
    assert entry_by_id(entry.id).state is EntryState.UNCONFIRMED
    assert [choice.decision for choice in flood_by_id(flood.id).choices] == ["keep_out", "put_back"]


def test_alarm_about_a_confirmed_entry_is_dismissed_without_a_word_to_the_person(
    forum: Platform, bob: int
) -> None:
    entry = an_entry(state=EntryState.CONFIRMED)
    flood = a_flood(entry, forum, now=NOW)

    put_back(flood.id, bob=bob, reason=FloodReason.COPIES_OF_IT)

    assert entry_by_id(entry.id).state is EntryState.CONFIRMED
    assert events_of(case_number_of(str(entry.registration_id))) == ()
    assert [row.event.kind for row in events_of(flood.id)] == ["flood.noticed", "flood.dismissed"]


def test_confirmed_entry_is_paused_when_a_person_says_so_and_comes_back_confirmed(
    forum: Platform, bob: int
) -> None:
    entry = an_entry(state=EntryState.CONFIRMED)
    flood = a_flood(entry, forum, now=NOW)

    keep_out(flood.id, bob=bob)
    assert entry_by_id(entry.id).state is EntryState.QUARANTINED

    put_back(flood.id, bob=bob)
    assert entry_by_id(entry.id).state is EntryState.CONFIRMED


def test_decision_without_a_reason_that_fits_changes_nothing(forum: Platform, bob: int) -> None:
    entry = an_entry()
    flood = a_flood(entry, forum, now=NOW)

    for reason in (None, FloodReason.MADE_TO_DISTURB):
        with pytest.raises(FloodReasonDoesNotFit):
            put_back(flood.id, bob=bob, reason=reason)
    assert (entry_by_id(entry.id).state, flood_by_id(flood.id).choices) == (EntryState.QUARANTINED, ())


def test_flood_is_decided_once(forum: Platform, bob: int) -> None:
    flood = a_flood(an_entry(), forum, now=NOW)
    put_back(flood.id, bob=bob)

    with pytest.raises(FloodIsOver):
        put_back(flood.id, bob=bob)
    with pytest.raises(FloodNotFound):
        put_back("fld_none", bob=bob)


def test_withdrawn_entry_is_not_brought_back(forum: Platform, bob: int) -> None:
    entry = an_entry()
    flood = a_flood(entry, forum, now=NOW)
    set_state(entry_ids=[entry.id], state=EntryState.WITHDRAWN, now=NOW)

    with pytest.raises(FloodIsOver):
        put_back(flood.id, bob=bob)
    assert entry_by_id(entry.id).state is EntryState.WITHDRAWN


def test_desk_sees_the_day_around_the_flood_with_its_quiet_hours(forum: Platform) -> None:
    # Given a flood at 20:30 of files of which ten come twice, and three exact uploads
    entry = an_entry()
    uploads_near(entry, forum, 10, at=NOW - timedelta(minutes=40))
    uploads_near(entry, forum, 3, at=NOW, kind=MatchKind.EXACT)
    a_flood(entry, forum, now=NOW)

    # Then its chart ends with this hour, and each file counts once in its hour
    [row] = floods_for_desk(now=NOW)
    assert len(row.hours) == 24
    assert row.hours[-1].starts_at == NOW.replace(minute=0)
    assert [(hour.near, hour.exact) for hour in row.hours[-3:]] == [(0, 0), (10, 0), (80, 3)]
    assert (row.paused, row.platform_name, row.most_in_an_hour) == (True, "Forum", 80)

    # When two days have gone by, then it still shows the flood
    [row] = floods_for_desk(now=NOW + timedelta(days=2))
    assert max(hour.near for hour in row.hours) == 80


def test_those_that_wait_for_a_person_come_first(forum: Platform, bob: int) -> None:
    first, second = (a_flood(an_entry(), forum, now=NOW + timedelta(minutes=n)) for n in (0, 1))
    keep_out(second.id, bob=bob)

    assert [row.flood.id for row in floods_for_desk(now=LATER)] == [first.id, second.id]
