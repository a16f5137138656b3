"""A depicted person follows a removal request that they sent to another platform.

We send nothing there and ask nobody: they tell when it was sent and what became of it; the clock runs here.
"""

from __future__ import annotations

from datetime import datetime

from staydown.access.operations import new_public_id
from staydown.cases import operations, rules
from staydown.cases.terms import OutsideState
from staydown.journeys.events import EventKind, write
from staydown.journeys.turn import in_turn
from staydown.law import channels, removal_duty
from staydown.law.errors import ChannelNotFound


@in_turn
def follow_outside_request(*, case_number: str, channel_id: str, sent_at: datetime, now: datetime) -> str:
    """Follows a request with the clock of the federal duty. Returns its id.

    Raises ChannelNotFound, SentInTheFuture, TooManyOutsideRequests or CaseIsWithdrawn.
    """
    if channel_id not in {channel.id for channel in channels()}:
        raise ChannelNotFound(channel_id)
    duty = removal_duty()
    public_id = new_public_id("out")
    operations.add_outside_request(
        case_number=case_number,
        public_id=public_id,
        channel_id=channel_id,
        sent_at=sent_at,
        deadline_at=rules.outside_deadline(sent_at, window_hours=duty.window_hours, now=now),
        duty_id=duty.id,
    )
    write(EventKind.OUTSIDE_REQUEST_ADDED, subject=case_number, now=now, request=public_id)
    return public_id


@in_turn
def answer_outside_request(*, case_number: str, request_id: str, state: OutsideState, now: datetime) -> bool:
    """Notes what became of a request. False if that was noted before. Raises OutsideRequestNotFound."""
    changed = operations.answer_outside_request(
        case_number=case_number, request_id=request_id, state=state, now=now
    )
    if changed:
        write(
            EventKind.OUTSIDE_REQUEST_ANSWERED,
            subject=case_number,
            now=now,
            request=request_id,
            state=state.value,
        )
    return changed


@in_turn
def forget_outside_request(*, case_number: str, request_id: str, now: datetime) -> None:
    """Follows a request no more. Raises OutsideRequestNotFound."""
    operations.forget_outside_request(case_number=case_number, request_id=request_id)
    write(EventKind.OUTSIDE_REQUEST_DELETED, subject=case_number, now=now, request=request_id)
