"""A depicted person deletes everything that their case holds. This cannot be undone.

What stays: that a request came, when, and what became of it (number, platform, times, outcome), the posts
that a platform removed, and sealed marks in the public log that nobody can open any more.
"""

from __future__ import annotations

from datetime import datetime

from staydown.access.operations import forget_key
from staydown.access.terms import KeyKind
from staydown.cases.operations import erase_case as erase_what_it_holds
from staydown.evidence.operations import delete_notes
from staydown.journeys.turn import in_turn
from staydown.journeys.withdrawing import withdraw_all
from staydown.ledger.operations import erase
from staydown.notices.operations import forget_texts


@in_turn
def erase_case(*, case_number: str, now: datetime) -> None:
    """Withdraws the case, then deletes its texts, its keys and what opens its entries in the log.

    Doing it again changes nothing but the record that it was asked for again.
    """
    withdraw_all(case_number=case_number, now=now)
    forget_texts(case_number=case_number)
    for kind in KeyKind:
        forget_key(number=case_number, kind=kind)
    delete_notes(case_number=case_number)
    erase_what_it_holds(case_number=case_number)
    erase(case_number, now=now)
