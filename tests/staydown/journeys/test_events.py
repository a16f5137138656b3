"""Each kind of event fits the ledger, and is written in the caller's transaction only."""

from __future__ import annotations

import pytest
from django.db import transaction

from staydown.journeys.events import EventKind, write
from staydown.ledger.errors import LedgerNeedsTransaction
from staydown.ledger.queries import events_of
from tests.staydown.conftest import NOW


@pytest.mark.parametrize("kind", list(EventKind))
def test_event_of_each_kind_is_recorded_with_its_subject_and_details(db: None, kind: EventKind) -> None:
    write(kind, subject="C-A11C-E000", now=NOW, request="R-1", count=2, entries=["ent_1"], reason=None)

    [recorded] = events_of("C-A11C-E000")
    assert (recorded.event.kind, recorded.event.at) == (kind.value, NOW)
    assert recorded.event.details == {"request": "R-1", "count": 2, "entries": ["ent_1"], "reason": None}


def test_event_outside_a_transaction_is_refused(transactional_db: None) -> None:
    with pytest.raises(LedgerNeedsTransaction):
        write(EventKind.CASE_OPENED, subject="C-1", now=NOW)


def test_event_of_a_transaction_that_is_rolled_back_was_never_there(transactional_db: None) -> None:
    with transaction.atomic():
        write(EventKind.CASE_OPENED, subject="C-1", now=NOW)
        transaction.set_rollback(True)

    assert events_of("C-1") == ()
