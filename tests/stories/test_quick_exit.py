"""Story: somebody comes into the room, and Alice leaves at once.

1. She presses "Leave this page now", or Shift three times.
2. A calendar is on the screen. Its title and address say nothing.
3. Back does not show her case, and her cookies are gone.
4. It works without JavaScript, too, and while fingerprints wait to be sent.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from staydown.cli.visitor import Visitor
from tests.stories.conftest import OpenWindow
from tests.stories.people import Receipt, choose_pictures, open_case, registered
from tests.stories.serving import ServedDemo

pytestmark = pytest.mark.browser


@pytest.fixture
def receipt(demo: ServedDemo, picture: Path) -> Receipt:
    """Alice's receipt."""
    with Visitor(demo.url) as alice:
        return registered(alice, picture.read_bytes())


def press_the_link(page: Page) -> None:
    page.get_by_role("link", name="Leave this page now").click()


def press_shift_three_times(page: Page) -> None:
    for _ in range(3):
        page.keyboard.press("Shift")


def assert_nothing_is_left(page: Page, receipt: Receipt) -> None:
    """The calendar is shown, the cookies are gone, and neither Back nor the case's address shows the case."""
    page.wait_for_url("**/calendar")
    assert page.title() == "Calendar"
    assert page.locator("table").is_visible()
    assert "staydown" not in page.content().lower()
    assert page.context.cookies() == []
    page.go_back()
    assert receipt.number not in page.content()
    page.goto(page.url.split("/", 3)[0] + "//" + page.url.split("/", 3)[2] + "/case")
    expect(page.get_by_role("heading", name="Open your case")).to_be_visible()


@pytest.mark.parametrize("leave", [press_the_link, press_shift_three_times])
def test_case_is_gone_at_once_and_for_good(
    demo: ServedDemo, phone: BrowserContext, receipt: Receipt, leave: Callable[[Page], None]
) -> None:
    # Given Alice's open case, and a page that she came from
    page = phone.new_page()
    page.goto(demo.url + "/calendar")
    open_case(page, demo.url, receipt)
    assert page.context.cookies() != []

    # When she leaves
    leave(page)

    # Then nothing is left
    assert_nothing_is_left(page, receipt)


def test_link_works_without_javascript(demo: ServedDemo, window: OpenWindow, receipt: Receipt) -> None:
    # Given Alice's open case in a browser without JavaScript
    page = window(java_script_enabled=False).new_page()
    open_case(page, demo.url, receipt)

    # When she leaves
    press_the_link(page)

    # Then the cookies are gone, and the case is closed on the server: Back asks it, and it knows of nothing
    page.wait_for_url("**/calendar")
    assert page.context.cookies() == []
    page.go_back()
    assert receipt.number not in page.content()


def test_fingerprints_that_wait_to_be_sent_do_not_stand_in_the_way(
    demo: ServedDemo, phone: BrowserContext, picture: Path
) -> None:
    # Given pictures that were chosen and not sent
    page = phone.new_page()
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.goto(demo.url + "/register")
    choose_pictures(page, picture)

    # When Alice leaves
    press_shift_three_times(page)

    # Then nothing asks her anything
    page.wait_for_url("**/calendar")
    assert asked == []


def test_link_stays_in_sight_on_a_long_page(
    demo: ServedDemo, phone: BrowserContext, receipt: Receipt
) -> None:
    # Given Alice's case, longer than her screen
    page = phone.new_page()
    open_case(page, demo.url, receipt)

    # When she reads to its end
    page.get_by_role("link", name="Withdraw everything").scroll_into_view_if_needed()
    assert page.evaluate("scrollY") > 100

    # Then the link is still there
    expect(page.get_by_role("link", name="Leave this page now")).to_be_in_viewport(ratio=1)


def test_capital_letters_are_not_taken_for_the_exit(demo: ServedDemo, phone: BrowserContext) -> None:
    # Given the page that opens a case
    page = phone.new_page()
    page.goto(demo.url + "/case")
    page.focus("#number")

    # When Alice types capital letters with Shift
    for letter in "CKMQ":
        page.keyboard.press(f"Shift+{letter}")

    # Then they stand in the field
    assert page.input_value("#number") == "CKMQ"
