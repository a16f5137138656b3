"""What opens the case: a recovery key made or removed, a new key phrase. New words are shown once.

With JavaScript the words are made on the device and only their open key comes here (web/case-key.js).
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from staydown.access.queries import keys_of
from staydown.access.terms import KeyKind
from staydown.cases.errors import CaseIsWithdrawn
from staydown.journeys.change_keys import make_key, remove_recovery_key
from staydown.survivor_site import session
from staydown.survivor_site.doorway import device_key, new_send_id, now_utc


@require_http_methods(["GET", "POST"])
@session.needs_open_case
def keys(request: HttpRequest, number: str) -> HttpResponse:
    """Which keys the case has; a POST makes one, or removes the recovery key."""
    now = now_utc()
    wanted = request.POST.get("what", "")
    if request.method == "POST" and wanted == "remove":
        remove_recovery_key(case_number=number, now=now)
        return redirect("/case/keys")
    if request.method == "POST" and wanted in set(KeyKind):
        return _make(request, number, KeyKind(wanted))
    found = keys_of(number)
    context = {
        "number": number,
        "phrase_since": found.get(KeyKind.KEY_PHRASE),
        "recovery_since": found.get(KeyKind.RECOVERY_KEY),
        "send_id": new_send_id(),
    }
    return render(request, "survivor_site/keys.html", context)


def _make(request: HttpRequest, number: str, kind: KeyKind) -> HttpResponse:
    now = now_utc()
    send_id = request.POST.get("send_id", "")
    if session.case_of_send(request, send_id) is not None:
        sent = {"case_number": number, "send_id": send_id}
        return render(request, "survivor_site/sent_before.html", sent, status=409)
    try:
        phrase = make_key(case_number=number, kind=kind, open_key=device_key(request), now=now)
    except CaseIsWithdrawn:
        return redirect("/case")
    session.remember_send(request, send_id=send_id, case_number=number)
    context = {"number": number, "key_phrase": phrase, "kind": kind.value}
    return render(request, "survivor_site/new_words.html", context)
