"""A platform is told about a copy, and answers: the two ends of one instruction."""

from __future__ import annotations

from datetime import datetime

from staydown.action.operations import change_copy, record_delivery
from staydown.action.terms import Copy, CopyAction, Delivery, DeliveryResult, DeliveryState
from staydown.catalog.operations import mark_removed
from staydown.journeys.events import EventKind, write
from staydown.journeys.turn import in_turn
from staydown.notices.queries import notice_by_number


@in_turn
def note_delivery(delivery: Delivery, result: DeliveryResult, *, now: datetime) -> None:
    """Notes an attempt: heard, to be tried again, or given up (then the copy is failed, for a person)."""
    state = record_delivery(delivery, result, now=now)
    if delivery.copy_id is None:
        return
    if state is DeliveryState.DELIVERED:
        copy, changed = change_copy(copy_id=delivery.copy_id, action=CopyAction.INSTRUCT, now=now)
        if changed:
            _write(EventKind.COPY_INSTRUCTED, copy, now=now)
    elif state is DeliveryState.DEAD:
        copy, changed = change_copy(copy_id=delivery.copy_id, action=CopyAction.FAIL, now=now)
        if changed:
            _write(EventKind.COPY_FAILED, copy, now=now)


@in_turn
def confirm_copy_gone(*, copy_id: str, platform_id: str, now: datetime) -> Copy:
    """The platform says that a copy is gone; saying it twice changes nothing.

    Raises CopyNotFound for an unknown copy or another platform's.
    """
    copy, changed = change_copy(
        copy_id=copy_id, action=CopyAction.CONFIRM_GONE, platform_id=platform_id, now=now
    )
    if changed:
        if copy.content_id is not None:
            mark_removed(platform_id=platform_id, content_id=copy.content_id, now=now)
        _write(EventKind.COPY_GONE, copy, now=now)
    return copy


def _write(kind: EventKind, copy: Copy, *, now: datetime) -> None:
    case_number = notice_by_number(copy.notice_number).case_number
    write(kind, subject=case_number, now=now, request=copy.notice_number, copy=copy.id)
