"""A depicted person withdraws: one picture, one request, or everything."""

from __future__ import annotations

from datetime import datetime

from staydown.bank.operations import set_state
from staydown.bank.queries import entries_of
from staydown.cases.operations import withdraw_case, withdraw_registration
from staydown.cases.queries import case_by_number
from staydown.journeys.events import EventKind, write
from staydown.journeys.publishing import publish_bank_after_commit
from staydown.journeys.turn import in_turn
from staydown.matching.terms import EntryState
from staydown.notices import rules
from staydown.notices.errors import NoticeNotFound
from staydown.notices.operations import change_state
from staydown.notices.queries import notice_by_number, notices_of_case
from staydown.notices.terms import NoticeAction


@in_turn
def withdraw_picture(*, case_number: str, registration_id: str, now: datetime) -> bool:
    """Withdraws one picture: from the commit on it is matched no more. False if that was done before.

    Raises RegistrationNotFound if the case holds no such picture.
    """
    changed = withdraw_registration(case_number=case_number, registration_id=registration_id, now=now)
    if changed:
        _withdraw_entries(registration_ids=[registration_id], notice_numbers=[], now=now)
        write(EventKind.PICTURE_WITHDRAWN, subject=case_number, now=now, registration=registration_id)
    return changed


@in_turn
def withdraw_everything(*, case_number: str, now: datetime) -> bool:
    """Withdraws the case: no picture of it is matched any more and its waiting requests end.

    Copies that were removed stay removed. False if the case had been withdrawn before.
    """
    if not withdraw_case(case_number=case_number, now=now):
        return False
    case = case_by_number(case_number)
    notices = notices_of_case(case_number)
    for notice in notices:
        if rules.may(notice.state, NoticeAction.WITHDRAW):
            change_state(number=notice.number, action=NoticeAction.WITHDRAW, now=now)
            write(EventKind.REQUEST_WITHDRAWN, subject=case_number, now=now, request=notice.number)
    _withdraw_entries(
        registration_ids=[registration.id for registration in case.registrations],
        notice_numbers=[notice.number for notice in notices],
        now=now,
    )
    write(EventKind.CASE_WITHDRAWN, subject=case_number, now=now)
    return True


@in_turn
def withdraw_request(*, case_number: str, notice_number: str, now: datetime) -> None:
    """Withdraws one waiting request.

    Raises NoticeNotFound if it is not this case's, TransitionRefused if it is closed.
    """
    if notice_by_number(notice_number).case_number != case_number:
        raise NoticeNotFound
    change_state(number=notice_number, action=NoticeAction.WITHDRAW, now=now)
    write(EventKind.REQUEST_WITHDRAWN, subject=case_number, now=now, request=notice_number)


def _withdraw_entries(*, registration_ids: list[str], notice_numbers: list[str], now: datetime) -> None:
    entries = entries_of(registration_ids=registration_ids, notice_numbers=notice_numbers)
    set_state(entry_ids=[entry.id for entry in entries], state=EntryState.WITHDRAWN, now=now)
    publish_bank_after_commit()
