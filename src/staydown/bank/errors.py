"""Errors of the bank stage.

BankError
├── EntryNotFound           no such entry
├── FloodNotFound           no such flood, or its entry was withdrawn
├── FloodIsOver             the entry was put back, or withdrawn, in the meantime
└── FloodReasonDoesNotFit   the reason is missing, or belongs to the other decision
"""

from __future__ import annotations

from staydown.errors import StaydownError


class BankError(StaydownError):
    """Base of the stage's errors."""


class EntryNotFound(BankError):
    """No such entry."""


class FloodNotFound(BankError):
    """No such flood."""


class FloodIsOver(BankError):
    """The entry was put back, or its person withdrew it, in the meantime."""


class FloodReasonDoesNotFit(BankError):
    """The reason is missing, or belongs to the other decision."""
