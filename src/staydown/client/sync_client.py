"""`Staydown`: the SDK for ordinary threads. One instance may be shared by all threads of a process."""

import time
import uuid
from types import TracebackType
from typing import Self

import httpx

from staydown.client import protocol, wire
from staydown.client.conversation import NoAnswerInTime, NoConnection, Send, converse
from staydown.client.errors import MediaNotReadable, Unreachable
from staydown.client.media import Media, sendable
from staydown.client.protocol import Answer, ApiRequest
from staydown.client.terms import CheckResult, CopyInstruction, GoneReport, OnUnreachable
from staydown.client.unreachable import check_choice, degraded_result


class Staydown:
    """Checks uploads, and hears and reports removals.

    `timeout_s` is the budget of one call with all its retries. It limits each read from the network, and the
    whole answer between reads; a server that drips its headers byte by byte can stretch it. Where that
    matters, `AsyncStaydown` has a hard limit. `on_unreachable` says what `check` and `gate` answer when
    Staydown can't: "raise" (Unreachable), "allow", or "hold". `transport` replaces the network, for tests.
    """

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        timeout_s: float = 10.0,
        on_unreachable: OnUnreachable = "raise",
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        check_choice(on_unreachable, timeout_s=timeout_s)
        self.base_url = protocol.origin_of(base_url)
        self._timeout_s = timeout_s
        self._on_unreachable: OnUnreachable = on_unreachable
        self._http = httpx.Client(headers=wire.common_headers(token), transport=transport)

    def __repr__(self) -> str:
        return f"Staydown({self.base_url!r}, token=…)"

    def check(
        self,
        media: Media,
        *,
        content_id: str | None = None,
        content_url: str | None = None,
        idempotency_key: str | None = None,
    ) -> CheckResult:
        """Ask what to do with an upload, before anybody can see it.

        Give a path, bytes, or a binary file to have the media fingerprinted by the server; or what
        `staydown.fingerprint.query_image` gives to send nothing but fingerprints. MediaFingerprints do too,
        without the parts of the picture in which an original may lie. A file is sent from its beginning and
        left open.
        `content_id` is your id for the upload: with it a later takedown can name it.

        Raises Unreachable (if that is the choice), NotAuthorised, RequestRefused, AnswerNotUnderstood,
        MediaNotReadable.
        """
        with sendable(media) as content:
            request = protocol.check_request(content, content_id=content_id, content_url=content_url)
            try:
                return protocol.read_check(self._answer(request, idempotency_key))
            except Unreachable as error:
                return degraded_result(error, on_unreachable=self._on_unreachable, content_id=content_id)

    def gate(
        self,
        media: Media,
        *,
        content_id: str | None = None,
        content_url: str | None = None,
        idempotency_key: str | None = None,
    ) -> CheckResult:
        """The same as `check`, asked of the gate, which says its answer by status (200, 202, 451)."""
        with sendable(media) as content:
            request = protocol.check_request(
                content, content_id=content_id, content_url=content_url, gate=True
            )
            try:
                return protocol.read_gate(self._answer(request, idempotency_key))
            except Unreachable as error:
                return degraded_result(error, on_unreachable=self._on_unreachable, content_id=content_id)

    def copy(self, copy_id: str) -> CopyInstruction:
        """What Staydown says now about a copy that a webhook named."""
        return protocol.read_copy(self._answer(protocol.copy_request(copy_id)))

    def report_gone(self, copy_id: str) -> GoneReport:
        """Tell Staydown that the copy and everything made from it is deleted; may be repeated."""
        return protocol.read_gone(self._answer(protocol.gone_request(copy_id)))

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _answer(self, request: ApiRequest, idempotency_key: str | None = None) -> Answer:
        key = idempotency_key or str(uuid.uuid4())
        talk = converse(budget_s=self._timeout_s, started_at=time.monotonic())
        step = next(talk)
        while True:
            outcome: Answer | NoConnection | NoAnswerInTime | None = None
            if isinstance(step, Send):
                outcome = self._send(request, key, within_s=step.within_s)
            else:
                time.sleep(step.for_s)
            try:
                step = talk.send((outcome, time.monotonic()))
            except StopIteration as end:
                answer: Answer = end.value
                protocol.check_accepted(request, answer)
                return answer

    def _send(
        self, request: ApiRequest, key: str, *, within_s: float
    ) -> Answer | NoConnection | NoAnswerInTime:
        give_up_at = time.monotonic() + within_s
        arguments = wire.httpx_arguments(request, idempotency_key=key, within_s=within_s)
        try:
            with self._http.stream(request.method, self.base_url + request.path, **arguments) as response:
                body = bytearray()
                for chunk in response.iter_bytes():
                    body += chunk
                    wire.check_answer_size(len(body), status=response.status_code)
                    if time.monotonic() > give_up_at:
                        return NoAnswerInTime()
                return wire.answer_of(response, bytes(body))
        except httpx.HTTPError as error:
            return wire.outcome_of_error(error)
        except OSError:
            raise MediaNotReadable("the file could not be read") from None
