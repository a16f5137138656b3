"""One process for everything: a prefix router before the upload check (ASGI) and the pages (WSGI).

The upload check never waits for a page: pages run in threads of their own behind a2wsgi.
"""

from __future__ import annotations

from typing import cast

from a2wsgi import WSGIMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from staydown.config import check
from staydown.config.installation import Installation
from staydown.config.wsgi import application as pages
from staydown.match_api import MatchApiSettings, UploadCheck
from staydown.match_api.edge import EdgeDoor

CHECK_PATHS = UploadCheck.paths


class Router:
    """Sends each request to the upload check or to the pages; start and stop go to the upload check."""

    def __init__(self) -> None:
        self._check = check.application()
        self._pages = _pages()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI entry point."""
        if scope["type"] == "lifespan" or scope.get("path") in CHECK_PATHS:
            await self._check(scope, receive, send)
        else:
            await self._pages(scope, receive, send)


def application() -> Router:
    """The assembled application (an application factory for uvicorn)."""
    return Router()


def pages_only() -> ASGIApp:
    """The pages and the platforms' other calls, without the upload check (an application factory)."""
    return _pages()


def _pages() -> ASGIApp:
    settings = MatchApiSettings(data_dir=Installation.from_environment().data_dir)
    return EdgeDoor(settings, behind=cast(ASGIApp, WSGIMiddleware(pages, workers=10)))
