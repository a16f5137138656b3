"""How answers and problems go out: JSON with the right type, and nothing that a cache may keep."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Awaitable, Callable

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from staydown.match_api.errors import Refused
from staydown.match_api.refusals import defect
from staydown.problem import CONTENT_TYPE, Problem

logger = logging.getLogger(__name__)

Endpoint = Callable[[Request], Awaitable[Response]]
_NOT_KEPT = {"Cache-Control": "no-store"}


def json_answer(content: object, *, status: int = 200) -> Response:
    """The content as JSON."""
    return Response(
        msgspec.json.encode(content), status_code=status, media_type="application/json", headers=_NOT_KEPT
    )


def problem_answer(problem: Problem, *, headers: dict[str, str] | None = None) -> Response:
    """The problem as RFC 9457 says; without `detail` if it has none."""
    return Response(
        problem_bytes(problem),
        status_code=problem.status,
        media_type=CONTENT_TYPE,
        headers={**_NOT_KEPT, **(headers or {})},
    )


def problem_bytes(problem: Problem) -> bytes:
    """The problem object."""
    members = problem.as_dict()
    if not members["detail"]:
        del members["detail"]
    return msgspec.json.encode(members)


def log_defect(error: Exception, *, where: str) -> None:
    """Logs where an unanticipated error came from, without its message: that may hold what was sent."""
    frames = "".join(traceback.format_tb(error.__traceback__))
    logger.error("defect: %s in %s\n%s", type(error).__name__, where, frames)


def answering(endpoint: Endpoint) -> Endpoint:
    """The endpoint with every error turned into a problem; nothing reaches the server's own log."""

    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except Refused as refused:
            return problem_answer(refused.problem, headers=refused.headers)
        except ClientDisconnect:
            return Response(status_code=499)  # nobody hears it
        except Exception as error:
            log_defect(error, where=endpoint.__name__)
            return problem_answer(defect())

    return answer


async def no_such_door(request: Request, error: Exception) -> Response:
    """Unknown paths and methods, in the same shape as everything else."""
    if not isinstance(error, HTTPException):
        raise error
    titles = {404: ("not-found", "There is nothing here"), 405: ("method-not-allowed", "Method not allowed")}
    slug, title = titles.get(error.status_code, ("invalid-request", "The request is not valid"))
    problem = Problem(error.status_code, slug, title, "See /api/v1/openapi.json for what can be asked.")
    return problem_answer(problem, headers=dict(error.headers or {}))
