"""What the database itself refuses to hold, whoever asks."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import IntegrityError, transaction

from staydown.ledger.models import LedgerEntry, LedgerHead, LedgerNode

Fill = Callable[[int], None]


@pytest.mark.parametrize("column", ["salt", "event", "subject"])
def test_the_database_refuses_an_entry_that_is_half_erased(recorded: Fill, column: str) -> None:
    # Given an entry, when only one of its openable columns is emptied, then the database refuses
    recorded(1)
    with pytest.raises(IntegrityError), transaction.atomic():
        LedgerEntry.objects.update(**{column: None})


def test_the_database_refuses_a_second_head(recorded: Fill) -> None:
    # Given a log, when a second head is added, then the database refuses
    recorded(1)
    with pytest.raises(IntegrityError), transaction.atomic():
        LedgerHead.objects.create(pk=2, size=0, root=b"", checkpoint="", vkey="")


@pytest.mark.parametrize("model", [LedgerEntry, LedgerNode])
def test_the_database_refuses_a_second_row_at_the_same_place(
    recorded: Fill, model: type[LedgerEntry] | type[LedgerNode]
) -> None:
    # Given an entry and its node, when a copy of either is added, then the database refuses
    recorded(1)
    row = model.objects.get()
    row.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save(force_insert=True)
