"""What a check answers when Staydown can't: the platform's declared choice, marked and logged."""

import logging

from staydown.client.errors import ClientMisconfigured, Unreachable
from staydown.client.terms import Action, CheckResult, OnUnreachable

logger = logging.getLogger("staydown.client")

_CHOICES = {"allow": Action.ALLOW, "hold": Action.HOLD}


def check_choice(on_unreachable: str, *, timeout_s: float) -> None:
    """Raise ClientMisconfigured unless the choice is "raise", "allow" or "hold" and there is time to wait."""
    if not timeout_s > 0:
        raise ClientMisconfigured("timeout_s must be more than 0")
    if on_unreachable != "raise" and on_unreachable not in _CHOICES:
        raise ClientMisconfigured('on_unreachable must be "raise", "allow" or "hold"')


def degraded_result(
    error: Unreachable, *, on_unreachable: OnUnreachable, content_id: str | None
) -> CheckResult:
    """The declared result, with a warning in the log; raises the error itself if that is the choice."""
    if on_unreachable == "raise":
        raise error
    action = _CHOICES[on_unreachable]
    logger.warning(
        "upload was not checked: %s after %d attempt(s); declared action: %s; content_id=%r",
        error.reason,
        error.attempts,
        action.value,
        content_id,
    )
    return CheckResult(action=action, degraded=True, degraded_reason=error.reason)
