"""Forgets what has had its time: throttle windows, idempotency marks, ended sessions, single matches."""

from __future__ import annotations

from datetime import datetime

from django.contrib.sessions.models import Session
from django.db import transaction

from staydown.access.operations import forget_old_attempts, forget_old_calls
from staydown.bank.operations import forget_old_matches
from staydown.journeys.turn import in_turn

# Of matches at a time: some tenths of a second, in which nobody else can write.
MATCHES_AT_ONCE = 5_000


@transaction.atomic
def forget_what_is_old(*, now: datetime) -> None:
    """Deletes what is past its window. Touches nothing that a person or a duty needs."""
    forget_old_attempts(now=now)
    forget_old_calls(now=now)
    Session.objects.filter(expire_date__lt=now).delete()


def count_old_matches(*, now: datetime) -> int:
    """Keeps of old matches their number only. Returns how many."""
    forget = in_turn(forget_old_matches)
    total = 0
    while count := forget(now=now, most=MATCHES_AT_ONCE):
        total += count
    return total
