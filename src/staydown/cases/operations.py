"""What can be done in the cases stage. Each runs inside a journey's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from staydown.cases.errors import CaseIsWithdrawn, RegistrationNotFound
from staydown.cases.models import CaseRecord, RegistrationRecord
from staydown.cases.queries import registration_term
from staydown.cases.terms import CaseState, Registration, SubmittedItem


def open_case(*, number: str, now: datetime) -> None:
    """Opens an empty case under a fresh number."""
    CaseRecord.objects.create(number=number, state=CaseState.OPEN, opened_at=now)


def add_registrations(
    *, case_number: str, items: Sequence[SubmittedItem], ids: Sequence[str], now: datetime
) -> tuple[Registration, ...]:
    """Adds one registration an item, numbered on from the last.

    Raises CaseIsWithdrawn if the case was withdrawn.
    """
    case = CaseRecord.objects.select_for_update().get(number=case_number)
    if case.state != CaseState.OPEN:
        raise CaseIsWithdrawn
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
