"""The page about floods: entries that matched beyond their baseline, and what a reviewer decides about each.

Shows counts and names of platforms; no picture, no fingerprint, and nothing of whose entry it is.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from staydown.access.rules import may_decide, may_read_queue
from staydown.bank.errors import FloodIsOver, FloodNotFound, FloodReasonDoesNotFit
from staydown.bank.rules import reasons_for
from staydown.bank.terms import FloodDecision, FloodReason
from staydown.desk.doorway import now_utc, reviewer_id, role_of, staff_who
from staydown.journeys.judge_flood import FloodOverview, floods_for_desk, judge_flood

# The chart's own units: 24 bars of 8 with gaps of 2, as tall as the tallest hour.
BAR_STEP, CHART_HEIGHT = 10, 60


@dataclass(frozen=True, slots=True)
class Bar:
    """One hour of the chart, in the chart's units."""

    x: int
    y: int
    height: int


def bars_of(row: FloodOverview) -> tuple[Bar, ...]:
    """The hours as bars; an hour with anything in it is at least one unit tall."""
    heights = [-(-hour.near * CHART_HEIGHT // row.most_in_an_hour) for hour in row.hours]
    return tuple(
        Bar(x=place * BAR_STEP, y=CHART_HEIGHT - height, height=height)
        for place, height in enumerate(heights)
    )


def _page(request: HttpRequest, *, trouble: str = "", about: str = "", status: int = 200) -> HttpResponse:
    context = {
        "rows": [(row, bars_of(row)) for row in floods_for_desk(now=now_utc())],
        "trouble": trouble,
        "about": about,
        "may_decide": may_decide(role_of(request)),
        "put_back_reasons": reasons_for(FloodDecision.PUT_BACK),
        "keep_out_reasons": reasons_for(FloodDecision.KEEP_OUT),
    }
    return render(request, "desk/quarantine.html", context, status=status)


@staff_who(may_read_queue)
@require_safe
def quarantine(request: HttpRequest) -> HttpResponse:
    """Every open flood, those that wait for a person first."""
    return _page(request)


@staff_who(may_decide)
@require_POST
def decide(request: HttpRequest, flood_id: str, action: str) -> HttpResponse:
    """Puts an entry back to work, or keeps it out."""
    decisions = {"put-back": FloodDecision.PUT_BACK, "keep-out": FloodDecision.KEEP_OUT}
    chosen = request.POST.get("reason", "")
    reason = FloodReason(chosen) if chosen in set(FloodReason) else None
    if action not in decisions:
        raise Http404
    try:
        judge_flood(
            flood_id=flood_id,
            reviewer_id=reviewer_id(request),
            decision=decisions[action],
            reason=reason,
            now=now_utc(),
        )
    except FloodNotFound as error:
        raise Http404 from error
    except FloodReasonDoesNotFit:
        return _page(request, trouble="Choose a reason; it is written down.", about=flood_id, status=422)
    except FloodIsOver:
        return _page(request, trouble="This was decided in the meantime, or the person withdrew.", status=409)
    return redirect("/desk/quarantine")
