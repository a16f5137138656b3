"""What every page of this door needs: the time, who is calling, and the pages that hold no secret."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

from django.http import HttpRequest

from staydown.access.rules import is_open_key


def now_utc() -> datetime:
    """The time at the door; from here on it is passed as an argument."""
    return datetime.now(UTC)


def caller_address(request: HttpRequest) -> str:
    """The caller's network address, for the throttle only; it is never stored in clear or logged."""
    return str(request.META.get("REMOTE_ADDR", ""))


def new_send_id() -> str:
    """Marks one showing of a form, so that sending it twice can be noticed."""
    return secrets.token_urlsafe(12)


def device_key(request: HttpRequest) -> str | None:
    """The open key of words that the person's device made; None where the words are to be made here.

    What has not the form of one counts as none: the person then gets words, not a case that nothing opens.
    """
    sent = request.POST.get("open_key", "")
    return sent if is_open_key(sent) else None
