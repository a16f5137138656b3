"""What both clients tell httpx, and what they make of its errors; the only module that knows httpx's names.

It follows no redirect (the token would travel with it), asks for no compression, and reads no endless answer.
"""

import io
from typing import Any, BinaryIO

import httpx

import staydown
from staydown.client.conversation import NoAnswerInTime, NoConnection
from staydown.client.errors import AnswerNotUnderstood, ClientMisconfigured
from staydown.client.protocol import Answer, ApiRequest

# Connecting takes milliseconds where it works at all; 2 s leaves time for another attempt in a usual budget.
LONGEST_CONNECT_S = 2.0
# Connections are kept for the next upload, a second less than uvicorn keeps them (5 s): one that the server
# is just closing would cost an attempt. 100 at most, 20 of them idle, are httpx's own figures.
LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=4.0)


def common_headers(token: str) -> dict[str, str]:
    if not token or not token.isascii() or any(character.isspace() for character in token):
        raise ClientMisconfigured("the token must be a non-empty ASCII string without spaces")
    return {
        "Authorization": f"Bearer {token}",
        "Accept": "application/json, application/problem+json",
        "Accept-Encoding": "identity",
        "User-Agent": f"staydown-python/{getattr(staydown, '__version__', '0')}",
    }


def httpx_arguments(request: ApiRequest, *, idempotency_key: str, within_s: float) -> dict[str, Any]:
    """Keyword arguments for ``httpx.Client.stream`` beside method and URL."""
    arguments: dict[str, Any] = {
        "headers": {"Idempotency-Key": idempotency_key, **dict(request.headers)},
        "timeout": httpx.Timeout(within_s, connect=min(within_s, LONGEST_CONNECT_S)),
        "follow_redirects": False,
    }
    if request.json_body is not None:
        arguments["content"] = request.json_body
        arguments["headers"]["Content-Type"] = request.content_type
    elif request.media is not None:
        # httpx sends a file from its beginning each time, wherever its position is.
        arguments["files"] = {"media": ("upload", request.media, "application/octet-stream")}
        arguments["data"] = dict(request.fields)
    return arguments


def outcome_of_error(error: httpx.HTTPError) -> NoConnection | NoAnswerInTime:
    """What an httpx error means for the conversation; raises AnswerNotUnderstood for a broken answer."""
    if isinstance(error, httpx.ReadTimeout | httpx.WriteTimeout):
        return NoAnswerInTime()
    if isinstance(error, httpx.UnsupportedProtocol | httpx.LocalProtocolError):
        raise ClientMisconfigured(f"the request cannot be sent: {type(error).__name__}") from None
    if isinstance(error, httpx.TransportError):
        # Also a connection that broke half way: with an Idempotency-Key, sending again is safe.
        return NoConnection()
    raise AnswerNotUnderstood(f"broken answer ({type(error).__name__})", status=0) from None


class AnswerBody:
    """The body of one answer as it comes in: kept in memory, or written into a file that was given.

    Raises AnswerNotUnderstood as soon as it is larger than the request allows.
    """

    def __init__(
        self, request: ApiRequest, response: httpx.Response, *, into: BinaryIO | None = None
    ) -> None:
        self._request, self._response = request, response
        self._size_bytes = 0
        self._memory = io.BytesIO()
        self._target: BinaryIO = self._memory
        if into is not None and response.status_code == 200:
            # An attempt before this one may have written half of it.
            into.seek(0)
            into.truncate()
            self._target = into

    def take(self, chunk: bytes) -> None:
        """The next piece."""
        self._size_bytes += len(chunk)
        if self._size_bytes > self._request.largest_answer_bytes:
            raise AnswerNotUnderstood("the body is too large", status=self._response.status_code)
        self._target.write(chunk)

    def answer(self) -> Answer:
        """The whole answer; its body is empty if it was written into a file."""
        response = self._response
        return Answer(response.status_code, self._memory.getvalue(), response.headers.get("retry-after"))
