"""One call as a conversation without I/O: what to send, how long to wait, when to give up.

The generator yields Send or Wait; a driver performs it and sends back what happened and the monotonic time.
It refuses to repeat anything but a failed connection or 429, 502, 503, 504, and never goes beyond its budget.
"""

import random
from collections.abc import Generator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from staydown.client.errors import Unreachable
from staydown.client.protocol import Answer

# The statuses that say "not now": too many requests (RFC 6585), no server behind the proxy, unavailable.
REPEATABLE_STATUSES = frozenset({429, 502, 503, 504})
# First wait and longest wait, in seconds. An upload waits for the answer: a restart of the server takes about
# a second, so start well below and double. The noise keeps many uploaders from returning at one instant.
FIRST_WAIT_S = 0.1
LONGEST_WAIT_S = 2.0
# Trying again with less than this left would only produce a timeout.
SHORTEST_ATTEMPT_S = 0.05


@dataclass(frozen=True, slots=True)
class Send:
    """Send the request and read the whole answer within this many seconds."""

    within_s: float


@dataclass(frozen=True, slots=True)
class Wait:
    """Do nothing for this many seconds."""

    for_s: float


@dataclass(frozen=True, slots=True)
class NoConnection:
    """The connection could not be made, or broke before an answer; the same Idempotency-Key goes again."""


@dataclass(frozen=True, slots=True)
class NoAnswerInTime:
    """The request was sent and the time ran out; there is no time left to try again."""


Outcome = tuple[
    Answer | NoConnection | NoAnswerInTime | None, float
]  # None after a Wait; then the monotonic time


def converse(
    *, budget_s: float, started_at: float, now_utc: datetime | None = None, noise: random.Random | None = None
) -> Generator[Send | Wait, Outcome, Answer]:
    """Drive one call. Returns the last answer, which may still be a refusal; raises Unreachable.

    `now_utc` is only for reading a Retry-After that is a date.
    """
    noise = noise or random.Random()
    give_up_at = started_at + budget_s
    now = started_at
    attempt = 0
    while True:
        attempt += 1
        outcome, now = yield Send(within_s=max(give_up_at - now, SHORTEST_ATTEMPT_S))
        if isinstance(outcome, NoAnswerInTime):
            raise Unreachable("timed-out", attempts=attempt)
        if isinstance(outcome, Answer) and outcome.status not in REPEATABLE_STATUSES:
            return outcome
        wait_s = _wait_s(outcome, attempt=attempt, now_utc=now_utc, noise=noise)
        if now + wait_s + SHORTEST_ATTEMPT_S > give_up_at:
            reason = f"status-{outcome.status}" if isinstance(outcome, Answer) else "connection-failed"
            raise Unreachable(reason, attempts=attempt)
        _, now = yield Wait(for_s=wait_s)


def _wait_s(
    outcome: Answer | NoConnection | None, *, attempt: int, now_utc: datetime | None, noise: random.Random
) -> float:
    if isinstance(outcome, Answer) and outcome.retry_after is not None:
        asked_s = retry_after_s(outcome.retry_after, now_utc=now_utc or datetime.now(UTC))
        if asked_s is not None:
            return asked_s
    longest: float = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** (attempt - 1))
    return noise.uniform(longest / 2, longest)


def retry_after_s(value: str, *, now_utc: datetime) -> float | None:
    """Seconds that a Retry-After header asks for (RFC 9110, 10.2.3); None if it can't be read."""
    value = value.strip()
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, ((at if at.tzinfo else at.replace(tzinfo=UTC)) - now_utc).total_seconds())
