"""The flood guard: an entry that suddenly matches many different pictures is paused, and people are told.

Refuses to decide for good: it withdraws nothing, never pauses an entry that a person vouched for, and what it
paused waits for a reviewer (journeys/judge_flood.py).
"""

from __future__ import annotations

import logging
from datetime import datetime

from django.conf import settings

from staydown.access.operations import new_public_id
from staydown.bank.operations import note_flood
from staydown.bank.queries import crowds, entry_by_id
from staydown.bank.terms import Crowd, FloodAnswer, FloodLimits
from staydown.journeys.events import EventKind, subject_of, write
from staydown.journeys.publishing import publish_bank_after_commit
from staydown.journeys.turn import in_turn

logger = logging.getLogger(__name__)


def guard_against_floods(*, now: datetime) -> int:
    """Looks at the last hour and acts on every entry that left its baseline. Returns how many that were.

    Each in a transaction of its own. Two guards at once do the same once: what one noted, the other skips.
    """
    limits: FloodLimits = settings.STAYDOWN_FLOOD_LIMITS
    return sum(_act(crowd, limits, now=now) for crowd in crowds(limits, now=now))


@in_turn
def _act(crowd: Crowd, limits: FloodLimits, *, now: datetime) -> bool:
    flood = note_flood(flood_id=new_public_id("fld"), crowd=crowd, limits=limits, now=now)
    if flood is None:
        return False
    if flood.answer is FloodAnswer.QUARANTINE:
        entry = entry_by_id(flood.entry_id)
        write(
            EventKind.ENTRY_PAUSED,
            subject=subject_of(entry),
            now=now,
            registration=entry.registration_id,
            flood=flood.id,
            near=flood.near,
            usual=flood.usual,
        )
        publish_bank_after_commit()
    else:
        write(EventKind.FLOOD_NOTICED, subject=flood.id, now=now, near=flood.near, usual=flood.usual)
    # The desk shows it above its queue; this is for whoever watches the log. It names no entry.
    logger.warning("an entry left its baseline of matches; a reviewer is needed at /desk/quarantine")
    return True
