"""A window remembers one case for half an hour without a click, and which pages it has sent."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.backends.signed_cookies import SessionStore
from django.http import HttpRequest

from staydown.journeys.erase_case import erase_case
from staydown.journeys.register_pictures import open_case_with_pictures
from staydown.survivor_site import session
from tests.staydown.conftest import NOW, an_item

pytestmark = pytest.mark.django_db
ALICE, HERS = "C-A11C-E000", "C-A11C-E001"


@pytest.fixture
def window() -> Any:
    request = HttpRequest()
    request.session = SessionStore()
    return request


def test_window_has_no_case_until_one_is_opened(window: Any) -> None:
    assert session.open_case_number(window, now=NOW) is None

    session.remember_case(window, number=ALICE, now=NOW)

    assert session.open_case_number(window, now=NOW) == ALICE


def test_each_look_starts_the_half_hour_anew(window: Any, settings: Any) -> None:
    # Given
    assert timedelta(minutes=30) == settings.STAYDOWN_CASE_IDLE
    session.remember_case(window, number=ALICE, now=NOW)

    # When she looks at its last instant, then again at the last instant of the next half hour
    for halves in (1, 2):
        assert session.open_case_number(window, now=NOW + halves * timedelta(minutes=30)) == ALICE

    # Then an instant later it is closed, whatever the time is afterwards
    assert session.open_case_number(window, now=NOW + timedelta(minutes=90, microseconds=1)) is None
    assert session.open_case_number(window, now=NOW) is None


def test_closed_case_is_forgotten_and_closing_twice_is_nothing(window: Any) -> None:
    session.remember_case(window, number=ALICE, now=NOW)

    session.close_case(window)
    session.close_case(window)

    assert session.open_case_number(window, now=NOW) is None


def test_case_that_was_deleted_is_open_nowhere_any_more(window: Any) -> None:
    # Given a window with a case, and another case
    opened = [open_case_with_pictures([an_item()], now=NOW).number for _ in range(2)]
    session.remember_case(window, number=opened[0], now=NOW)

    # When the other is deleted, then this one, from another window
    for number, left in ((opened[1], opened[0]), (opened[0], None)):
        erase_case(case_number=number, now=NOW)

        # Then only its own end closes it here
        assert session.open_case_number(window, now=NOW) == left


def test_last_case_opened_is_the_one_that_is_open(window: Any) -> None:
    session.remember_case(window, number=ALICE, now=NOW)
    session.remember_case(window, number=HERS, now=NOW)

    assert session.open_case_number(window, now=NOW) == HERS


def test_page_that_was_sent_is_known_with_the_case_it_went_to(window: Any) -> None:
    session.remember_send(window, send_id="one", case_number=ALICE)

    assert session.case_of_send(window, "one") == ALICE
    assert session.case_of_send(window, "two") is None


def test_page_without_a_mark_was_never_sent_before(window: Any) -> None:
    session.remember_send(window, send_id="", case_number=ALICE)

    assert session.case_of_send(window, "") is None


def test_only_the_last_twenty_sends_are_remembered(window: Any) -> None:
    for number in range(25):
        session.remember_send(window, send_id=f"send {number}", case_number=ALICE)

    known = [number for number in range(25) if session.case_of_send(window, f"send {number}")]
    assert known == list(range(5, 25))
