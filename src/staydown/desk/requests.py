"""The reviewers' pages: the queue, one request, and what can be done with it."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from staydown.access.rules import may_decide, may_read_queue
from staydown.action.errors import NoEndpoint
from staydown.bank.queries import floods_waiting
from staydown.desk.doorway import now_utc, reviewer_id, role_of, staff_who
from staydown.journeys.overviews import closed_requests, review_overview, waiting_requests
from staydown.journeys.work_on_request import (
    claim_request,
    decline_request,
    grant_request,
    open_post,
    release_request,
)
from staydown.law import removal_duty
from staydown.notices.errors import NoticeNotFound, TransitionRefused
from staydown.review.errors import (
    ClaimedBySomebodyElse,
    DecisionAlreadyFinal,
    NotClaimedByYou,
    ReasonMissing,
    ReviewError,
)
from staydown.review.terms import OpeningReason, Reason

# A page of closed requests; older ones are found by their number.
CLOSED_SHOWN = 50

_TROUBLE = {
    ClaimedBySomebodyElse: "Another reviewer is working on this request.",
    NotClaimedByYou: "Your claim has ended or was never made. Claim the request first.",
    DecisionAlreadyFinal: "This request was decided in the meantime.",
    ReasonMissing: "Choose a reason; the person reads it.",
    TransitionRefused: "The request changed in the meantime. Here is how it stands now.",
    NoEndpoint: "This platform has no webhook endpoint, so it cannot be told. Ask an administrator.",
}


@staff_who(may_read_queue)
@require_safe
def queue(request: HttpRequest) -> HttpResponse:
    """Every waiting request, the most urgent first."""
    now = now_utc()
    rows, floods = waiting_requests(now=now), floods_waiting()
    context = {"rows": rows, "floods": floods, "now": now, "duty": removal_duty()}
    return render(request, "desk/queue.html", context)


@staff_who(may_read_queue)
@require_safe
def closed(request: HttpRequest) -> HttpResponse:
    """The requests that were closed last."""
    now = now_utc()
    return render(
        request, "desk/closed.html", {"rows": closed_requests(most=CLOSED_SHOWN, now=now), "now": now}
    )


def _page(request: HttpRequest, number: str, *, trouble: str = "", status: int = 200) -> HttpResponse:
    now = now_utc()
    try:
        overview = review_overview(number, reviewer_id=reviewer_id(request), now=now)
    except NoticeNotFound as error:
        raise Http404 from error
    states = {copy.state for copy in overview.request.copies}
    context = {
        "overview": overview,
        "row": overview.request,
        "now": now,
        "trouble": trouble,
        "may_decide": may_decide(role_of(request)),
        "reasons": list(Reason),
        "opening_reasons": list(OpeningReason),
        "opened": request.POST.get("opening_reason", "") if not trouble else "",
        "waiting_for_platform": bool(states & {"pending", "instructed"}),
    }
    return render(request, "desk/request.html", context, status=status)


@staff_who(may_read_queue)
@require_safe
def one_request(request: HttpRequest, number: str) -> HttpResponse:
    """One request: its elements, what is known of each address, its copies. No picture is on this page."""
    return _page(request, number)


@staff_who(may_decide)
@require_POST
def act(request: HttpRequest, number: str, action: str) -> HttpResponse:
    """Claims, gives back, opens the post, removes or declines."""
    now, me = now_utc(), reviewer_id(request)
    try:
        match action:
            case "claim":
                claim_request(notice_number=number, reviewer_id=me, now=now)
            case "release":
                release_request(notice_number=number, reviewer_id=me, now=now)
            case "open":
                reason = OpeningReason(request.POST.get("opening_reason", ""))
                open_post(notice_number=number, reviewer_id=me, reason=reason, now=now)
                return _page(request, number)
            case "remove":
                grant_request(notice_number=number, reviewer_id=me, now=now)
            case "decline":
                chosen = request.POST.get("reason", "")
                refusal = Reason(chosen) if chosen in set(Reason) else None
                decline_request(notice_number=number, reviewer_id=me, reason=refusal, now=now)
            case _:
                raise Http404
    except NoticeNotFound as error:
        raise Http404 from error
    except ValueError:
        return _page(request, number, trouble="Choose why you open the post.", status=422)
    except (ReviewError, TransitionRefused, NoEndpoint) as error:
        return _page(request, number, trouble=_TROUBLE[type(error)], status=409)
    return redirect(f"/desk/requests/{number}")
