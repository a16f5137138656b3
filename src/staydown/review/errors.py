"""Errors of the review stage.

ReviewError
├── ClaimedBySomebodyElse   another reviewer works on it
├── NotClaimedByYou         claim it first, or your claim has ended
├── DecisionAlreadyFinal    it was decided before
└── ReasonMissing           a refusal without a reason
"""

from __future__ import annotations

from staydown.errors import StaydownError


class ReviewError(StaydownError):
    """Base of the stage's errors."""


class ClaimedBySomebodyElse(ReviewError):
    """Another reviewer works on this request."""


class NotClaimedByYou(ReviewError):
    """A decision needs a live claim of the reviewer who makes it."""


class DecisionAlreadyFinal(ReviewError):
    """This request was decided before."""


class ReasonMissing(ReviewError):
    """A request is not refused without saying why."""
