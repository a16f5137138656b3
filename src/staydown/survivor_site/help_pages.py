"""Who can help, and pages for those who stand beside: friends, parents and schools.

Shows of each organisation what its row says, and says plainly what we do not know.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from staydown.law import Need, People, PlaceGroup, organisations, places


@require_safe
def everybody(request: HttpRequest) -> HttpResponse:
    """Every organisation, or those that fit a country, an age and a need; a slip is left open."""
    countries = [place for place in places() if place.group is PlaceGroup.COUNTRY]
    asked = request.GET
    country = asked.get("country", "").upper()
    known = {place.id for place in countries} | {"US"}
    people = asked.get("people", "")
    need = asked.get("need", "")
    found = organisations(
        country=country if country in known else None,
        people=People(people) if people in set(People) else None,
        need=Need(need) if need in set(Need) else None,
    )
    context = {
        "helpers": found,
        "countries": countries,
        "country": country,
        "people": people,
        "need": need,
        "all_people": [one.value for one in People],
        "all_needs": [one.value for one in Need],
    }
    return render(request, "survivor_site/help.html", context)


@require_safe
def friends(request: HttpRequest) -> HttpResponse:
    """For somebody whose friend it happened to."""
    return render(request, "survivor_site/friends.html", {})


@require_safe
def schools(request: HttpRequest) -> HttpResponse:
    """For parents and for people who work at a school."""
    return render(request, "survivor_site/schools.html", {"helpers": organisations(people=People.MINORS)})
