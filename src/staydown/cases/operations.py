"""What can be done in the cases stage. Each runs inside a journey's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from staydown.cases import rules
from staydown.cases.errors import (
    CaseIsWithdrawn,
    OutsideRequestNotFound,
    RegistrationNotFound,
    TooManyOutsideRequests,
)
from staydown.cases.models import CaseRecord, OutsideRequestRecord, PlanRecord, RegistrationRecord
from staydown.cases.queries import registration_term
from staydown.cases.terms import CaseState, OutsideState, Registration, SubmittedItem


def open_case(*, number: str, now: datetime) -> None:
    """Opens an empty case under a fresh number."""
    CaseRecord.objects.create(number=number, state=CaseState.OPEN, opened_at=now)


def add_registrations(
    *, case_number: str, items: Sequence[SubmittedItem], ids: Sequence[str], now: datetime
) -> tuple[Registration, ...]:
    """Adds one registration an item, numbered on from the last.

    Raises CaseIsWithdrawn if the case was withdrawn.
    """
    case = _open_case(case_number)
    first = case.registrations.count() + 1
    records = RegistrationRecord.objects.bulk_create(
        RegistrationRecord(
            public_id=public_id,
            case=case,
            position=position,
            media=item.media,
            near_matching=bool(item.fingerprints),
            registered_at=now,
        )
        for position, (item, public_id) in enumerate(zip(items, ids, strict=True), start=first)
    )
    return tuple(registration_term(record, case_number=case_number) for record in records)


def withdraw_registration(*, case_number: str, registration_id: str, now: datetime) -> bool:
    """Withdraws one registration. False if that had been done before.

    Raises RegistrationNotFound if this case holds no such registration.
    """
    record = RegistrationRecord.objects.filter(case__number=case_number, public_id=registration_id).first()
    if record is None:
        raise RegistrationNotFound
    if record.withdrawn_at is not None:
        return False
    record.withdrawn_at = now
    record.save(update_fields=["withdrawn_at"])
    return True


def withdraw_case(*, case_number: str, now: datetime) -> bool:
    """Withdraws the case and everything in it. False if that had been done before."""
    changed = CaseRecord.objects.filter(number=case_number, state=CaseState.OPEN).update(
        state=CaseState.WITHDRAWN, withdrawn_at=now
    )
    RegistrationRecord.objects.filter(case__number=case_number, withdrawn_at=None).update(withdrawn_at=now)
    return changed == 1


def erase_case(*, case_number: str) -> None:
    """Deletes the plan and the requests elsewhere. The withdrawn case stays as a number and its times."""
    PlanRecord.objects.filter(case__number=case_number).delete()
    OutsideRequestRecord.objects.filter(case__number=case_number).delete()
    CaseRecord.objects.filter(number=case_number).update(state=CaseState.ERASED)


def _open_case(case_number: str) -> CaseRecord:
    case = CaseRecord.objects.select_for_update().get(number=case_number)
    if case.state != CaseState.OPEN:
        raise CaseIsWithdrawn
    return case


def keep_plan(*, case_number: str, answers: str, ticked: Sequence[str], now: datetime) -> bool:
    """Keeps a plan in the place of the one before. True if there was none. Raises CaseIsWithdrawn."""
    _, made = PlanRecord.objects.update_or_create(
        case=_open_case(case_number),
        defaults={"answers": answers, "ticked": list(ticked), "kept_at": now},
    )
    return made


def forget_plan(*, case_number: str) -> bool:
    """Deletes the plan. False if there was none."""
    kept = PlanRecord.objects.filter(case__number=case_number).first()
    if kept is None:
        return False
    kept.delete()
    return True


def add_outside_request(
    *,
    case_number: str,
    public_id: str,
    channel_id: str,
    sent_at: datetime,
    deadline_at: datetime,
    duty_id: str,
) -> None:
    """Follows a request to another platform. Raises CaseIsWithdrawn or TooManyOutsideRequests."""
    case = _open_case(case_number)
    if case.outside_requests.count() >= rules.MAX_OUTSIDE_REQUESTS:
        raise TooManyOutsideRequests(allowed=rules.MAX_OUTSIDE_REQUESTS)
    OutsideRequestRecord.objects.create(
        public_id=public_id,
        case=case,
        channel_id=channel_id,
        sent_at=sent_at,
        deadline_at=deadline_at,
        duty_id=duty_id,
        state=OutsideState.WAITING,
    )


def answer_outside_request(*, case_number: str, request_id: str, state: OutsideState, now: datetime) -> bool:
    """Notes what became of it; back to waiting is an undo. False if it stood so already.

    Raises OutsideRequestNotFound.
    """
    record = _outside_request(case_number, request_id)
    if record.state == state:
        return False
    record.state = state
    record.answered_at = None if state is OutsideState.WAITING else now
    record.save(update_fields=["state", "answered_at"])
    return True


def forget_outside_request(*, case_number: str, request_id: str) -> None:
    """Follows a request no more. Raises OutsideRequestNotFound."""
    _outside_request(case_number, request_id).delete()


def _outside_request(case_number: str, request_id: str) -> OutsideRequestRecord:
    record = OutsideRequestRecord.objects.filter(case__number=case_number, public_id=request_id).first()
    if record is None:
        raise OutsideRequestNotFound
    return record
