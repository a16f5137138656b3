"""Forgets what has had its time: throttle windows, idempotency marks, ended sessions."""

from __future__ import annotations

from datetime import datetime

from django.contrib.sessions.models import Session
from django.db import transaction

from staydown.access.operations import forget_old_attempts, forget_old_calls


@transaction.atomic
def forget_what_is_old(*, now: datetime) -> None:
    """Deletes what is past its window. Touches nothing that a person or a duty needs."""
    forget_old_attempts(now=now)
    forget_old_calls(now=now)
    Session.objects.filter(expire_date__lt=now).delete()
