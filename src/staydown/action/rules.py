"""Pure rules of action: a copy's transitions, and when a webhook is tried again."""

from __future__ import annotations

from datetime import datetime, timedelta

from staydown.action.errors import CopyTransitionRefused
from staydown.action.terms import CopyAction, CopyState

TRANSITIONS: dict[tuple[CopyState, CopyAction], CopyState] = {
    (CopyState.PENDING, CopyAction.INSTRUCT): CopyState.INSTRUCTED,
    (CopyState.INSTRUCTED, CopyAction.INSTRUCT): CopyState.INSTRUCTED,
    (CopyState.PENDING, CopyAction.CONFIRM_GONE): CopyState.GONE,
    (CopyState.INSTRUCTED, CopyAction.CONFIRM_GONE): CopyState.GONE,
    (CopyState.GONE, CopyAction.CONFIRM_GONE): CopyState.GONE,
    (CopyState.FAILED, CopyAction.CONFIRM_GONE): CopyState.GONE,
    (CopyState.PENDING, CopyAction.FAIL): CopyState.FAILED,
    (CopyState.INSTRUCTED, CopyAction.FAIL): CopyState.FAILED,
    # A platform may confirm before we have noted that it heard us, or after we gave up on it.
    (CopyState.GONE, CopyAction.INSTRUCT): CopyState.GONE,
    (CopyState.GONE, CopyAction.FAIL): CopyState.GONE,
}

# Shaped to the 48 hours, not to the day-long curve that Standard Webhooks gives as an example: a platform
# that is down for a minute is told within seconds of coming back, and after about six hours a person is
# called instead (the copy is marked failed), which leaves most of the window.
RETRY_AFTER = (
    timedelta(seconds=1),
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(minutes=30),
    timedelta(hours=1),
    timedelta(hours=2),
    timedelta(hours=2),
)
# Longer than the longest answer we wait for, so that a live worker never loses its lease.
LEASE = timedelta(seconds=60)
ANSWER_TIMEOUT_SECONDS = 20.0


def state_after(state: CopyState, action: CopyAction) -> CopyState:
    """The state that an action leads to. Raises CopyTransitionRefused if the table has none."""
    try:
        return TRANSITIONS[state, action]
    except KeyError:
        raise CopyTransitionRefused(state=state, action=action) from None


def next_attempt_at(*, attempt: int, now: datetime) -> datetime | None:
    """When failed attempt number `attempt` (from 1) is followed by another; None if it was the last."""
    if attempt > len(RETRY_AFTER):
        return None
    return now + RETRY_AFTER[attempt - 1]
