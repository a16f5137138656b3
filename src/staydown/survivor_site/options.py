"""The law where somebody lives, as the legal rows tell it: each with citation, date and confidence.

It is no legal advice, and silence of the rows is never shown as "not covered".
"""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from staydown.law import PlaceGroup, options_for, organisations, places, removal_duties
from staydown.law.errors import PlaceNotFound


@require_safe
def options(request: HttpRequest) -> HttpResponse:
    """The list of places, and below it what the rows say of the chosen one."""
    chosen = request.GET.get("place", "").upper()
    context: dict[str, object] = {"places": places(), "chosen": chosen.lower()}
    if chosen:
        try:
            found = options_for(chosen)
        except PlaceNotFound as error:
            raise Http404 from error
        context["options"] = found
        context["federal"] = found.place.group is PlaceGroup.FEDERAL
        context["duties"] = [duty for duty in removal_duties() if duty.jurisdiction == found.place.id]
        context["helpers"] = organisations(country=found.place.country)
    return render(request, "survivor_site/options.html", context)
