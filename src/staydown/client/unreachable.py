"""What a check answers when Staydown can't: the edge bank or else the declared choice, marked and logged.

It never decides by itself: without an edge bank and without a declared choice the error goes on.
"""

import logging
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from staydown.client.errors import ClientMisconfigured, EdgeError, Unreachable
from staydown.client.media import Computed
from staydown.client.terms import Action, CheckResult, OnUnreachable

logger = logging.getLogger("staydown.client")

_CHOICES = {"allow": Action.ALLOW, "hold": Action.HOLD}


class StandIn(Protocol):
    """What answers without the network: an `EdgeBank`."""

    def answer(self, media: bytes | BinaryIO | Computed) -> CheckResult:
        """A degraded result. Raises EdgeError if it can't be given."""


def check_budget(timeout_ms: float) -> None:
    """Raise ClientMisconfigured unless there is time to wait."""
    if not timeout_ms > 0:
        raise ClientMisconfigured("timeout_ms must be more than 0")


@dataclass(frozen=True, slots=True)
class Fallback:
    """What a platform declared for the time in which Staydown does not answer.

    Raises ClientMisconfigured unless `on_unreachable` is "raise", "allow" or "hold".
    """

    on_unreachable: OnUnreachable
    edge: StandIn | None = None

    def __post_init__(self) -> None:
        if self.on_unreachable != "raise" and self.on_unreachable not in _CHOICES:
            raise ClientMisconfigured('on_unreachable must be "raise", "allow" or "hold"')

    @property
    def wish(self) -> str | None:
        """What the server is asked to answer if it can't check; None leaves it to answer 429 or 503."""
        return None if self.on_unreachable == "raise" else self.on_unreachable

    def for_error(
        self, error: Unreachable, media: bytes | BinaryIO | Computed, *, content_id: str | None
    ) -> CheckResult:
        """The result in place of an answer that did not come; the error itself if there is no other way."""
        result = self._edge_result(media)
        if result is None:
            if self.on_unreachable == "raise":
                raise error
            result = CheckResult(
                action=_CHOICES[self.on_unreachable], degraded=True, degraded_reason=error.reason
            )
        logger.warning(
            "upload was not checked: %s after %d attempt(s); %s action: %s; content_id=%r",
            error.reason,
            error.attempts,
            _chosen_by(result),
            result.action.value,
            content_id,
        )
        return result

    def for_answer(
        self, result: CheckResult, media: bytes | BinaryIO | Computed, *, content_id: str | None
    ) -> CheckResult:
        """The server's own answer; one that says that it could not check is logged, after asking the edge."""
        if not result.degraded:
            return result
        told = result.degraded_reason
        result = self._edge_result(media) or result
        logger.warning(
            "upload was not checked: the server says %s; %s action: %s; content_id=%r",
            told,
            _chosen_by(result),
            result.action.value,
            content_id,
        )
        return result

    def _edge_result(self, media: bytes | BinaryIO | Computed) -> CheckResult | None:
        """What the edge bank says; None if there is none or it can't say anything, which is logged."""
        if self.edge is None:
            return None
        try:
            return self.edge.answer(media)
        except EdgeError as error:
            logger.warning("the edge bank gave no answer: %s", type(error).__name__)
            return None


def _chosen_by(result: CheckResult) -> str:
    return "the edge bank's" if result.degraded_reason == "edge" else "declared"
