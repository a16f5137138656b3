"""Errors of the notices stage.

NoticeError
├── ElementsMissing          one or more of the four elements; carries which
├── NotOnThisPlatform        an address that no platform of this installation owns
├── AddressNotUnderstood     not an http(s) address at all
├── TooManyAddresses         more than one request may name
├── TextTooLong              an element is longer than we keep
├── NoticeNotFound           no such request
└── TransitionRefused        the state does not allow it
"""

from __future__ import annotations

from collections.abc import Sequence

from staydown.errors import StaydownError
from staydown.notices.terms import Element, NoticeAction, NoticeState


class NoticeError(StaydownError):
    """Base of the stage's errors."""


class ElementsMissing(NoticeError):
    """Elements that the Act asks for are missing; each can be added in one step."""

    def __init__(self, missing: Sequence[Element]) -> None:
        super().__init__("missing: " + ", ".join(missing))
        self.missing = tuple(missing)


class NotOnThisPlatform(NoticeError):
    """The address belongs to no platform of this installation. `position` counts from 1."""

    def __init__(self, position: int) -> None:
        super().__init__(f"address {position} is on another site")
        self.position = position


class AddressNotUnderstood(NoticeError):
    """Not an http or https address. `position` counts from 1."""

    def __init__(self, position: int) -> None:
        super().__init__(f"address {position} is not a web address")
        self.position = position


class TooManyAddresses(NoticeError):
    """More addresses than one request may name."""

    def __init__(self, *, found: int, allowed: int) -> None:
        super().__init__(f"{found} addresses; at most {allowed} belong in one request")
        self.found = found
        self.allowed = allowed


class TextTooLong(NoticeError):
    """An element is longer than we keep."""

    def __init__(self, element: Element, *, allowed: int) -> None:
        super().__init__(f"{element} is longer than {allowed} characters")
        self.element = element
        self.allowed = allowed


class NoticeNotFound(NoticeError):
    """No such request."""


class TransitionRefused(NoticeError):
    """The request's state does not allow this."""

    def __init__(self, *, state: NoticeState, action: NoticeAction) -> None:
        super().__init__(f"a request that is {state} cannot be changed by {action}")
        self.state = state
        self.action = action
