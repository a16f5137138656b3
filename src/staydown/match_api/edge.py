"""Hands out the edge bank to whoever may fetch it: the signed manifest, and the files that it names.

Reads what the database side published; refuses every other name, and whoever's token has not the scope.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from starlette.responses import FileResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from staydown.client.edge_manifest import MANIFEST_NAME, entity_tag, is_file_name
from staydown.match_api.answers import Answer, log_defect, problem_answer, refusal_answer
from staydown.match_api.call import Call
from staydown.match_api.callers import Callers
from staydown.match_api.errors import Refused
from staydown.match_api.refusals import defect, no_such_method, no_such_path
from staydown.match_api.settings import MatchApiSettings
from staydown.problem import Problem

# As access.Scope has it; this door does not import what lies above it.
EDGE = "edge"
PREFIX = "/api/v1/edge/"
_METHODS = ("GET", "HEAD")
_FILES = PREFIX + "files/"


class EdgeDoor:
    """`GET /api/v1/edge/manifest` and `GET /api/v1/edge/files/{name}`; every other path goes on to `behind`.

    It stands before the pages, not among the checks: a file of hundreds of MB takes its time, and a look into
    a table of whole paths is all that a check waits for.
    """

    def __init__(self, settings: MatchApiSettings, *, behind: ASGIApp) -> None:
        self._folder = settings.data_dir / "edge"
        self._callers = Callers(settings)
        self._behind = behind

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI entry point."""
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            await self._behind(scope, receive, send)
            return
        try:
            answer = await self._answer(Call(scope, receive))
        except Refused as refused:
            answer = refusal_answer(refused)
        except Exception as error:
            log_defect(error, where="edge")
            answer = problem_answer(defect())
        if isinstance(answer, Answer):
            await answer.send(send)
        else:
            await answer(scope, receive, send)

    async def _answer(self, call: Call) -> Answer | FileResponse:
        path = call.scope["path"]
        if call.scope["method"] not in _METHODS:
            raise no_such_method(_METHODS)
        self._callers.identify(call, scope=EDGE)
        if path == PREFIX + "manifest":
            return await self._manifest(held=call.header(b"if-none-match"))
        name = path.removeprefix(_FILES)
        if path.startswith(_FILES) and is_file_name(name):
            return await self._file(name, held=call.header(b"if-none-match"))
        raise no_such_path()

    async def _manifest(self, *, held: str | None) -> Answer:
        try:
            note = await asyncio.to_thread((self._folder / MANIFEST_NAME).read_text, encoding="utf-8")
        except FileNotFoundError:
            raise _not_published() from None
        tag = entity_tag(note)
        headers = ((b"etag", tag.encode()),)
        if held == tag:
            return Answer(304, b"", b"text/plain; charset=utf-8", headers)
        return Answer(200, note.encode(), b"text/plain; charset=utf-8", headers)

    async def _file(self, name: str, *, held: str | None) -> Answer | FileResponse:
        # A name carries the beginning of the content's digest, so that it can stand for the content.
        tag = f'"{name}"'
        path: Path = self._folder / name
        if not await asyncio.to_thread(path.is_file):
            raise _not_published()
        if held == tag:
            return Answer(304, b"", b"application/octet-stream", ((b"etag", tag.encode()),))
        return FileResponse(
            path,
            media_type="application/octet-stream",
            headers={"ETag": tag, "Cache-Control": "private, no-cache"},
        )


def _not_published() -> Refused:
    detail = "No edge bank is published, or no longer under this name; ask for the manifest."
    return Refused(Problem(404, "edge-not-published", "There is no such edge file", detail))
