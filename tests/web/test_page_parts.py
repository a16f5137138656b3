"""The small scripts of every page: the quick exit, local times, keeping a receipt."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.web.harness import Harness

pytestmark = pytest.mark.browser


@pytest.fixture
def parts(browser: Browser, harness: Harness) -> Iterator[Page]:
    context = browser.new_context(timezone_id="Europe/Berlin", accept_downloads=True)
    page = context.new_page()
    page.goto(f"{harness.url}/exit")
    page.goto(f"{harness.url}/parts")
    page.wait_for_load_state("load")
    yield page
    context.close()


def test_the_exit_link_replaces_this_page_in_the_history(parts: Page) -> None:
    length = parts.evaluate("history.length")

    parts.click("a[data-exit]")
    parts.wait_for_url("**/exit")

    assert parts.evaluate("history.length") == length


def test_shift_three_times_leaves_and_says_how_often_it_still_needs(parts: Page) -> None:
    parts.keyboard.press("Shift")
    assert parts.locator("a[data-exit] + p").inner_text() == "Two more."

    parts.keyboard.press("Shift")
    parts.keyboard.press("Shift")

    parts.wait_for_url("**/exit")


def test_typing_capital_letters_does_not_leave(parts: Page) -> None:
    parts.focus("#text")

    for letter in "ABCD":
        parts.keyboard.press(f"Shift+{letter}")

    assert parts.url.endswith("/parts")


def test_the_readers_own_time_is_added_beside_utc_and_bare_dates_stay(parts: Page) -> None:
    text = parts.locator("p:has(time)").inner_text()

    assert text.startswith("22 January 2026, 15:30 UTC (")
    assert "04:30 PM" in text
    assert text.endswith(", 22 January")


def test_the_receipt_is_saved_under_a_name_that_says_nothing(parts: Page) -> None:
    with parts.expect_download() as download:
        parts.click("[data-receipt-save]")

    assert download.value.suggested_filename == "notes.txt"
    assert Path(download.value.path()).read_text() == "Case C-ABCD-EFGH\nsix plain words\n"
    assert parts.locator("[data-receipt-status]").inner_text() == "Saved."


def test_the_receipt_can_be_copied(parts: Page) -> None:
    parts.context.grant_permissions(["clipboard-read", "clipboard-write"])

    parts.click("[data-receipt-copy]")

    assert parts.locator("[data-receipt-status]").inner_text() == "Copied."
    assert parts.evaluate("navigator.clipboard.readText()") == "Case C-ABCD-EFGH\nsix plain words"


def test_the_receipt_can_be_printed(parts: Page) -> None:
    parts.evaluate("window.print = () => { window.printed = true; }")

    parts.click("[data-receipt-print]")

    assert parts.evaluate("window.printed") is True
