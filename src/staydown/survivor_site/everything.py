"""Everything that a case holds: taken along as a file, or deleted for good."""

from __future__ import annotations

import json

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from staydown.journeys.erase_case import erase_case
from staydown.journeys.overviews import case_overview
from staydown.survivor_site import session
from staydown.survivor_site.doorway import now_utc
from staydown.survivor_site.export import case_export


@require_safe
@session.needs_open_case
def export(request: HttpRequest, number: str) -> HttpResponse:
    """All of it as one file with a name that says nothing."""
    now = now_utc()
    return HttpResponse(
        json.dumps(case_export(number, now=now), indent=2, ensure_ascii=False),
        content_type="application/json",
        headers={"Content-Disposition": 'attachment; filename="notes.json"'},
    )


@require_http_methods(["GET", "POST"])
@session.needs_open_case
def erase(request: HttpRequest, number: str) -> HttpResponse:
    """Says what goes and what stays, and asks for a tick; then deletes, and closes the window's case."""
    now = now_utc()
    ticked = request.POST.get("understood") == "yes"
    if request.method == "GET" or not ticked:
        context = {"overview": case_overview(number, now=now), "missed": request.method == "POST"}
        status = 422 if request.method == "POST" else 200
        return render(request, "survivor_site/erase.html", context, status=status)
    erase_case(case_number=number, now=now)
    request.session.flush()
    return render(request, "survivor_site/erased.html", {})
