"""The application: addresses, start and stop. Refuses to import Django, even through another package.

Bare ASGI: one look into a table finds the endpoint. A router with patterns and layers around it would take as
long as the search.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

from starlette.types import Receive, Scope, Send

from staydown.match_api.answers import Answer, log_defect, problem_answer, refusal_answer
from staydown.match_api.call import Call
from staydown.match_api.endpoints import Endpoints
from staydown.match_api.errors import CallerGone, Refused
from staydown.match_api.refusals import defect, no_such_method, no_such_path
from staydown.match_api.settings import MatchApiSettings

Endpoint = Callable[[Call], Awaitable[Answer]]

_POST, _GET = ("POST",), ("GET", "HEAD")
# Address -> its methods, and the name of its endpoint.
ROUTES: dict[str, tuple[tuple[str, ...], str]] = {
    "/api/v1/check": (_POST, "check"),
    "/api/v1/check/batch": (_POST, "batch"),
    "/api/v1/gate": (_POST, "gate"),
    "/api/v1/fingerprint": (_POST, "fingerprint"),
    "/healthz": (_GET, "healthz"),
    "/readyz": (_GET, "readyz"),
    "/health": (_GET, "health"),
    "/metrics": (_GET, "metrics"),
}


class UploadCheck:
    """The upload check as an ASGI application.

    Its endpoints are made anew at each start, so that an application that was stopped can be started again;
    one that is never started works too and does not stop cleanly.
    """

    paths = frozenset(ROUTES)

    def __init__(self, settings: MatchApiSettings) -> None:
        self._settings = settings
        self._made: Endpoints | None = None
        self._routes: dict[str, tuple[tuple[str, ...], Endpoint]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI entry point."""
        if scope["type"] == "http":
            await self._answer(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._live(receive, send)
        else:
            await send({"type": "websocket.close"})

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Follows the bank while the block runs; ends the decoding processes after it."""
        endpoints = self._endpoints
        endpoints.checker.bank.refresh()
        refreshing = asyncio.create_task(self._keep_fresh(endpoints))
        try:
            yield
        finally:
            refreshing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await refreshing
            self._made, self._routes = None, {}
            await endpoints.close()

    @property
    def _endpoints(self) -> Endpoints:
        if self._made is None:
            self._made = endpoints = Endpoints(self._settings)
            self._routes = {
                path: (methods, getattr(endpoints, name)) for path, (methods, name) in ROUTES.items()
            }
        return self._made

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        endpoints = self._endpoints
        try:
            answer = await self._endpoint(scope)(Call(scope, receive))
        except Refused as refused:
            endpoints.meter.refused(refused.problem.slug)
            answer = refusal_answer(refused)
        except CallerGone:
            answer = Answer(499, b"")  # nobody hears it
        except Exception as error:
            log_defect(error, where=scope["path"])
            endpoints.meter.refused(defect().slug)
            answer = problem_answer(defect())
        await answer.send(send)

    def _endpoint(self, scope: Scope) -> Endpoint:
        route = self._routes.get(scope["path"])
        if route is None:
            raise no_such_path()
        if scope["method"] not in route[0]:
            raise no_such_method(route[0])
        return route[1]

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()  # lifespan.startup
        try:
            async with self.running():
                await send({"type": "lifespan.startup.complete"})
                await receive()  # lifespan.shutdown
        except Exception as error:
            log_defect(error, where="start or stop")
            raise  # the server then says that it did not start
        await send({"type": "lifespan.shutdown.complete"})

    async def _keep_fresh(self, endpoints: Endpoints) -> None:
        while True:
            await asyncio.sleep(self._settings.refresh_seconds)
            try:
                endpoints.look_after_bank()
            except Exception as error:
                log_defect(error, where="refresh")


def create_app(settings: MatchApiSettings) -> UploadCheck:
    """The upload check as an ASGI application. Processes and files are opened when first needed."""
    return UploadCheck(settings)
