"""Which case this browser window has open: until the window, half an hour or the case ends."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import update_wrapper
from typing import Concatenate, ParamSpec

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from staydown.cases.queries import is_erased
from staydown.survivor_site.doorway import now_utc

P = ParamSpec("P")

_CASE = "case"
_SEEN = "case_seen_at"
_SENT = "sent"
# How many sends one window remembers, to notice that the same page is sent twice.
_SENT_KEPT = 20


def open_case_number(request: HttpRequest, *, now: datetime) -> str | None:
    """The number of the case that is open in this window; None if none is.

    None also if it stood idle too long, or if all that it held was deleted, in this window or in another.
    """
    number = request.session.get(_CASE)
    seen = request.session.get(_SEEN)
    if number is None or seen is None:
        return None
    if now - datetime.fromisoformat(seen) > settings.STAYDOWN_CASE_IDLE or is_erased(number):
        close_case(request)
        return None
    request.session[_SEEN] = now.isoformat()
    return str(number)


def needs_open_case(
    page: Callable[Concatenate[HttpRequest, str, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Gives a page the number of the case that is open in this window; else leads to where one is opened."""

    def opened(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        number = open_case_number(request, now=now_utc())
        return redirect("/case") if number is None else page(request, number, *args, **kwargs)

    update_wrapper(opened, page)
    return opened


def remember_case(request: HttpRequest, *, number: str, now: datetime) -> None:
    """Opens a case in this window, under a new session key."""
    request.session.cycle_key()
    request.session[_CASE] = number
    request.session[_SEEN] = now.isoformat()


def close_case(request: HttpRequest) -> None:
    """Closes the case in this window."""
    request.session.pop(_CASE, None)
    request.session.pop(_SEEN, None)


def case_of_send(request: HttpRequest, send_id: str) -> str | None:
    """The case that this very page was sent into before, if it was. A page without a mark never was."""
    found = request.session.get(_SENT, {}).get(send_id) if send_id else None
    return str(found) if found else None


def remember_send(request: HttpRequest, *, send_id: str, case_number: str) -> None:
    """Notes that a page was sent, so that sending it again (reload, double tap) does nothing."""
    sent = dict(request.session.get(_SENT, {}))
    sent[send_id] = case_number
    request.session[_SENT] = dict(list(sent.items())[-_SENT_KEPT:])
