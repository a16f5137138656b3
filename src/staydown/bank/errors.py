"""Errors of the bank stage.

BankError
└── EntryNotFound   no such entry
"""

from __future__ import annotations

from staydown.errors import StaydownError


class BankError(StaydownError):
    """Base of the stage's errors."""


class EntryNotFound(BankError):
    """No such entry."""
