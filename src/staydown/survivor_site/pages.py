"""Pages without a form: start, under 18, how it works, how to check it, safety, leaving."""

from __future__ import annotations

import calendar

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from staydown.access.queries import platforms
from staydown.law import minors_route, removal_duty
from staydown.survivor_site.demo_tour import tour
from staydown.survivor_site.doorway import now_utc
from staydown.survivor_site.language import forget
from staydown.survivor_site.published import published_files


@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """The start page; in the demonstration it shows first what to try and in which order."""
    context: dict[str, object] = {"platforms": platforms(), "duty": removal_duty()}
    if settings.STAYDOWN_DEMO:
        context["tour"] = tour()
    return render(request, "survivor_site/start.html", context)


@require_safe
def under_18(request: HttpRequest) -> HttpResponse:
    """Where to turn when somebody in the picture was under 18, or may have been."""
    return render(request, "survivor_site/under_18.html", {"route": minors_route()})


@require_safe
def how_it_works(request: HttpRequest) -> HttpResponse:
    """What stays on the device, what is sent, who sees what."""
    return render(request, "survivor_site/how.html", {"duty": removal_duty()})


@require_safe
def check(request: HttpRequest) -> HttpResponse:
    """How anyone can check that a picture stays on the device, with the digests of all scripts."""
    return render(request, "survivor_site/check.html", {"files": published_files()})


@require_safe
def safety(request: HttpRequest) -> HttpResponse:
    """What leaving cannot hide, and what the person can do about it."""
    return render(request, "survivor_site/safety.html", {})


@require_safe
def leave(request: HttpRequest) -> HttpResponse:
    """Leaves at once: forgets the window's session, asks the browser to forget the rest, shows a calendar."""
    request.session.flush()
    response = redirect("/calendar")
    response.status_code = 303
    forget(response)
    response.headers["Clear-Site-Data"] = '"cache", "cookies", "storage"'
    return response


@require_safe
def neutral(request: HttpRequest) -> HttpResponse:
    """A page about nothing: this month."""
    today = now_utc().date()
    weeks = calendar.Calendar().monthdayscalendar(today.year, today.month)
    context = {
        "today": today,
        "weeks": weeks,
        # Translators: a month and its year, in the letters of Django's "date" filter.
        "month": date_format(today, _("F Y")),
        # Translators: a day without its year, in the letters of Django's "date" filter.
        "day_name": date_format(today, _("l j F")),
    }
    return render(request, "survivor_site/calendar.html", context)
