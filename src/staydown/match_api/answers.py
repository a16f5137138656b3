"""How answers and problems go out: JSON with the right type, and nothing that a cache may keep."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
from starlette.types import Send

from staydown.match_api.errors import Refused
from staydown.problem import CONTENT_TYPE, Problem

logger = logging.getLogger(__name__)

_encode = msgspec.json.Encoder().encode
_NOT_KEPT = (b"cache-control", b"no-store")


@dataclass(slots=True)
class Answer:
    """What goes out. `headers` stand beside the type, the length and Cache-Control."""

    status: int
    body: bytes
    content_type: bytes = b"application/json"
    headers: tuple[tuple[bytes, bytes], ...] = ()

    async def send(self, send: Send) -> None:
        """Hands the answer to the server."""
        headers = [
            (b"content-type", self.content_type),
            (b"content-length", b"%d" % len(self.body)),
            _NOT_KEPT,
            *self.headers,
        ]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})


def json_answer(
    content: object, *, status: int = 200, headers: tuple[tuple[bytes, bytes], ...] = ()
) -> Answer:
    """The content as JSON."""
    return Answer(status, _encode(content), headers=headers)


def refusal_answer(refused: Refused) -> Answer:
    """The refusal's problem, with its headers."""
    return problem_answer(refused.problem, headers=refused.headers)


def problem_answer(problem: Problem, *, headers: Mapping[str, str] | None = None) -> Answer:
    """The problem as RFC 9457 says; without `detail` if it has none."""
    return Answer(problem.status, problem_bytes(problem), CONTENT_TYPE.encode(), header_pairs(headers or {}))


def header_pairs(headers: Mapping[str, str]) -> tuple[tuple[bytes, bytes], ...]:
    """The headers as the server takes them."""
    return tuple((name.lower().encode(), value.encode("latin-1")) for name, value in headers.items())


def problem_bytes(problem: Problem) -> bytes:
    """The problem object."""
    members = problem.as_dict()
    if not members["detail"]:
        del members["detail"]
    return _encode(members)


def log_defect(error: Exception, *, where: str) -> None:
    """Logs where an unanticipated error came from, without its message: that may hold what was sent."""
    frames = "".join(traceback.format_tb(error.__traceback__))
    logger.error("defect: %s in %s\n%s", type(error).__name__, where, frames)
