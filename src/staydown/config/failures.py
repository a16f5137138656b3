"""Pages for what went wrong: plain words, nothing lost that can be kept, no detail that helps an attacker."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from staydown.problem import Problem


def _failure(request: HttpRequest, *, status: int, slug: str, title: str, detail: str) -> HttpResponse:
    if request.path.startswith("/api/"):
        problem = Problem(status, slug, title, detail)
        return JsonResponse(problem.as_dict(), status=status, content_type="application/problem+json")
    return render(
        request, "survivor_site/failure.html", {"failure_title": title, "detail": detail}, status=status
    )


def form_expired(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form's protection token is missing or old (Django's CSRF check)."""
    return _failure(
        request,
        status=403,
        slug="form-expired",
        title="This form is too old to send",
        detail="Go back, reload the page and send it again. Nothing was sent and nothing was stored.",
    )


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """What was sent could not be read."""
    return _failure(
        request,
        status=400,
        slug="not-understood",
        title="We could not read what was sent",
        detail="Go back and try again. Nothing was stored.",
    )


def not_allowed(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Somebody without the right to see this."""
    return _failure(
        request,
        status=403,
        slug="not-allowed",
        title="You cannot open this page",
        detail="Your account does not have the right to see it.",
    )


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """No such page."""
    return _failure(
        request, status=404, slug="not-found", title="There is no such page", detail="Check the address."
    )


def defect(request: HttpRequest) -> HttpResponse:
    """Something that we did not anticipate; it is in the log for us to mend."""
    return _failure(
        request,
        status=500,
        slug="defect",
        title="Something broke on our side",
        detail="What you sent may not have been stored. Go back and send it again.",
    )
