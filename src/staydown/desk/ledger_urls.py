"""Addresses of the public log (C2SP tlog-tiles): sealed marks only, for anybody to copy and to check."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.http import require_safe

from staydown.ledger.errors import LedgerError
from staydown.ledger.queries import published_file


@require_safe
def published(request: HttpRequest, name: str) -> HttpResponse:
    """One file of the log: `checkpoint`, or a tile of the tree or of its entries."""
    try:
        content = published_file(name)
    except LedgerError as error:
        raise Http404 from error
    kind = "text/plain; charset=utf-8" if name == "checkpoint" else "application/octet-stream"
    return HttpResponse(content, content_type=kind)


urlpatterns = [path("<path:name>", published)]
