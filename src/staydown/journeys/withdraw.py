"""A depicted person withdraws: one picture, one request, or everything."""

from __future__ import annotations

from datetime import datetime

from staydown.cases.operations import withdraw_registration
from staydown.journeys.events import EventKind, write
from staydown.journeys.turn import in_turn
from staydown.journeys.withdrawing import withdraw_all, withdraw_entries
from staydown.notices.errors import NoticeNotFound
from staydown.notices.operations import change_state
from staydown.notices.queries import notice_by_number
from staydown.notices.terms import NoticeAction


@in_turn
def withdraw_picture(*, case_number: str, registration_id: str, now: datetime) -> bool:
    """Withdraws one picture: from the commit on it is matched no more. False if that was done before.

    Raises RegistrationNotFound if the case holds no such picture.
    """
    changed = withdraw_registration(case_number=case_number, registration_id=registration_id, now=now)
    if changed:
        withdraw_entries(registration_ids=[registration_id], notice_numbers=[], now=now)
        write(EventKind.PICTURE_WITHDRAWN, subject=case_number, now=now, registration=registration_id)
    return changed


@in_turn
def withdraw_everything(*, case_number: str, now: datetime) -> bool:
    """Withdraws the case: no picture of it is matched any more and its waiting requests end.

    Copies that were removed stay removed. False if the case had been withdrawn before.
    """
    return withdraw_all(case_number=case_number, now=now)


@in_turn
def withdraw_request(*, case_number: str, notice_number: str, now: datetime) -> None:
    """Withdraws one waiting request.

    Raises NoticeNotFound if it is not this case's, TransitionRefused if it is closed.
    """
    if notice_by_number(notice_number).case_number != case_number:
        raise NoticeNotFound
    change_state(number=notice_number, action=NoticeAction.WITHDRAW, now=now)
    write(EventKind.REQUEST_WITHDRAWN, subject=case_number, now=now, request=notice_number)
