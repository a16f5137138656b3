"""What can be asked of the cases stage."""

from __future__ import annotations

from staydown.cases.models import CaseRecord, OutsideRequestRecord, PlanRecord, RegistrationRecord
from staydown.cases.terms import Case, CaseState, OutsideRequest, OutsideState, Plan, Registration


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


def is_erased(number: str) -> bool:
    """Whether a person deleted all that this case held."""
    return CaseRecord.objects.filter(number=number, state=CaseState.ERASED).exists()


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


def plan_of(case_number: str) -> Plan | None:
    """The plan that a case keeps; None if it keeps none."""
    record = PlanRecord.objects.filter(case__number=case_number).first()
    if record is None:
        return None
    return Plan(answers=record.answers, ticked=tuple(record.ticked), kept_at=record.kept_at)


def outside_requests_of(case_number: str) -> tuple[OutsideRequest, ...]:
    """The requests to other platforms that a case follows, in the order in which they were sent."""
    return tuple(
        OutsideRequest(
            id=record.public_id,
            channel_id=record.channel_id,
            sent_at=record.sent_at,
            deadline_at=record.deadline_at,
            duty_id=record.duty_id,
            state=OutsideState(record.state),
            answered_at=record.answered_at,
        )
        for record in OutsideRequestRecord.objects.filter(case__number=case_number)
    )
