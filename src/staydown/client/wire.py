"""What both clients tell httpx, and what they make of its errors; the only module that knows httpx's names.

It follows no redirect (the token would travel with it), asks for no compression, and reads no endless answer.
"""

from typing import Any

import httpx

import staydown
from staydown.client.conversation import NoAnswerInTime, NoConnection
from staydown.client.errors import AnswerNotUnderstood, ClientMisconfigured
from staydown.client.protocol import Answer, ApiRequest

# Connecting takes milliseconds where it works at all; 2 s leaves time for another attempt in a usual budget.
LONGEST_CONNECT_S = 2.0
# A check answer is some hundred bytes a match; more than this is not an answer of ours.
LARGEST_ANSWER_BYTES = 1024 * 1024


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
        "headers": {"Idempotency-Key": idempotency_key},
        "timeout": httpx.Timeout(within_s, connect=min(within_s, LONGEST_CONNECT_S)),
        "follow_redirects": False,
    }
    if request.json_body is not None:
        arguments["content"] = request.json_body
        arguments["headers"]["Content-Type"] = "application/json"
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


def check_answer_size(size_bytes: int, *, status: int) -> None:
    if size_bytes > LARGEST_ANSWER_BYTES:
        raise AnswerNotUnderstood("the body is too large", status=status)


def answer_of(response: httpx.Response, body: bytes) -> Answer:
    return Answer(status=response.status_code, body=body, retry_after=response.headers.get("retry-after"))
