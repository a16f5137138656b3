"""Errors of the cases stage.

CaseError
├── SubmissionRefused        what the device sent is not well formed; says which item and why
├── NothingToRegister        no item at all
├── TooManyItems             more than one send may carry
├── CaseIsWithdrawn          nothing can be added to a withdrawn case
├── RegistrationNotFound     not in this case
├── OutsideRequestNotFound   not in this case
├── TooManyOutsideRequests   more than one case may follow
└── SentInTheFuture          a request cannot have been sent later than now
"""

from __future__ import annotations

from staydown.errors import StaydownError


class CaseError(StaydownError):
    """Base of the stage's errors."""


class SubmissionRefused(CaseError):
    """What the device sent cannot be used. `item` counts from 1; 0 means the whole."""

    def __init__(self, reason: str, *, item: int = 0) -> None:
        super().__init__(f"item {item}: {reason}" if item else reason)
        self.reason = reason
        self.item = item


class NothingToRegister(CaseError):
    """The submission holds no item."""


class TooManyItems(CaseError):
    """The submission holds more items than one send may carry."""

    def __init__(self, *, found: int, allowed: int) -> None:
        super().__init__(f"{found} items; at most {allowed} can be sent at a time")
        self.found = found
        self.allowed = allowed


class CaseIsWithdrawn(CaseError):
    """Nothing can be added to a case after it was withdrawn."""


class RegistrationNotFound(CaseError):
    """This case holds no such registration."""


class OutsideRequestNotFound(CaseError):
    """This case follows no such request."""


class TooManyOutsideRequests(CaseError):
    """The case follows as many requests as one case may."""

    def __init__(self, *, allowed: int) -> None:
        super().__init__(f"at most {allowed} requests can be followed in one case")
        self.allowed = allowed


class SentInTheFuture(CaseError):
    """A request is said to have been sent later than now."""
