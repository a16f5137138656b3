"""Story: Alice's connection is lost, and her work is not.

1. The page is loaded, and the connection goes. Fingerprints are made all the same.
2. She sends: the page says that there is no connection, that nothing was sent, and that her work is kept.
3. The connection is back, but the server is gone: the browser shows a page of its own.
4. The server is back. She opens the page again in the same tab, gets her fingerprints back, and sends them.
5. With the receipt on the screen, nothing is kept in the tab any more.
6. If she leaves by the exit instead, nothing is kept either; nor if she says "No, or not sure".
"""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Error, Page, expect

from tests.stories.people import choose_pictures, gate, receipt_on
from tests.stories.serving import ServedDemo
from tests.web.harness import Harness

pytestmark = pytest.mark.browser


def kept_in_the_tab(page: Page) -> int:
    """How many characters of work the tab keeps (web/kept-work.js)."""
    return int(page.evaluate("(sessionStorage.getItem('n') ?? '').length"))


def send_in_vain(page: Page) -> None:
    """Presses the button while nobody listens; the browser shows a page of its own."""
    with page.expect_event("requestfailed"):
        page.click("#send", no_wait_after=True)
    page.wait_for_timeout(300)


def send_to_nobody(page: Page, demo: ServedDemo, picture: Path) -> int:
    """Fingerprints are made and sent while the server goes away; returns the port it was on."""
    with Harness(upstream=demo.url) as wire:
        page.goto(wire.url + "/register")
        choose_pictures(page, picture)
        port = wire.server.server_port
    send_in_vain(page)
    return port


def test_work_is_kept_until_the_receipt_is_there(
    demo: ServedDemo, phone: BrowserContext, picture: Path
) -> None:
    # Given fingerprints that were made after the connection was lost
    page = phone.new_page()
    with Harness(upstream=demo.url) as wire:
        port = wire.server.server_port
        page.goto(wire.url + "/register")
        page.wait_for_selector("html[data-kernel]", state="attached")
        phone.set_offline(True)
        choose_pictures(page, picture)

        # When Alice sends them
        page.click("#send")

        # Then she is told, nothing left, and the work is on the page
        expect(page.get_by_text("There is no connection now. Nothing was sent.")).to_be_visible()
        assert [request.method for request in wire.requests if request.method == "POST"] == []
        expect(page.locator("#send")).to_be_enabled()
        phone.set_offline(False)
        expect(page.get_by_text("You are connected again.")).to_be_visible()

    # When she sends again, and the server is gone
    send_in_vain(page)

    # Then, as soon as it is back, the page offers her work again in this tab, and sends it when she says so
    with Harness(upstream=demo.url, port=port) as wire:
        page.goto(f"{wire.url}/register")
        expect(page.get_by_text("no answer came")).to_be_visible()
        page.click("#use-kept")
        expect(page.get_by_text("Your fingerprints are back. Ready to send: 1.")).to_be_visible()
        page.check("#adult-yes")
        page.click("#send")
        page.wait_for_selector("#key-phrase")
        assert receipt_on(page).number.startswith("C-")
        assert gate(demo.url, demo.secrets.token, picture.read_bytes()) == 202

        # Then nothing is kept in the tab any more
        assert kept_in_the_tab(page) == 0
        page.goto(f"{wire.url}/register")
        expect(page.locator("#kept")).to_be_hidden()


@pytest.mark.parametrize("way", ["removes it", "leaves by the exit", "says no or not sure"])
def test_work_without_an_answer_is_gone_when_she(
    demo: ServedDemo, phone: BrowserContext, picture: Path, way: str
) -> None:
    # Given work that was sent to nobody, and the server back
    page = phone.new_page()
    port = send_to_nobody(page, demo, picture)
    with Harness(upstream=demo.url, port=port) as wire:
        page.goto(f"{wire.url}/register")
        expect(page.locator("#kept")).to_be_visible()
        assert kept_in_the_tab(page) > 1000

        # When Alice does one of these
        if way == "removes it":
            page.click("#forget-kept")
        elif way == "leaves by the exit":
            page.click("a[data-exit]")
            page.wait_for_load_state()
            try:
                page.goto(f"{wire.url}/register")
            except Error:  # the exit's own way to another site, which no test reaches, was still under way
                page.goto(f"{wire.url}/register")
        else:
            page.click("#adult-no")
            page.wait_for_url("**/help/under-18")

        # Then nothing is kept
        assert kept_in_the_tab(page) == 0
