"""Errors of the upload check.

StaydownError
    MatchApiError
        Refused    a request that is answered with a problem; carries it, and headers to send with it
        CallerGone the sender went away before the end of the body; nobody hears an answer
"""

from __future__ import annotations

from collections.abc import Mapping

from staydown.errors import StaydownError
from staydown.problem import Problem


class MatchApiError(StaydownError):
    """The base of what this door raises on purpose."""


class Refused(MatchApiError):
    """The request gets this problem as its answer."""

    def __init__(self, problem: Problem, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(problem.slug)
        self.problem = problem
        self.headers = dict(headers or {})


class CallerGone(MatchApiError):
    """The sender went away before the end of the body."""
