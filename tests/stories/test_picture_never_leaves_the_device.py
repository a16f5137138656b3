"""Story: no byte of Alice's picture leaves her device, whatever she does with the live server.

1. A loopback proxy stands before the demonstration and keeps every request as raw bytes.
2. Alice chooses, looks at small pictures, sends, keeps the receipt, opens her case, adds a picture.
3. No piece of any picture is in any request: raw, hexadecimal, Base64 or percent-encoded.
4. A page turned against her is stopped by its policy; with the policy opened, the detector catches it.

`tests/web/test_wire.py` holds the parts one by one; this is the whole way, against the real server.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.stories.people import choose_pictures, receipt_on
from tests.stories.serving import ServedDemo
from tests.web.harness import Harness
from tests.web.test_wire import SABOTAGE, leaks

pytestmark = pytest.mark.browser


@pytest.fixture
def wire(demo: ServedDemo) -> Iterator[Harness]:
    """The proxy before the demonstration."""
    with Harness(upstream=demo.url) as running:
        yield running


def test_whole_way_from_choosing_to_adding_sends_no_byte_of_a_picture(
    wire: Harness, phone: BrowserContext, paint: Callable[[str], Path]
) -> None:
    # Given the registration page, and three pictures
    files = [paint(name) for name in ("first.jpg", "second.jpg", "third.jpg")]
    contents = [file.read_bytes() for file in files]
    page = phone.new_page()
    page.goto(wire.url + "/register")
    page.wait_for_selector("html[data-kernel]", state="attached")
    before = len(wire.requests)

    # When Alice chooses two and looks at them
    choose_pictures(page, files[0], files[1])
    page.get_by_role("button", name="Show small pictures").click()
    expect(page.locator("#file-list canvas")).to_have_count(2)
    page.get_by_text("See exactly what will be sent").click()

    # Then nothing was requested
    assert len(wire.requests) == before

    # When she sends, saves the receipt, opens her case and adds the third
    page.click("#send")
    page.wait_for_selector("#key-phrase")
    receipt = receipt_on(page)
    with page.expect_download():
        page.get_by_role("button", name="Save as a file").click()
    page.locator("main").get_by_role("link", name="Open my case").click()
    page.get_by_role("link", name="Add pictures").click()
    choose_pictures(page, files[2])
    page.click("#send")
    expect(page.get_by_text("registered: uploads are held")).to_have_count(3)

    # Then fingerprints were sent twice, in ordinary forms, and no byte or name of a picture at any time
    posts = [request for request in wire.requests if request.method == "POST"]
    assert [request.target for request in posts] == ["/register", "/case/add"]
    assert [len(json.loads(request.form()["fingerprints"])["items"]) for request in posts] == [2, 1]
    assert leaks(wire.requests, contents) == []
    assert not any(file.name.encode() in request.raw for request in wire.requests for file in files)

    # Then the words of the receipt went one way only: from the server to her
    words = receipt.key_phrase.encode()
    assert not any(words in request.raw for request in wire.requests)


def test_page_turned_against_her_is_stopped_by_its_policy(
    wire: Harness, phone: BrowserContext, picture: Path
) -> None:
    # Given a page whose script tries to send the file four ways
    page = phone.new_page()
    page.goto(wire.url + "/register")
    page.wait_for_selector("html[data-kernel]", state="attached")
    page.evaluate(SABOTAGE)
    wire.clear()

    # When Alice chooses a picture
    choose_pictures(page, picture)
    page.wait_for_timeout(1000)

    # Then nothing arrives
    assert wire.requests == []


def test_control_the_same_page_with_its_policy_opened_is_caught(
    demo: ServedDemo, phone: BrowserContext, picture: Path
) -> None:
    # Given the same page, and a policy that allows connections and pictures
    def opened(policy: str) -> str:
        return policy.replace("connect-src 'none'", "connect-src *").replace("img-src", "img-src 'self'")

    with Harness(upstream=demo.url, page_csp=opened) as wire:
        page = phone.new_page()
        page.goto(wire.url + "/register")
        page.wait_for_selector("html[data-kernel]", state="attached")
        page.evaluate(SABOTAGE)
        wire.clear()

        # When Alice chooses a picture
        choose_pictures(page, picture)
        page.wait_for_timeout(1500)
        caught = leaks(wire.requests, [picture.read_bytes()])

    # Then each of the four ways is caught
    assert {"POST /steal", "POST /beacon", "POST /xhr", "GET /pixel.png"} <= set(caught)
