"""Pages for what went wrong: plain words, nothing lost that can be kept, no detail that helps an attacker."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from staydown.problem import CONTENT_TYPE, Problem


def _problem(problem: Problem, **headers: str) -> HttpResponse:
    return JsonResponse(
        problem.as_dict(), status=problem.status, content_type=CONTENT_TYPE, headers=headers or None
    )


def _failure(request: HttpRequest, *, status: int, slug: str, title: str, detail: str) -> HttpResponse:
    if request.path.startswith("/api/"):
        return _problem(Problem(status, slug, title, detail))
    return render(
        request, "survivor_site/failure.html", {"failure_title": title, "detail": detail}, status=status
    )


def form_expired(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form's protection token is missing or old (Django's CSRF check)."""
    return _failure(
        request,
        status=403,
        slug="form-expired",
        title=_("This form is too old to send"),
        detail=_("Go back, reload the page and send it again. Nothing was sent and nothing was stored."),
    )


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """What was sent could not be read."""
    return _failure(
        request,
        status=400,
        slug="not-understood",
        title=_("We could not read what was sent"),
        detail=_("Go back and try again. Nothing was stored."),
    )


def not_allowed(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Somebody without the right to see this."""
    return _failure(
        request,
        status=403,
        slug="not-allowed",
        title=_("You cannot open this page"),
        detail=_("Your account does not have the right to see it."),
    )


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """No such page."""
    return _failure(
        request,
        status=404,
        slug="not-found",
        title=_("There is no such page"),
        detail=_("Check the address."),
    )


def defect(request: HttpRequest) -> HttpResponse:
    """Something that we did not anticipate; it is in the log for us to mend."""
    return _failure(
        request,
        status=500,
        slug="defect",
        title=_("Something broke on our side"),
        detail=_("What you sent may not have been stored. Go back and send it again."),
    )


class MethodProblems:
    """Middleware: a method that an API address does not know is answered in the API's one error shape.

    Django and Ninja answer it by themselves, past every handler.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code != 405 or not request.path.startswith("/api/"):
            return response
        allowed = response.headers.get("Allow", "")
        problem = Problem(405, "method-not-allowed", "Method not allowed", f"Allowed here: {allowed}.")
        return _problem(problem, Allow=allowed)
