"""The application: routes, start and stop. Refuses to import Django, even through another package."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from staydown.match_api.answers import answering, log_defect, no_such_door
from staydown.match_api.endpoints import Endpoints
from staydown.match_api.settings import MatchApiSettings


class _Running:
    """The endpoints between start and stop. They are made anew at each start, so that an application that was
    stopped can be started again; an application that is never started works too and does not stop cleanly.
    """

    def __init__(self, settings: MatchApiSettings) -> None:
        self._settings = settings
        self._endpoints: Endpoints | None = None

    @property
    def endpoints(self) -> Endpoints:
        if self._endpoints is None:
            self._endpoints = Endpoints(self._settings)
        return self._endpoints

    @contextlib.asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncIterator[None]:
        endpoints = self.endpoints
        endpoints.checker.bank.refresh()
        refreshing = asyncio.create_task(self._keep_fresh(endpoints))
        try:
            yield
        finally:
            refreshing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await refreshing
            self._endpoints = None
            await endpoints.close()

    async def _keep_fresh(self, endpoints: Endpoints) -> None:
        while True:
            await asyncio.sleep(self._settings.refresh_seconds)
            try:
                endpoints.checker.bank.refresh()
            except Exception as error:
                log_defect(error, where="refresh")

    async def check(self, request: Request) -> Response:
        return await self.endpoints.check(request)

    async def gate(self, request: Request) -> Response:
        return await self.endpoints.gate(request)

    async def batch(self, request: Request) -> Response:
        return await self.endpoints.batch(request)

    async def healthz(self, request: Request) -> Response:
        return await self.endpoints.healthz(request)

    async def readyz(self, request: Request) -> Response:
        return await self.endpoints.readyz(request)


def create_app(settings: MatchApiSettings) -> Starlette:
    """The upload check as an ASGI application. Processes and files are opened when first needed."""
    running = _Running(settings)
    app = Starlette(
        routes=[
            Route("/api/v1/check", answering(running.check), methods=["POST"]),
            Route("/api/v1/check/batch", answering(running.batch), methods=["POST"]),
            Route("/api/v1/gate", answering(running.gate), methods=["POST"]),
            Route("/healthz", answering(running.healthz), methods=["GET"]),
            Route("/readyz", answering(running.readyz), methods=["GET"]),
        ],
        exception_handlers={HTTPException: no_such_door},
        lifespan=running.lifespan,
    )
    # A redirect would be built from the Host header that the sender chose.
    app.router.redirect_slashes = False
    return app
