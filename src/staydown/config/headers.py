"""Headers that protect whoever reads a page, and what every template may know about the installation."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from staydown.config.csp import PAGE_CSP

_HEADERS = {
    "Content-Security-Policy": PAGE_CSP,
    # Nothing of these pages stays in a cache of the device or on the way to it.
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), interest-cohort=(), browsing-topics=()",
    "X-Robots-Tag": "noindex, noarchive",
}


class ProtectivePageHeaders:
    """Adds the headers above to every answer that does not set its own."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        return response


def installation(request: HttpRequest) -> dict[str, object]:
    """Template context: whether this is the demonstration, its address, and the languages by own name."""
    return {
        "demo": settings.STAYDOWN_DEMO,
        "public_url": settings.STAYDOWN_PUBLIC_URL,
        "languages": settings.LANGUAGES,
    }
