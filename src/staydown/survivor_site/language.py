"""Choosing a language: a form of plain buttons, a cookie that ends with the window, and back to the page."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import check_for_language
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST


def _way_back(request: HttpRequest) -> str:
    """The page that the person came from; the start if what was sent is not a page of ours."""
    wanted = request.POST.get("next", "")
    # Only a path: with a host, even our own, it could leave the address that the person sees.
    if wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None):
        return wanted
    return "/"


# A token would set a cookie on every page, for a choice that harms nobody; another site's form is ignored.
@csrf_exempt
@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    """Remembers the language in this window. A language that we do not have changes nothing."""
    response = redirect(_way_back(request))
    response.status_code = 303
    language = request.POST.get("language", "")
    ours = request.headers.get("Sec-Fetch-Site", "same-origin") == "same-origin"
    if ours and language in dict(settings.LANGUAGES) and check_for_language(language):
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            language,
            httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
            samesite="Strict",
            secure=settings.LANGUAGE_COOKIE_SECURE,
        )
    return response


def forget(response: HttpResponse) -> None:
    """Takes the choice back, on leaving."""
    response.delete_cookie(settings.LANGUAGE_COOKIE_NAME, samesite="Strict")
