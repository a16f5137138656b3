"""What withdrawing does, for the journeys that do it: entries match no more, waiting requests end.

Runs inside a journey's transaction; it is no journey itself.
"""

from __future__ import annotations

from datetime import datetime

from staydown.bank.operations import set_state
from staydown.bank.queries import entries_of
from staydown.cases.operations import withdraw_case
from staydown.cases.queries import case_by_number
from staydown.journeys.events import EventKind, write
from staydown.journeys.publishing import publish_bank_after_commit
from staydown.matching.terms import EntryState
from staydown.notices import rules
from staydown.notices.operations import change_state
from staydown.notices.queries import notices_of_case
from staydown.notices.terms import NoticeAction


def withdraw_all(*, case_number: str, now: datetime) -> bool:
    """Withdraws the case, its pictures and its waiting requests. False if that had been done before."""
    if not withdraw_case(case_number=case_number, now=now):
        return False
    case = case_by_number(case_number)
    notices = notices_of_case(case_number)
    for notice in notices:
        if rules.may(notice.state, NoticeAction.WITHDRAW):
            change_state(number=notice.number, action=NoticeAction.WITHDRAW, now=now)
            write(EventKind.REQUEST_WITHDRAWN, subject=case_number, now=now, request=notice.number)
    withdraw_entries(
        registration_ids=[registration.id for registration in case.registrations],
        notice_numbers=[notice.number for notice in notices],
        now=now,
    )
    write(EventKind.CASE_WITHDRAWN, subject=case_number, now=now)
    return True


def withdraw_entries(*, registration_ids: list[str], notice_numbers: list[str], now: datetime) -> None:
    """Withdraws the entries of these pictures and requests: nothing matches them from the commit on."""
    entries = entries_of(registration_ids=registration_ids, notice_numbers=notice_numbers)
    set_state(entry_ids=[entry.id for entry in entries], state=EntryState.WITHDRAWN, now=now)
    publish_bank_after_commit()
