"""Registering pictures: fingerprints come in, a receipt goes out. No file is ever taken."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from staydown.access import rules as access_rules
from staydown.access.errors import TooManyAttempts
from staydown.access.operations import count_attempt
from staydown.cases.errors import CaseIsWithdrawn, NothingToRegister, SubmissionRefused, TooManyItems
from staydown.cases.rules import read_submission
from staydown.journeys.register_pictures import add_pictures, open_case_with_pictures
from staydown.survivor_site import session
from staydown.survivor_site.doorway import caller_address, device_key, new_send_id, now_utc
from staydown.survivor_site.sentences import submission_trouble, wait_sentence


def _page(
    request: HttpRequest, *, case_number: str | None, trouble: str = "", status: int = 200
) -> HttpResponse:
    context = {
        "case_number": case_number,
        "send_id": request.POST.get("send_id") or new_send_id(),
        "fingerprints_json": request.POST.get("fingerprints", ""),
        "errors": [trouble] if trouble else [],
    }
    return render(request, "survivor_site/register.html", context, status=status)


@require_http_methods(["GET", "POST"])
def register(request: HttpRequest) -> HttpResponse:
    """Opens a case with the pictures that were chosen."""
    if request.method == "GET":
        return _page(request, case_number=None)
    return _take(request, case_number=None)


@require_http_methods(["GET", "POST"])
@session.needs_open_case
def add(request: HttpRequest, case_number: str) -> HttpResponse:
    """Adds pictures to the case that is open in this window."""
    if request.method == "GET":
        return _page(request, case_number=case_number)
    return _take(request, case_number=case_number)


def _take(request: HttpRequest, *, case_number: str | None) -> HttpResponse:
    now = now_utc()
    if request.POST.get("adult") != "yes":
        # No answer counts as doubt, and doubt goes the minors' way: nothing is read, nothing is kept.
        return redirect("/help/under-18")
    send_id = request.POST.get("send_id", "")
    sent_before = session.case_of_send(request, send_id)
    if sent_before is not None:
        context = {"case_number": sent_before, "send_id": send_id}
        return render(request, "survivor_site/sent_before.html", context, status=409)
    try:
        count_attempt(
            purpose="register", who=caller_address(request), rule=access_rules.SUBMISSION_RULE, now=now
        )
        items = read_submission(request.POST.get("fingerprints", ""))
        if case_number is not None:
            add_pictures(items, case_number=case_number, now=now)
            session.remember_send(request, send_id=send_id, case_number=case_number)
            return redirect("/case")
        receipt = open_case_with_pictures(items, now=now, open_key=device_key(request))
    except (SubmissionRefused, NothingToRegister, TooManyItems, CaseIsWithdrawn) as error:
        return _page(request, case_number=case_number, trouble=submission_trouble(error), status=422)
    except TooManyAttempts as error:
        response = _page(request, case_number=case_number, trouble=wait_sentence(error), status=429)
        response.headers["Retry-After"] = str(error.retry_after_seconds)
        return response
    session.remember_case(request, number=receipt.number, now=now)
    session.remember_send(request, send_id=send_id, case_number=receipt.number)
    return render(request, "survivor_site/receipt.html", {"receipt": receipt, "pictures": len(items)})
