"""`AsyncStaydown`: the same SDK for asyncio and trio. It says and does what `Staydown` does."""

import os
import time
import uuid
from collections.abc import AsyncIterator, Iterable
from types import TracebackType
from typing import BinaryIO, Self

import anyio
import anyio.to_thread
import httpx

from staydown.client import batch, protocol, wire
from staydown.client.batch import BatchAnswer, Upload
from staydown.client.conversation import NoAnswerInTime, NoConnection, Send, converse
from staydown.client.errors import MediaNotReadable, Unreachable
from staydown.client.media import Computed, Media, sendable
from staydown.client.protocol import Answer, ApiRequest
from staydown.client.terms import CheckResult, CopyInstruction, GoneReport, Level, OnUnreachable
from staydown.client.unreachable import Fallback, StandIn, check_budget


class AsyncStaydown:
    """Checks uploads, and hears and reports removals; see `Staydown` for each argument.

    Here `timeout_ms` is a hard limit. A path or file is read in small blocks by the event loop's own
    thread: on a slow disk give bytes, or fingerprints. An edge bank works in a thread of its own.
    """

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        timeout_ms: float = 10_000,
        on_unreachable: OnUnreachable = "raise",
        edge: StandIn | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        check_budget(timeout_ms)
        self.base_url = protocol.origin_of(base_url)
        self._timeout_ms = timeout_ms
        self._fallback = Fallback(on_unreachable, edge)
        self._headers = wire.common_headers(token)
        self._transport = transport
        self._opened = (os.getpid(), self._open())

    def __repr__(self) -> str:
        return f"AsyncStaydown({self.base_url!r}, token=…)"

    async def check(
        self,
        media: Media,
        *,
        content_id: str | None = None,
        content_url: str | None = None,
        level: Level | None = None,
        timeout_ms: float | None = None,
        idempotency_key: str | None = None,
    ) -> CheckResult:
        """Ask what to do with an upload; see `Staydown.check`."""
        with sendable(media) as content:
            request = protocol.check_request(
                content,
                content_id=content_id,
                content_url=content_url,
                level=level,
                wish=self._fallback.wish,
            )
            return await self._checked(request, content, content_id, timeout_ms, idempotency_key)

    async def gate(
        self,
        media: Media,
        *,
        content_id: str | None = None,
        content_url: str | None = None,
        level: Level | None = None,
        timeout_ms: float | None = None,
        idempotency_key: str | None = None,
    ) -> CheckResult:
        """The same as `check`, asked of the gate; see `Staydown.gate`."""
        with sendable(media) as content:
            request = protocol.check_request(
                content,
                content_id=content_id,
                content_url=content_url,
                level=level,
                wish=self._fallback.wish,
                gate=True,
            )
            return await self._checked(request, content, content_id, timeout_ms, idempotency_key)

    async def check_batch(
        self, uploads: Iterable[Computed | Upload], *, timeout_ms: float | None = None
    ) -> AsyncIterator[BatchAnswer]:
        """Check many fingerprints in few requests; see `Staydown.check_batch`."""
        for chunk in batch.chunks(uploads):
            try:
                answers = chunk.read(
                    await self._answer(chunk.request(wish=self._fallback.wish), timeout_ms=timeout_ms)
                )
            except Unreachable as error:
                for place, upload in enumerate(chunk.uploads, start=chunk.first_place):
                    yield BatchAnswer(
                        place, await self._for_error(error, upload.fingerprints, upload.content_id)
                    )
                continue
            for answer, upload in zip(answers, chunk.uploads, strict=True):
                yield await anyio.to_thread.run_sync(answer.with_fallback, self._fallback, upload)

    async def copy(self, copy_id: str) -> CopyInstruction:
        """What Staydown says now about a copy that a webhook named."""
        return protocol.read_copy(await self._answer(protocol.copy_request(copy_id)))

    async def report_gone(self, copy_id: str) -> GoneReport:
        """Tell Staydown that the copy and everything made from it is deleted; may be repeated."""
        return protocol.read_gone(await self._answer(protocol.gone_request(copy_id)))

    async def close(self) -> None:
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    def _open(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(headers=self._headers, transport=self._transport, limits=wire.LIMITS)

    @property
    def _http(self) -> httpx.AsyncClient:
        """This process's connections; see `Staydown`."""
        pid, http = self._opened
        if pid != os.getpid():
            http = self._open()
            self._opened = (os.getpid(), http)
        return http

    async def _checked(
        self,
        request: ApiRequest,
        content: bytes | BinaryIO | Computed,
        content_id: str | None,
        timeout_ms: float | None,
        key: str | None,
    ) -> CheckResult:
        try:
            answer = await self._answer(request, key, timeout_ms=timeout_ms)
        except Unreachable as error:
            return await self._for_error(error, content, content_id)
        result = protocol.read_result(request, answer)
        if not result.degraded:
            return result
        return await anyio.to_thread.run_sync(
            lambda: self._fallback.for_answer(result, content, content_id=content_id)
        )

    async def _for_error(
        self, error: Unreachable, content: bytes | BinaryIO | Computed, content_id: str | None
    ) -> CheckResult:
        return await anyio.to_thread.run_sync(
            lambda: self._fallback.for_error(error, content, content_id=content_id)
        )

    async def _answer(
        self, request: ApiRequest, idempotency_key: str | None = None, *, timeout_ms: float | None = None
    ) -> Answer:
        budget_ms = self._timeout_ms if timeout_ms is None else timeout_ms
        check_budget(budget_ms)
        key = idempotency_key or str(uuid.uuid4())
        talk = converse(budget_s=budget_ms / 1000, started_at=time.monotonic())
        step = next(talk)
        while True:
            outcome: Answer | NoConnection | NoAnswerInTime | None = None
            if isinstance(step, Send):
                outcome = await self._send(request, key, within_s=step.within_s)
            else:
                await anyio.sleep(step.for_s)
            try:
                step = talk.send((outcome, time.monotonic()))
            except StopIteration as end:
                answer: Answer = end.value
                protocol.check_accepted(request, answer)
                return answer

    async def _send(
        self, request: ApiRequest, key: str, *, within_s: float
    ) -> Answer | NoConnection | NoAnswerInTime:
        arguments = wire.httpx_arguments(request, idempotency_key=key, within_s=within_s)
        try:
            with anyio.fail_after(within_s):
                async with self._http.stream(
                    request.method, self.base_url + request.path, **arguments
                ) as response:
                    body = wire.AnswerBody(request, response)
                    async for chunk in response.aiter_bytes():
                        body.take(chunk)
                    return body.answer()
        except TimeoutError:
            return NoAnswerInTime()
        except httpx.HTTPError as error:
            return wire.outcome_of_error(error)
        except OSError:
            raise MediaNotReadable("the file could not be read") from None
