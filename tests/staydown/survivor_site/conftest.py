"""Alice's window and Charlie's, the time at this door, and a case of Alice's with her receipt."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import pytest

from staydown.access.terms import Receipt
from staydown.cases.queries import case_by_number
from staydown.cases.terms import SubmittedItem
from staydown.journeys.register_pictures import open_case_with_pictures
from staydown.survivor_site import doorway, urls
from tests.staydown.conftest import NOW, an_item
from tests.staydown.doors import Clock, Screen, Window


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The time at the survivor site's door."""
    clock = Clock()
    assert urls.urlpatterns  # every module with an address is imported by now
    for name, module in list(sys.modules.items()):
        if (
            name.startswith("staydown.survivor_site.")
            and name != doorway.__name__
            and hasattr(module, "now_utc")
        ):
            monkeypatch.setattr(module, "now_utc", clock)
    return clock


@pytest.fixture
def alice(db: None, clock: Clock) -> Window:
    """Alice's window."""
    return Window()


@pytest.fixture
def charlie(db: None, clock: Clock) -> Window:
    """Charlie's window, at another address."""
    return Window(REMOTE_ADDR="192.0.2.7")


@dataclass(frozen=True)
class AliceCase:
    """A case of Alice's and what she knows of it."""

    receipt: Receipt
    items: tuple[SubmittedItem, ...]

    @property
    def number(self) -> str:
        return self.receipt.number

    @property
    def registration_ids(self) -> list[str]:
        return [row.id for row in case_by_number(self.number).registrations]


@pytest.fixture
def her_case(db: None) -> AliceCase:
    """Two pictures in a case."""
    items = (an_item(), an_item())
    return AliceCase(receipt=open_case_with_pictures(items, now=NOW), items=items)


def open_with(window: Window, receipt: Receipt) -> Screen:
    """Opens a case in a window by its receipt."""
    return window.send("/case", number=receipt.number, key_phrase=receipt.key_phrase)
