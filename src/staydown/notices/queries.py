"""What can be asked of the notices stage."""

from __future__ import annotations

from django.db.models import QuerySet

from staydown.notices.errors import NoticeNotFound
from staydown.notices.models import NoticeRecord
from staydown.notices.rules import FINAL_STATES
from staydown.notices.terms import Notice, NoticeState, Signer


def notice_term(record: NoticeRecord) -> Notice:
    """The request as other packages see it."""
    return Notice(
        number=record.number,
        case_number=record.case_id,
        platform_id=record.platform_id,
        state=NoticeState(record.state),
        received_at=record.received_at,
        deadline_at=record.deadline_at,
        duty_id=record.duty_id,
        closed_at=record.closed_at,
        urls=tuple(location.url for location in record.locations.all()),
        signature=record.signature,
        signer=Signer(record.signer),
        statement=record.statement,
        contact=record.contact,
    )


def _rows() -> QuerySet[NoticeRecord]:
    return NoticeRecord.objects.prefetch_related("locations")


def notice_by_number(number: str) -> Notice:
    """One request. Raises NoticeNotFound."""
    record = _rows().filter(number=number).first()
    if record is None:
        raise NoticeNotFound
    return notice_term(record)


def waiting_notices_by_deadline() -> tuple[Notice, ...]:
    """Every request that is not closed, the most urgent first."""
    rows = _rows().exclude(state__in=[state.value for state in FINAL_STATES])
    return tuple(notice_term(record) for record in rows.order_by("deadline_at", "pk"))


def closed_notices(*, most: int) -> tuple[Notice, ...]:
    """The requests closed last, newest first."""
    rows = _rows().filter(state__in=[state.value for state in FINAL_STATES])
    return tuple(notice_term(record) for record in rows.order_by("-closed_at", "-pk")[:most])


def notices_of_case(case_number: str) -> tuple[Notice, ...]:
    """A case's requests, oldest first."""
    rows = _rows().filter(case__number=case_number).order_by("received_at", "pk")
    return tuple(notice_term(record) for record in rows)
