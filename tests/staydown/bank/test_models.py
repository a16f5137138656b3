"""What the database itself refuses to hold, whoever asks."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from staydown.access.terms import Platform
from staydown.bank.models import EntryRecord, FloodDecisionRecord, FloodRecord, SeenMatchRecord
from staydown.bank.terms import FloodAnswer, FloodDecision, FloodReason, Source
from staydown.matching.terms import EntryState
from tests.staydown.conftest import NOW, a_filed_request, an_entry

WRONG = [
    (source, registration, notice)
    for source, registration, notice in itertools.product([*Source, "partner"], [False, True], [False, True])
    if (source, registration, notice)
    not in [(Source.REGISTRATION, True, False), (Source.NOTICE, False, True)]
]


@pytest.mark.parametrize(("source", "registration", "notice"), WRONG)
def test_the_database_refuses_an_entry_without_exactly_the_source_it_names(
    forum: Platform, source: str, registration: bool, notice: bool
) -> None:
    # Given a registration and a request
    registration_id, number = an_entry().registration_id, a_filed_request().number

    # When an entry names another source than it has, then the database refuses
    with pytest.raises(IntegrityError), transaction.atomic():
        EntryRecord.objects.create(
            public_id="ent_wrong",
            bank="default",
            state="unconfirmed",
            source=source,
            registration_id=registration_id if registration else None,
            notice_id=number if notice else None,
            created_at=NOW,
            state_changed_at=NOW,
        )


def test_the_database_refuses_a_match_of_one_check_and_entry_twice(db: None) -> None:
    row = {"check_id": "chk_1", "entry_id": an_entry().id, "kind": "exact", "distance_bits": 0, "at": NOW}
    SeenMatchRecord.objects.create(**row)

    with pytest.raises(IntegrityError), transaction.atomic():
        SeenMatchRecord.objects.create(**row)


def a_flood_row(platform: Platform, **changes: Any) -> FloodRecord:
    row = {
        "public_id": "fld_1",
        "entry_id": changes.pop("entry_id", None) or an_entry().id,
        "platform_id": platform.id,
        "answer": FloodAnswer.QUARANTINE,
        "state_before": EntryState.UNCONFIRMED,
        "near": 60,
        "far": 50,
        "usual": 0,
        "found_at": NOW,
        **changes,
    }
    return FloodRecord.objects.create(**row)


@pytest.mark.parametrize(
    "changes",
    [
        *({"state_before": state} for state in EntryState if state is not EntryState.UNCONFIRMED),
        {"answer": "withdraw"},
        {"far": 61},
        {"closed_at": NOW - timedelta(seconds=1)},
    ],
    ids=str,
)
def test_the_database_refuses_a_flood_that_cannot_be(forum: Platform, changes: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        a_flood_row(forum, **changes)


def test_the_database_refuses_a_second_open_flood_of_an_entry(forum: Platform) -> None:
    # Given an open flood, and one that is over
    first = a_flood_row(forum)
    a_flood_row(forum, public_id="fld_2", entry_id=first.entry_id, closed_at=NOW)

    # Then a second open one is refused
    with pytest.raises(IntegrityError), transaction.atomic():
        a_flood_row(forum, public_id="fld_3", entry_id=first.entry_id)


@pytest.mark.parametrize("reason", ["", "because", *FloodReason])
@pytest.mark.parametrize("decision", [*FloodDecision, "withdraw"])
def test_the_database_refuses_a_decision_without_a_reason_that_fits(
    forum: Platform, bob: int, decision: str, reason: str
) -> None:
    # Given the reasons of each decision
    fits = {
        FloodDecision.PUT_BACK: {FloodReason.COPIES_OF_IT, FloodReason.FLOOD_IS_OVER},
        FloodDecision.KEEP_OUT: {FloodReason.FITS_MANY_PICTURES, FloodReason.MADE_TO_DISTURB},
    }
    row = {"flood": a_flood_row(forum), "reviewer_id": bob, "decided_at": NOW}

    # Then the database takes those and no other
    if decision in fits and reason in fits[FloodDecision(decision)]:
        FloodDecisionRecord.objects.create(**row, decision=decision, reason=reason)
    else:
        with pytest.raises(IntegrityError), transaction.atomic():
            FloodDecisionRecord.objects.create(**row, decision=decision, reason=reason)
