"""What can be asked of the cases stage."""

from __future__ import annotations

from staydown.cases.models import CaseRecord, RegistrationRecord
from staydown.cases.terms import Case, CaseState, Registration


def registration_term(record: RegistrationRecord, *, case_number: str) -> Registration:
    """The registration as other packages see it."""
    return Registration(
        id=record.public_id,
        case_number=case_number,
        position=record.position,
        media=record.media,
        near_matching=record.near_matching,
        registered_at=record.registered_at,
        withdrawn_at=record.withdrawn_at,
    )


def case_number_of(registration_id: str) -> str:
    """The number of the case that holds a registration."""
    return RegistrationRecord.objects.select_related("case").get(public_id=registration_id).case.number


def case_by_number(number: str) -> Case:
    """The case with its registrations in order. Raises CaseRecord.DoesNotExist for an unknown number."""
    record = CaseRecord.objects.prefetch_related("registrations").get(number=number)
    return Case(
        number=record.number,
        state=CaseState(record.state),
        opened_at=record.opened_at,
        withdrawn_at=record.withdrawn_at,
        registrations=tuple(
            registration_term(row, case_number=record.number) for row in record.registrations.all()
        ),
    )
