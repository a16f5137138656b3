"""Signing in to the desk, with tries counted by name and address and by address alone."""

from __future__ import annotations

from django.contrib.auth import authenticate, login, logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST

from staydown.access.errors import TooManyAttempts
from staydown.access.operations import clear_attempts, count_attempt
from staydown.access.rules import ADDRESS_RULE, SIGN_IN_RULE
from staydown.desk.doorway import now_utc


@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """The sign-in page. Name and address count together, so nobody can lock a colleague out from afar."""
    wanted = request.POST.get("next") or request.GET.get("next") or "/desk/"
    # Only an address on this site, and only a whole one: a bare word would be taken for a view's name.
    if not wanted.startswith("/") or not url_has_allowed_host_and_scheme(wanted, allowed_hosts=None):
        wanted = "/desk/"
    context = {"next": wanted, "username": request.POST.get("username", "")}
    if request.method == "GET":
        return render(request, "desk/sign_in.html", context)
    now = now_utc()
    address = str(request.META.get("REMOTE_ADDR", ""))
    who = f"{context['username']}\n{address}"
    try:
        count_attempt(purpose="sign-in-from", who=address, rule=ADDRESS_RULE, now=now)
        count_attempt(purpose="sign-in", who=who, rule=SIGN_IN_RULE, now=now)
    except TooManyAttempts as error:
        minutes = -(-error.retry_after_seconds // 60)
        trouble = f"Too many tries. Wait {minutes} minutes, then try again."
        response = render(request, "desk/sign_in.html", {**context, "trouble": trouble}, status=429)
        response.headers["Retry-After"] = str(error.retry_after_seconds)
        return response
    member = authenticate(request, username=context["username"], password=request.POST.get("password", ""))
    if member is None:
        trouble = "This name and this password do not belong together."
        return render(request, "desk/sign_in.html", {**context, "trouble": trouble}, status=403)
    clear_attempts(purpose="sign-in", who=who)
    login(request, member)
    return redirect(wanted)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """Ends the session."""
    logout(request)
    return redirect("/desk/sign-in")
