"""What every page of this door needs: the time, who is calling, and the pages that hold no secret."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

from django.http import HttpRequest


def now_utc() -> datetime:
    """The time at the door; from here on it is passed as an argument."""
    return datetime.now(UTC)


def caller_address(request: HttpRequest) -> str:
    """The caller's network address, for the throttle only; it is never stored in clear or logged."""
    return str(request.META.get("REMOTE_ADDR", ""))


def new_send_id() -> str:
    """Marks one showing of a form, so that sending it twice can be noticed."""
    return secrets.token_urlsafe(12)
