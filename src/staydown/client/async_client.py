"""`AsyncStaydown`: the same SDK for asyncio and trio. It says and does what `Staydown` does."""

import time
import uuid
from types import TracebackType
from typing import Self

import anyio
import httpx

from staydown.client import protocol, wire
from staydown.client.conversation import NoAnswerInTime, NoConnection, Send, converse
from staydown.client.errors import MediaNotReadable, Unreachable
from staydown.client.media import Media, sendable
from staydown.client.protocol import Answer, ApiRequest
from staydown.client.terms import CheckResult, CopyInstruction, GoneReport, OnUnreachable
from staydown.client.unreachable import check_choice, degraded_result


class AsyncStaydown:
    """Checks uploads, and hears and reports removals; see `Staydown` for each argument.

    Here `timeout_s` is a hard limit. A path or file is read in small blocks by the event loop's own
    thread: on a slow disk give bytes, or fingerprints.
    """

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        timeout_s: float = 10.0,
        on_unreachable: OnUnreachable = "raise",
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        check_choice(on_unreachable, timeout_s=timeout_s)
        self.base_url = protocol.origin_of(base_url)
        self._timeout_s = timeout_s
        self._on_unreachable: OnUnreachable = on_unreachable
        self._http = httpx.AsyncClient(headers=wire.common_headers(token), transport=transport)

    def __repr__(self) -> str:
        return f"AsyncStaydown({self.base_url!r}, token=…)"

    async def check(
        self,
        media: Media,
        *,
        content_id: str | None = None,
        content_url: str | None = None,
        idempotency_key: str | None = None,
    ) -> CheckResult:
        """Ask what to do with an upload; see `Staydown.check`."""
        with sendable(media) as content:
            request = protocol.check_request(content, content_id=content_id, content_url=content_url)
            try:
                return protocol.read_check(await self._answer(request, idempotency_key))
            except Unreachable as error:
                return degraded_result(error, on_unreachable=self._on_unreachable, content_id=content_id)

    async def gate(
        self,
        media: Media,
        *,
        content_id: str | None = None,
        content_url: str | None = None,
        idempotency_key: str | None = None,
    ) -> CheckResult:
        """The same as `check`, asked of the gate; see `Staydown.gate`."""
        with sendable(media) as content:
            request = protocol.check_request(
                content, content_id=content_id, content_url=content_url, gate=True
            )
            try:
                return protocol.read_gate(await self._answer(request, idempotency_key))
            except Unreachable as error:
                return degraded_result(error, on_unreachable=self._on_unreachable, content_id=content_id)

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

    async def _answer(self, request: ApiRequest, idempotency_key: str | None = None) -> Answer:
        key = idempotency_key or str(uuid.uuid4())
        talk = converse(budget_s=self._timeout_s, started_at=time.monotonic())
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
                    body = bytearray()
                    async for chunk in response.aiter_bytes():
                        body += chunk
                        wire.check_answer_size(len(body), status=response.status_code)
                    return wire.answer_of(response, bytes(body))
        except TimeoutError:
            return NoAnswerInTime()
        except httpx.HTTPError as error:
            return wire.outcome_of_error(error)
        except OSError:
            raise MediaNotReadable("the file could not be read") from None
