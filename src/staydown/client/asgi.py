"""ASGI middleware: an upload is checked before the application sees the request, and passed on unchanged.

It refuses what it cannot read with certainty (400), what is too large (413), and what nobody could check
(503). A body over 1 MB lies in a temporary file, written and read by the event loop's own thread. WebSockets
pass.

    app = StaydownMiddleware(app, AsyncStaydown(url, token, on_unreachable="hold"))
"""

from collections.abc import Awaitable, Callable, MutableMapping
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, cast

import anyio.to_thread

from staydown.client.async_client import AsyncStaydown
from staydown.client.errors import ClientError, RequestRefused, UploadTooLarge
from staydown.client.refusals import answer_of, log_refusal, problem_of, problem_of_upload
from staydown.client.uploads import (
    SPOOL_BYTES,
    CheckedUpload,
    Judgement,
    UploadHeaders,
    UploadRules,
    chunks_of,
    files_in,
    is_checked,
)
from staydown.problem import Problem

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class _Disconnected(Exception):
    """The client went away before the whole body was there."""


class StaydownMiddleware:
    """Wraps an ASGI application. See `UploadRules` for what can be chosen.

    The application finds a CheckedUpload as ``scope["staydown"]`` in each request that was looked at, with
    what is held and what is degraded. `blocked` is an application that answers in place of the 451 problem;
    it finds the same.
    """

    def __init__(
        self,
        app: Application,
        staydown: AsyncStaydown,
        *,
        rules: UploadRules | None = None,
        blocked: Application | None = None,
    ) -> None:
        self._app = app
        self._staydown = staydown
        self._rules = rules or UploadRules()
        self._blocked = blocked

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not is_checked(self._rules, method=scope["method"], path=scope["path"]):
            await self._app(scope, receive, send)
            return
        with SpooledTemporaryFile(max_size=SPOOL_BYTES) as spooled:
            body = cast(BinaryIO, spooled)
            try:
                upload = await self._checked(scope, receive, body)
            except _Disconnected:
                return
            except ClientError as error:
                log_refusal(error)
                await _answer(send, problem_of(error))
                return
            scope = {**scope, "staydown": upload}
            problem = problem_of_upload(upload, self._rules)
            if problem is None:
                await self._app(scope, _replay(body, receive), send)
            elif problem.status == 451 and self._blocked is not None:
                await self._blocked(scope, _replay(body, receive), send)
            else:
                await _answer(send, problem)

    async def _checked(self, scope: Scope, receive: Receive, body: BinaryIO) -> CheckedUpload:
        headers = _headers(scope)
        headers.check(self._rules)
        size_bytes = await self._read(receive, body)
        judgement = Judgement(self._rules)
        # A large form takes a while to read; other requests go on meanwhile.
        files = await anyio.to_thread.run_sync(files_in, body, size_bytes, headers, self._rules)
        for file in files:
            try:
                judgement.add(file, await self._staydown.check(cast(BinaryIO, file.content)))
            except RequestRefused as refusal:
                judgement.add_refusal(file, refusal)
            if judgement.is_decided:
                break
        return judgement.upload()

    async def _read(self, receive: Receive, body: BinaryIO) -> int:
        size_bytes = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise _Disconnected
            piece = message.get("body", b"")
            size_bytes += len(piece)
            if size_bytes > self._rules.max_bytes:
                raise UploadTooLarge(max_bytes=self._rules.max_bytes)
            body.write(piece)
            if not message.get("more_body", False):
                return size_bytes


def _headers(scope: Scope) -> UploadHeaders:
    def all_of(name: bytes) -> list[str]:
        return [value.decode("latin-1") for key, value in scope["headers"] if key.lower() == name]

    return UploadHeaders(
        content_type=all_of(b"content-type"),
        content_encoding=all_of(b"content-encoding"),
        content_length=all_of(b"content-length"),
        transfer_encoding=all_of(b"transfer-encoding"),
    )


def _replay(body: BinaryIO, receive: Receive) -> Receive:
    """The body again, as the server gave it; after its end whatever else the server has to say."""
    blocks = iter(chunks_of(body))
    is_over = False

    async def receive_again() -> Message:
        nonlocal is_over
        if is_over:
            return await receive()
        block = next(blocks, b"")
        is_over = not block
        return {"type": "http.request", "body": block, "more_body": not is_over}

    return receive_again


async def _answer(send: Send, problem: Problem) -> None:
    told, body = answer_of(problem)
    headers = [(name.encode(), value.encode()) for name, value in told]
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
