"""Errors of the action stage.

ActionError
├── CopyNotFound             no such copy, or not this platform's
├── CopyTransitionRefused    the copy's state does not allow it
└── NoEndpoint               the platform has no webhook endpoint
"""

from __future__ import annotations

from staydown.action.terms import CopyAction, CopyState
from staydown.errors import StaydownError


class ActionError(StaydownError):
    """Base of the stage's errors."""


class CopyNotFound(ActionError):
    """No such copy, or it is another platform's."""


class CopyTransitionRefused(ActionError):
    """The copy's state does not allow this."""

    def __init__(self, *, state: CopyState, action: CopyAction) -> None:
        super().__init__(f"a copy that is {state} cannot be changed by {action}")
        self.state = state
        self.action = action


class NoEndpoint(ActionError):
    """The platform has no webhook endpoint, so it cannot be told."""
