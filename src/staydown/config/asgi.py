"""One process for everything: a prefix router before the upload check (ASGI) and the pages (WSGI).

The upload check never waits for a page: pages run in threads of their own behind a2wsgi.
"""

from __future__ import annotations

from typing import cast

from a2wsgi import WSGIMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from staydown.config.installation import Installation
from staydown.config.wsgi import application as pages
from staydown.match_api import MatchApiSettings, create_app

CHECK_PATHS = ("/api/v1/check", "/api/v1/check/batch", "/api/v1/gate", "/healthz", "/readyz")


class Router:
    """Sends each request to the upload check or to the pages; start and stop go to the upload check."""

    def __init__(self) -> None:
        installation = Installation.from_environment()
        self._check = create_app(
            MatchApiSettings(data_dir=installation.data_dir, query_level=installation.check_level)
        )
        self._pages = cast(ASGIApp, WSGIMiddleware(pages, workers=10))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI entry point."""
        if scope["type"] == "lifespan" or scope.get("path") in CHECK_PATHS:
            await self._check(scope, receive, send)
        else:
            await self._pages(scope, receive, send)


def application() -> Router:
    """The assembled application (an application factory for uvicorn)."""
    return Router()
