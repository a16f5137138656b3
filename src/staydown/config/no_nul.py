"""Middleware: a NUL in what somebody sends is read as U+FFFD, as browsers read it in HTML.

PostgreSQL keeps no NUL in text and refuses the whole statement; SQLite keeps it. So both see the same, and a
probe is answered like any other wrong name or number. Leaves the bodies of API calls alone; they refuse it.
"""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, QueryDict

NUL, REPLACEMENT = "\0", "\N{REPLACEMENT CHARACTER}"


class ReadNulAsReplacement:
    """Cleans address, query, cookies and form before anything looks at them."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.path_info = request.path_info.replace(NUL, REPLACEMENT)
        request.COOKIES = {name: text.replace(NUL, REPLACEMENT) for name, text in request.COOKIES.items()}
        request.GET = _cleaned(request.GET)  # type: ignore[assignment]
        if not request.path_info.startswith("/api/"):
            request.POST = _cleaned(request.POST)  # type: ignore[assignment]
        return self.get_response(request)


def _cleaned(form: QueryDict) -> QueryDict:
    if not any(NUL in text for _, texts in form.lists() for text in texts):
        return form
    clean = form.copy()
    for name, texts in form.lists():
        clean.setlist(name, [text.replace(NUL, REPLACEMENT) for text in texts])
    return clean
