"""Asking for removal: the four elements on one page, which also works without JavaScript."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from staydown.access import rules as access_rules
from staydown.access.errors import TooManyAttempts
from staydown.access.operations import count_attempt
from staydown.access.queries import platforms
from staydown.cases.errors import CaseIsWithdrawn
from staydown.journeys.file_request import file_request
from staydown.law import notice_elements, removal_duty
from staydown.notices.errors import NoticeError
from staydown.notices.rules import MAX_ADDRESSES
from staydown.notices.terms import Element, RequestDraft, Signer
from staydown.survivor_site import session
from staydown.survivor_site.doorway import caller_address, device_key, new_send_id, now_utc
from staydown.survivor_site.sentences import request_trouble, wait_sentence


def _draft(request: HttpRequest) -> RequestDraft:
    typed = request.POST
    return RequestDraft(
        urls=tuple(line.strip() for line in typed.get("location", "").splitlines() if line.strip()),
        signature=typed.get("signature", ""),
        signer=Signer.AUTHORISED if typed.get("signer") == Signer.AUTHORISED else Signer.DEPICTED_PERSON,
        statement=typed.get("statement", ""),
        good_faith=typed.get("good_faith") == "yes",
        contact=typed.get("contact", ""),
    )


def _page(
    request: HttpRequest,
    *,
    case_number: str | None,
    trouble: dict[str, str] | None = None,
    status: int = 200,
) -> HttpResponse:
    typed = request.POST
    context = {
        "case_number": case_number,
        "platforms": platforms(),
        "duty": removal_duty(),
        "elements": notice_elements(),
        "max_addresses": MAX_ADDRESSES,
        "send_id": typed.get("send_id") or new_send_id(),
        "trouble": trouble or {},
        "order": [element.value for element in Element],
        "location": typed.get("location", request.GET.get("url", "")),
        "signature": typed.get("signature", ""),
        "signer": typed.get("signer", Signer.DEPICTED_PERSON.value),
        "statement": typed.get("statement", ""),
        "good_faith": typed.get("good_faith") == "yes",
        "contact": typed.get("contact", ""),
        "adult": typed.get("adult", ""),
    }
    return render(request, "survivor_site/request.html", context, status=status)


@require_http_methods(["GET", "POST"])
def ask_for_removal(request: HttpRequest) -> HttpResponse:
    """Files a request and hands out its receipt at once."""
    now = now_utc()
    case_number = session.open_case_number(request, now=now)
    if request.method == "GET":
        return _page(request, case_number=case_number)
    if request.POST.get("adult") == "no":
        return redirect("/help/under-18")
    send_id = request.POST.get("send_id", "")
    sent_before = session.case_of_send(request, send_id)
    if sent_before is not None:
        context = {"case_number": sent_before, "send_id": send_id}
        return render(request, "survivor_site/sent_before.html", context, status=409)
    if request.POST.get("adult") != "yes":
        trouble = {"adult": _("Choose one of the two answers. It decides who can help.")}
        return _page(request, case_number=case_number, trouble=trouble, status=422)
    try:
        count_attempt(
            purpose="request", who=caller_address(request), rule=access_rules.SUBMISSION_RULE, now=now
        )
        filed = file_request(_draft(request), case_number=case_number, open_key=device_key(request), now=now)
    except NoticeError as error:
        served = ", ".join(platform.url_prefix for platform in platforms())
        return _page(
            request, case_number=case_number, trouble=request_trouble(error, served=served), status=422
        )
    except CaseIsWithdrawn:
        session.close_case(request)
        trouble = {
            "form": _(
                "Your case was withdrawn. Send this again, and it gets a case and a receipt of its own."
            )
        }
        return _page(request, case_number=None, trouble=trouble, status=409)
    except TooManyAttempts as error:
        response = _page(request, case_number=case_number, trouble={"form": wait_sentence(error)}, status=429)
        response.headers["Retry-After"] = str(error.retry_after_seconds)
        return response
    number = filed.notices[0].case_number
    if filed.receipt is not None:
        session.remember_case(request, number=number, now=now)
    session.remember_send(request, send_id=send_id, case_number=number)
    return render(
        request,
        "survivor_site/receipt.html",
        {
            "receipt": filed.receipt,
            "notices": filed.notices,
            "case_number": number,
            "now": now,
            "duty": removal_duty(),
        },
    )
