"""WSGI middleware: an upload is checked before the application sees the request, and passed on unchanged.

It refuses what it cannot read with certainty (400), what is too large (413), and what nobody could check
(503). A body over 1 MB lies in a temporary file.

    application = StaydownMiddleware(application, Staydown(url, token, on_unreachable="hold"))
"""

import http
from collections.abc import Callable, Iterable
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, cast

from staydown.client.errors import ClientError, FormRefused, RequestRefused, UploadTooLarge
from staydown.client.multipart import BLOCK_BYTES
from staydown.client.refusals import answer_of, log_refusal, problem_of, problem_of_upload
from staydown.client.sync_client import Staydown
from staydown.client.uploads import (
    SPOOL_BYTES,
    CheckedUpload,
    Judgement,
    UploadHeaders,
    UploadRules,
    files_in,
    is_checked,
)
from staydown.problem import Problem

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]
RESULTS = "staydown.results"


class StaydownMiddleware:
    """Wraps a WSGI application. See `UploadRules` for what can be chosen.

    The application finds a CheckedUpload as ``environ["staydown.results"]`` in each request that was looked
    at, with what is held and what is degraded. `blocked` is an application that answers in place of the 451
    problem; it finds the same.
    """

    def __init__(
        self,
        application: Application,
        staydown: Staydown,
        *,
        rules: UploadRules | None = None,
        blocked: Application | None = None,
    ) -> None:
        self._application = application
        self._staydown = staydown
        self._rules = rules or UploadRules()
        self._blocked = blocked

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        path = (environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")).encode("latin-1")
        if not is_checked(
            self._rules, method=environ["REQUEST_METHOD"], path=path.decode("utf-8", "replace")
        ):
            return self._application(environ, start_response)
        body = cast(BinaryIO, SpooledTemporaryFile(max_size=SPOOL_BYTES))  # noqa: SIM115 (see _Answer)
        try:
            upload, size_bytes = self._checked(environ, body)
        except ClientError as error:
            body.close()
            log_refusal(error)
            return _answer(start_response, problem_of(error))
        except BaseException:
            body.close()
            raise
        body.seek(0)
        environ = {**environ, "wsgi.input": body, "CONTENT_LENGTH": str(size_bytes), RESULTS: upload}
        # The body is whole now, and no longer in pieces.
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        problem = problem_of_upload(upload, self._rules)
        if problem is None:
            return _Answer(self._application, environ, start_response, body)
        if problem.status == 451 and self._blocked is not None:
            return _Answer(self._blocked, environ, start_response, body)
        body.close()
        return _answer(start_response, problem)

    def _checked(self, environ: Environ, body: BinaryIO) -> tuple[CheckedUpload, int]:
        headers = _headers(environ)
        headers.check(self._rules)
        size_bytes = self._read(environ, headers, body)
        judgement = Judgement(self._rules)
        for file in files_in(body, size_bytes, headers, self._rules):
            try:
                judgement.add(file, self._staydown.check(cast(BinaryIO, file.content)))
            except RequestRefused as refusal:
                judgement.add_refusal(file, refusal)
            if judgement.is_decided:
                break
        return judgement.upload(), size_bytes

    def _read(self, environ: Environ, headers: UploadHeaders, body: BinaryIO) -> int:
        """The body into the file; returns its size. Without a length only where the server marks its end."""
        told = int(headers.content_length[0]) if headers.content_length else None
        if told is None and not environ.get("wsgi.input_terminated"):
            if headers.transfer_encoding:
                raise FormRefused("it comes in pieces, and this server does not say where it ends")
            return 0
        limit = self._rules.max_bytes + 1 if told is None else told
        size_bytes = 0
        while size_bytes < limit:
            piece = environ["wsgi.input"].read(min(BLOCK_BYTES, limit - size_bytes))
            if not piece:
                break
            body.write(piece)
            size_bytes += len(piece)
        if told is None and size_bytes > self._rules.max_bytes:
            raise UploadTooLarge(max_bytes=self._rules.max_bytes)
        if told is not None and size_bytes < told:
            raise FormRefused("it is shorter than it says")
        return size_bytes


class _Answer:
    """The application's answer; when the server closes it, the body goes too."""

    def __init__(
        self, application: Application, environ: Environ, start_response: StartResponse, body: BinaryIO
    ) -> None:
        self._body = body
        try:
            self._answer = application(environ, start_response)
        except BaseException:
            body.close()
            raise

    def __iter__(self) -> Any:
        return iter(self._answer)

    def close(self) -> None:
        try:
            if hasattr(self._answer, "close"):
                self._answer.close()
        finally:
            self._body.close()


def _headers(environ: Environ) -> UploadHeaders:
    def given(name: str) -> list[str]:
        return [environ[name]] if environ.get(name) else []

    return UploadHeaders(
        content_type=given("CONTENT_TYPE"),
        content_encoding=given("HTTP_CONTENT_ENCODING"),
        content_length=given("CONTENT_LENGTH"),
        transfer_encoding=given("HTTP_TRANSFER_ENCODING"),
    )


def _answer(start_response: StartResponse, problem: Problem) -> list[bytes]:
    headers, body = answer_of(problem)
    start_response(f"{problem.status} {http.HTTPStatus(problem.status).phrase}", headers)
    return [body]
