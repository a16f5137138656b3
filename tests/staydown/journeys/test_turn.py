"""A journey in turn is one transaction, on both databases. How it waits is tested in tests/postgres."""

from __future__ import annotations

import pytest
from django.db import connection

from staydown.bank.operations import CHANGES_LOCK
from staydown.journeys.turn import READING_CHECKS, WRITING, in_turn
from staydown.ledger.models import LedgerHead


def a_head() -> None:
    LedgerHead.objects.create(pk=1, size=0, root=b"", checkpoint="", vkey="")


def test_journey_gets_what_it_was_given_and_its_answer_comes_back(db: None) -> None:
    @in_turn
    def journey(first: int, *, second: int) -> tuple[int, int, bool]:
        """What it does."""
        return first, second, connection.in_atomic_block

    assert journey(1, second=2) == (1, 2, True)
    assert (journey.__name__, journey.__doc__) == ("journey", "What it does.")


def test_journey_that_fails_leaves_nothing_behind(db: None) -> None:
    def journey() -> None:
        a_head()
        raise OSError

    with pytest.raises(OSError):
        in_turn(journey)()

    assert LedgerHead.objects.count() == 0


def test_each_kind_of_turn_has_a_key_of_its_own() -> None:
    assert len({WRITING, READING_CHECKS, CHANGES_LOCK}) == 3
