"""The person's own case: open it with the receipt, see it, take the proof, withdraw, close."""

from __future__ import annotations

import json

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from staydown.access.errors import ReceiptNotRecognised, TooManyAttempts
from staydown.access.terms import KeyKind
from staydown.cases.errors import RegistrationNotFound
from staydown.journeys.open_case import open_case_with_receipt
from staydown.journeys.overviews import case_overview
from staydown.journeys.withdraw import withdraw_everything, withdraw_picture, withdraw_request
from staydown.law import removal_duty
from staydown.ledger.queries import receipt_for
from staydown.notices.errors import NoticeNotFound, TransitionRefused
from staydown.survivor_site import session
from staydown.survivor_site.doorway import caller_address, now_utc
from staydown.survivor_site.sentences import wait_sentence
from staydown.survivor_site.timeline import timeline


@require_http_methods(["GET", "POST"])
def case(request: HttpRequest) -> HttpResponse:
    """The open case, or the form that opens one."""
    now = now_utc()
    if request.method == "POST":
        return _open(request)
    number = session.open_case_number(request, now=now)
    if number is None:
        return render(request, "survivor_site/open_case.html", {})
    overview = case_overview(number, now=now)
    return render(
        request,
        "survivor_site/case.html",
        {"overview": overview, "timeline": timeline(overview), "now": now, "duty": removal_duty()},
    )


def _open(request: HttpRequest) -> HttpResponse:
    now = now_utc()
    typed = request.POST.get("number", "")
    try:
        opened = open_case_with_receipt(
            number=typed,
            key_phrase=request.POST.get("key_phrase", ""),
            open_key=request.POST.get("open_key", ""),
            address=caller_address(request),
            now=now,
        )
    except ReceiptNotRecognised:
        trouble = _(
            "This number and these words do not belong together. Check both for a slip. Capital letters and "
            "dashes do not matter. If you have lost the words, nobody can look them up, not even we."
        )
        return render(
            request, "survivor_site/open_case.html", {"number": typed, "trouble": trouble}, status=403
        )
    except TooManyAttempts as error:
        context = {"number": typed, "trouble": wait_sentence(error)}
        response = render(request, "survivor_site/open_case.html", context, status=429)
        response.headers["Retry-After"] = str(error.retry_after_seconds)
        return response
    session.remember_case(request, number=opened.number, now=now)
    return redirect("/case/keys" if opened.by is KeyKind.RECOVERY_KEY else "/case")


@require_POST
def close(request: HttpRequest) -> HttpResponse:
    """Closes the case in this window; the case itself stays as it is."""
    session.close_case(request)
    return redirect("/case")


@require_safe
@session.needs_open_case
def proof(request: HttpRequest, number: str) -> HttpResponse:
    """The receipt file: what happened when, with proofs that anybody can check without us."""
    document = json.dumps(receipt_for(number), indent=2)
    return HttpResponse(
        document,
        content_type="application/json",
        headers={"Content-Disposition": 'attachment; filename="receipt.json"'},
    )


@require_http_methods(["GET", "POST"])
@session.needs_open_case
def withdraw(request: HttpRequest, number: str, what: str) -> HttpResponse:
    """Asks once more, then withdraws one picture, one request, or everything (`what` is "all")."""
    now = now_utc()
    if request.method == "GET":
        overview = case_overview(number, now=now)
        picture = next((row for row in overview.pictures if row.id == what), None)
        waiting = next((row for row in overview.requests if row.notice.number == what), None)
        if picture is None and waiting is None and what != "all":
            raise Http404
        context = {"what": what, "picture": picture, "waiting": waiting, "overview": overview}
        return render(request, "survivor_site/withdraw.html", context)
    try:
        if what == "all":
            withdraw_everything(case_number=number, now=now)
        elif what.startswith("R-"):
            withdraw_request(case_number=number, notice_number=what, now=now)
        else:
            withdraw_picture(case_number=number, registration_id=what, now=now)
    except (RegistrationNotFound, NoticeNotFound) as error:
        raise Http404 from error
    except TransitionRefused:
        pass  # decided in the meantime: the case page shows how
    return redirect("/case")
