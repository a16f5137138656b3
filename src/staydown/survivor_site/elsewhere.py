"""Removal requests to other platforms: where to send them, a letter to paste, and a clock for each one sent.

We send nothing for anybody. The letter is written on the device; without JavaScript it is made here and kept
nowhere. What is followed is stored without any address or text of the person.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from staydown.cases.errors import (
    CaseIsWithdrawn,
    OutsideRequestNotFound,
    SentInTheFuture,
    TooManyOutsideRequests,
)
from staydown.cases.queries import outside_requests_of
from staydown.cases.terms import OutsideState
from staydown.journeys.follow_outside import (
    answer_outside_request,
    follow_outside_request,
    forget_outside_request,
)
from staydown.law import COMPLAINT_CHANNEL, channel, channels, removal_duty, statement
from staydown.law.errors import ChannelNotFound
from staydown.survivor_site import session
from staydown.survivor_site.doorway import now_utc
from staydown.survivor_site.sentences import submission_trouble

MAX_LETTER_CHARACTERS = 4000
LETTER_FIELDS = ("location", "statement", "contact", "signature")


@require_safe
def places(request: HttpRequest) -> HttpResponse:
    """The directory of official channels."""
    return render(request, "survivor_site/places.html", {"channels": channels(), "duty": removal_duty()})


@require_http_methods(["GET", "POST"])
def place(request: HttpRequest, channel_id: str) -> HttpResponse:
    """One channel, and a letter with the four elements; a POST fills it in and stores nothing."""
    try:
        found = channel(channel_id)
    except ChannelNotFound as error:
        raise Http404 from error
    typed = {name: request.POST.get(name, "")[:MAX_LETTER_CHARACTERS] for name in LETTER_FIELDS}
    context = {
        "channel": found,
        "duty": removal_duty(),
        "typed": typed,
        "tokens": {name: f"{{{name}}}" for name in LETTER_FIELDS},  # what web/letter.js fills in
        "filled": request.method == "POST",
        "lumen": statement("lumen"),
        "archives": statement("host-registrar"),
    }
    return render(request, "survivor_site/place.html", context)


def _tracker(
    request: HttpRequest, number: str, *, now: datetime, trouble: str = "", status: int = 200
) -> HttpResponse:
    rows = [
        {
            "request": row,
            "channel": channel(row.channel_id),
            "late": row.state is not OutsideState.REMOVED and row.deadline_at < now,
        }
        for row in outside_requests_of(number)
    ]
    context = {
        "rows": rows,
        "late": [row for row in rows if row["late"]],
        "channels": channels(),
        "duty": removal_duty(),
        "complaint": channel(COMPLAINT_CHANNEL),
        "trouble": trouble,
        "typed": request.POST or {"channel": request.GET.get("to", "")},
        "now": now,
        "today_text": now.date().isoformat(),
    }
    return render(request, "survivor_site/tracker.html", context, status=status)


def _sent_at(request: HttpRequest) -> datetime | None:
    """The moment that was typed, as UTC: what the person's clock shows, and its distance from UTC."""
    try:
        typed = datetime.fromisoformat(f"{request.POST['day']}T{request.POST.get('time') or '00:00'}")
        minutes = int(request.POST.get("utc_minutes") or "0")
    except (ValueError, KeyError):
        return None
    # From UTC-12 to UTC+14 people live; anything else is a slip, and counts as UTC.
    shift = timedelta(minutes=minutes if -14 * 60 <= minutes <= 12 * 60 else 0)
    return typed.replace(tzinfo=UTC) + shift if typed.tzinfo is None else typed


@require_http_methods(["GET", "POST"])
@session.needs_open_case
def tracker(request: HttpRequest, number: str) -> HttpResponse:
    """The requests that the open case follows; a POST adds one."""
    now = now_utc()
    if request.method == "GET":
        return _tracker(request, number, now=now)
    sent_at = _sent_at(request)
    if sent_at is None:
        trouble = _("Give the day and the time when you sent it.")
        return _tracker(request, number, now=now, trouble=trouble, status=422)
    try:
        follow_outside_request(
            case_number=number, channel_id=request.POST.get("channel", ""), sent_at=sent_at, now=now
        )
    except ChannelNotFound:
        trouble = _("Choose where you sent it.")
    except (SentInTheFuture, TooManyOutsideRequests, CaseIsWithdrawn) as error:
        trouble = submission_trouble(error)
    else:
        return redirect("/case/elsewhere")
    return _tracker(request, number, now=now, trouble=trouble, status=422)


@require_POST
@session.needs_open_case
def tracked(request: HttpRequest, number: str, request_id: str) -> HttpResponse:
    """What became of one request, or that it is followed no more."""
    now = now_utc()
    wanted = request.POST.get("state", "")
    try:
        if wanted == "delete":
            forget_outside_request(case_number=number, request_id=request_id, now=now)
        elif wanted in set(OutsideState):
            answer_outside_request(
                case_number=number, request_id=request_id, state=OutsideState(wanted), now=now
            )
    except OutsideRequestNotFound as error:
        raise Http404 from error
    return redirect("/case/elsewhere")
