"""`Staydown`: the SDK for ordinary threads. One instance may be shared by all threads of a process."""

import os
import time
import uuid
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import BinaryIO, Self

import httpx

from staydown.client import batch, protocol, wire
from staydown.client.batch import BatchAnswer, Upload
from staydown.client.conversation import NoAnswerInTime, NoConnection, Send, converse
from staydown.client.errors import MediaNotReadable, Unreachable
from staydown.client.media import Computed, Media, sendable
from staydown.client.protocol import Answer, ApiRequest
from staydown.client.terms import CheckResult, CopyInstruction, GoneReport, Level, OnUnreachable
from staydown.client.unreachable import Fallback, StandIn, check_budget


class Staydown:
    """Checks uploads, and hears and reports removals. Connections are kept and used again; a process that
    forks may use it on both sides.

    `timeout_ms` is the budget of one call with all its retries; a call may be given another. It limits each
    read from the network, and the whole answer between reads; a server that drips its headers byte by byte
    can stretch it. Where that matters, `AsyncStaydown` has a hard limit. `on_unreachable` says what `check`,
    `gate` and `check_batch` answer when Staydown can't: "raise" (Unreachable), "allow", or "hold"; the server
    is told, and counts how often it had to. `edge`: an EdgeBank, which then answers first. `transport`
    replaces the network, for tests.
    """

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        timeout_ms: float = 10_000,
        on_unreachable: OnUnreachable = "raise",
        edge: StandIn | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        check_budget(timeout_ms)
        self.base_url = protocol.origin_of(base_url)
        self._timeout_ms = timeout_ms
        self._fallback = Fallback(on_unreachable, edge)
        self._headers = wire.common_headers(token)
        self._transport = transport
        self._opened = (os.getpid(), self._open())

    def __repr__(self) -> str:
        return f"Staydown({self.base_url!r}, token=…)"

    def check(
        self,
        media: Media,
        *,
        content_id: str | None = None,
        content_url: str | None = None,
        level: Level | None = None,
        timeout_ms: float | None = None,
        idempotency_key: str | None = None,
    ) -> CheckResult:
        """Ask what to do with an upload, before anybody can see it.

        Give a path, bytes, or a binary file to have the media fingerprinted by the server; or what
        `staydown.fingerprint.query_image` gives to send nothing but fingerprints. MediaFingerprints do too,
        without the parts of the picture in which an original may lie. A file is sent from its beginning and
        left open.
        `content_id` is your id for the upload: with it a later takedown can name it. `level` says how hard
        the server looks at this one ("plain", "geo9", "deep"); without it, as the installation is set.

        Raises Unreachable (if that is the choice), NotAuthorised, RequestRefused, AnswerNotUnderstood,
        MediaNotReadable, ClientMisconfigured.
        """
        with sendable(media) as content:
            request = protocol.check_request(
                content,
                content_id=content_id,
                content_url=content_url,
                level=level,
                wish=self._fallback.wish,
            )
            return self._checked(request, content, content_id, timeout_ms, idempotency_key)

    def gate(
        self,
        media: Media,
        *,
        content_id: str | None = None,
        content_url: str | None = None,
        level: Level | None = None,
        timeout_ms: float | None = None,
        idempotency_key: str | None = None,
    ) -> CheckResult:
        """The same as `check`, asked of the gate, which says its answer by status (200, 202, 451)."""
        with sendable(media) as content:
            request = protocol.check_request(
                content,
                content_id=content_id,
                content_url=content_url,
                level=level,
                wish=self._fallback.wish,
                gate=True,
            )
            return self._checked(request, content, content_id, timeout_ms, idempotency_key)

    def check_batch(
        self, uploads: Iterable[Computed | Upload], *, timeout_ms: float | None = None
    ) -> Iterator[BatchAnswer]:
        """Check many fingerprints in few requests; gives one answer for each, in the order given.

        Takes from the iterable as it goes on, so that it may be a generator over a library. `timeout_ms` is
        for each request, of at most 1000 uploads. A line that the server refuses is told in its place. When
        Staydown can't answer, each upload of that request has the declared result. Raises as `check`.
        """
        for chunk in batch.chunks(uploads):
            try:
                answers = chunk.read(
                    self._answer(chunk.request(wish=self._fallback.wish), timeout_ms=timeout_ms)
                )
            except Unreachable as error:
                for place, upload in enumerate(chunk.uploads, start=chunk.first_place):
                    yield BatchAnswer(
                        place,
                        self._fallback.for_error(error, upload.fingerprints, content_id=upload.content_id),
                    )
                continue
            for answer, upload in zip(answers, chunk.uploads, strict=True):
                yield answer.with_fallback(self._fallback, upload)

    def copy(self, copy_id: str) -> CopyInstruction:
        """What Staydown says now about a copy that a webhook named."""
        return protocol.read_copy(self._answer(protocol.copy_request(copy_id)))

    def report_gone(self, copy_id: str) -> GoneReport:
        """Tell Staydown that the copy and everything made from it is deleted; may be repeated."""
        return protocol.read_gone(self._answer(protocol.gone_request(copy_id)))

    def ask(
        self, request: ApiRequest, *, into: BinaryIO | None = None, timeout_ms: float | None = None
    ) -> Answer:
        """Send one request of the protocol, with retries. For parts of the SDK.

        into: where the body of an answer 200 goes instead of memory; written anew at each attempt.
        Raises Unreachable, NotAuthorised, RequestRefused, AnswerNotUnderstood, and OSError of `into`.
        """
        return self._answer(request, timeout_ms=timeout_ms, into=into)

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _open(self) -> httpx.Client:
        return httpx.Client(headers=self._headers, transport=self._transport, limits=wire.LIMITS)

    @property
    def _http(self) -> httpx.Client:
        """This process's connections.

        After a fork the child's are new: one connection shared by two processes would mix their answers. The
        parent's are left alone. Threads that come here at once may each make a client, of which one stays.
        """
        pid, http = self._opened
        if pid != os.getpid():
            http = self._open()
            self._opened = (os.getpid(), http)
        return http

    def _checked(
        self,
        request: ApiRequest,
        content: bytes | BinaryIO | Computed,
        content_id: str | None,
        timeout_ms: float | None,
        key: str | None,
    ) -> CheckResult:
        try:
            answer = self._answer(request, key, timeout_ms=timeout_ms)
        except Unreachable as error:
            return self._fallback.for_error(error, content, content_id=content_id)
        result = protocol.read_result(request, answer)
        return self._fallback.for_answer(result, content, content_id=content_id)

    def _answer(
        self,
        request: ApiRequest,
        idempotency_key: str | None = None,
        *,
        timeout_ms: float | None = None,
        into: BinaryIO | None = None,
    ) -> Answer:
        budget_ms = self._timeout_ms if timeout_ms is None else timeout_ms
        check_budget(budget_ms)
        key = idempotency_key or str(uuid.uuid4())
        talk = converse(budget_s=budget_ms / 1000, started_at=time.monotonic())
        step = next(talk)
        while True:
            outcome: Answer | NoConnection | NoAnswerInTime | None = None
            if isinstance(step, Send):
                outcome = self._send(request, key, within_s=step.within_s, into=into)
            else:
                time.sleep(step.for_s)
            try:
                step = talk.send((outcome, time.monotonic()))
            except StopIteration as end:
                answer: Answer = end.value
                protocol.check_accepted(request, answer)
                return answer

    def _send(
        self, request: ApiRequest, key: str, *, within_s: float, into: BinaryIO | None
    ) -> Answer | NoConnection | NoAnswerInTime:
        give_up_at = time.monotonic() + within_s
        arguments = wire.httpx_arguments(request, idempotency_key=key, within_s=within_s)
        try:
            with self._http.stream(request.method, self.base_url + request.path, **arguments) as response:
                body = wire.AnswerBody(request, response, into=into)
                for chunk in response.iter_bytes():
                    body.take(chunk)
                    if time.monotonic() > give_up_at:
                        return NoAnswerInTime()
                return body.answer()
        except httpx.HTTPError as error:
            return wire.outcome_of_error(error)
        except OSError:
            if into is not None:
                raise  # the disk that it is written to
            raise MediaNotReadable("the file could not be read") from None
