"""Windows of people at the desk, and the time at this door."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth import get_user_model

from staydown.access.terms import Role
from staydown.desk import quarantine, requests, sign_in
from tests.staydown.conftest import a_staff_member
from tests.staydown.doors import Clock, Window

SignedIn = Callable[..., Window]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The time at the desk's door."""
    clock = Clock()
    for module in (quarantine, requests, sign_in):
        monkeypatch.setattr(module, "now_utc", clock)
    return clock


def window_of(staff_id: int) -> Window:
    """The window of a member of staff who has signed in."""
    window = Window()
    window.client.force_login(get_user_model().objects.get(pk=staff_id))
    return window


@pytest.fixture
def bobs(bob: int, clock: Clock) -> Window:
    """Bob's window: he reviews."""
    return window_of(bob)


@pytest.fixture
def dana(db: None, clock: Clock) -> Window:
    """The window of Dana, who reviews too."""
    return window_of(a_staff_member("dana"))


@pytest.fixture
def auditor(db: None, clock: Clock) -> Window:
    """The window of somebody who reads and never decides."""
    return window_of(a_staff_member("aud", role=Role.AUDITOR))


@pytest.fixture
def charlie(db: None, clock: Clock) -> Window:
    """Charlie's window: no account."""
    return Window()
