"""Story: with a script, Alice's words are made on her phone, and no request ever carries them.

1. She registers a picture. Her phone makes seven words; only a key derived from them is sent.
2. She types them back from her paper. The page says which word is wrong, then that they are the same.
3. In her case she makes a recovery key, and keeps it elsewhere.
4. She loses the words, opens the case with the recovery key, and makes new words. The old ones open nothing.
5. A request that opens a case makes its words in the same way.
6. A loopback proxy keeps every request as raw bytes: no two words of any phrase stand in a row in one.
7. Without a script the server derives the key, so the words are sent: the same look catches them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote_plus

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from staydown.cli.visitor import Visitor
from tests.stories.conftest import OpenWindow
from tests.stories.people import (
    Receipt,
    choose_pictures,
    fill_in_request,
    forum_member,
    open_case,
    posted,
    receipt_on,
    register,
    registered,
)
from tests.stories.serving import ServedDemo
from tests.web.harness import Harness, RawRequest

pytestmark = pytest.mark.browser
KEPT = "I have kept it. Open my case"


@pytest.fixture
def wire(demo: ServedDemo) -> Iterator[Harness]:
    """The proxy before the demonstration."""
    with Harness(upstream=demo.url) as running:
        yield running


def telling(requests: Iterable[RawRequest], phrases: Iterable[str]) -> list[str]:
    """Which requests carry two words of a phrase in a row, however they are joined or escaped."""
    pairs = [
        re.compile(rf"{first}[^a-z]{{0,3}}{second}")
        for words in phrases
        for first, second in pairwise(words.split())
    ]
    found = []
    for request in requests:
        raw = request.raw.decode("latin-1").lower()
        if any(pair.search(text) for pair in pairs for text in (raw, unquote_plus(raw))):
            found.append(f"{request.method} {request.target}")
    return found


def kept_words(page: Page) -> Receipt:
    """The receipt on the page, once the device has filled its words in."""
    page.wait_for_selector("#key-phrase:not(:empty)")
    receipt = receipt_on(page)
    assert len(receipt.key_phrase.split()) == 7
    expect(
        page.get_by_text("These words were made on your device. They were not sent to us.")
    ).to_be_visible()
    return receipt


def press_once_loaded(page: Page, name: str) -> None:
    """Presses a button as a person would, later than the page's script came."""
    page.wait_for_load_state("load")
    page.get_by_role("button", name=name).click()


def say_kept(page: Page) -> None:
    """Says that the words are kept; then this tab forgets them, and the case is open."""
    assert page.evaluate("Object.values({...sessionStorage})") != []
    page.get_by_role("link", name=KEPT).click()
    page.wait_for_selector("text=What happened")
    assert page.evaluate("Object.values({...sessionStorage})") == []


def refused(page: Page, url: str, receipt: Receipt) -> None:
    """These words open nothing."""
    page.goto(url + "/case")
    page.fill("#number", receipt.number)
    page.fill("#key_phrase", receipt.key_phrase)
    page.get_by_role("button", name="Open", exact=True).click()
    expect(page.get_by_text("do not belong together")).to_be_visible()


def test_words_are_made_typed_back_lost_and_made_anew_and_no_request_carries_them(
    wire: Harness, phone: BrowserContext, window: OpenWindow, picture: Path
) -> None:
    # Given a receipt whose words were made on Alice's phone
    page = phone.new_page()
    first = register(page, wire.url, picture)
    assert kept_words(page) == first

    # When she types them back with one word wrong, then with one missing, then right
    page.get_by_text("Check what you wrote down").click()
    words = first.key_phrase.split()
    for typed, told in (
        ([*words[:2], "different", *words[3:]], "Word 3 is different. Look at it again."),
        (words[:6], "There should be 7 words; you typed 6."),
        ([word.upper() for word in words], "They are the same."),
    ):
        page.fill("#typed-back", "  ".join(typed))
        page.get_by_role("button", name="Compare").click()

        # Then the page says which it is
        expect(page.locator("[data-receipt-compared]")).to_have_text(told)

    # When she has kept them, and makes a recovery key in her case
    say_kept(page)
    page.get_by_role("link", name="Recovery key, or new words").click()
    press_once_loaded(page, "Make a recovery key")
    recovery = kept_words(page)

    # Then it is another phrase of the same case
    assert recovery.number == first.number
    assert recovery.key_phrase != first.key_phrase
    say_kept(page)

    # When she lost the first words, opens the case with the recovery key in a new window, and makes new ones
    other = window().new_page()
    other.goto(wire.url + "/case")
    other.fill("#number", recovery.number)
    other.fill("#key_phrase", recovery.key_phrase)
    other.get_by_role("button", name="Open", exact=True).click()
    expect(other.get_by_role("heading", name="What opens your case")).to_be_visible()
    press_once_loaded(other, "Make new words")
    second = kept_words(other)
    say_kept(other)

    # Then the new words and the recovery key open the case, and the lost ones nothing
    refused(window().new_page(), wire.url, first)
    open_case(window().new_page(), wire.url, second)

    # When she removes the recovery key
    other.get_by_role("link", name="Recovery key, or new words").click()
    other.get_by_role("button", name="Remove the recovery key").click()
    expect(other.get_by_role("button", name="Make a recovery key")).to_be_visible()

    # Then it opens nothing, and no request ever carried words; the keys were sent instead
    refused(window().new_page(), wire.url, recovery)
    phrases = [first.key_phrase, recovery.key_phrase, second.key_phrase]
    assert telling(wire.requests, phrases) == []
    keyed = [request.target for request in wire.requests if b"open_key=" in request.body]
    assert keyed == ["/register", "/case/keys", "/case", "/case/keys", "/case", "/case", "/case"]
    assert not any(b"key_phrase=" in request.body for request in wire.requests)


def test_request_that_opens_a_case_makes_its_words_on_the_device_too(
    demo: ServedDemo, wire: Harness, phone: BrowserContext, window: OpenWindow, picture: Path
) -> None:
    # Given a post of hers, and a request without a case
    with forum_member(demo.forum_url) as mara:
        post = posted(mara, picture.read_bytes())
    page = phone.new_page()
    page.goto(wire.url + "/request")
    fill_in_request(page, location=post)

    # When she sends it
    page.get_by_role("button", name="Send").click()

    # Then its receipt has words of her phone's making, and they open the case
    receipt = kept_words(page)
    open_case(window().new_page(), wire.url, receipt)
    assert telling(wire.requests, [receipt.key_phrase]) == []


def test_words_that_are_gone_from_the_tab_are_said_to_be_gone_and_new_ones_are_offered(
    demo: ServedDemo, phone: BrowserContext, picture: Path
) -> None:
    # Given a phone that loses what a tab kept between two pages
    page = phone.new_page()
    page.goto(demo.url + "/register")
    choose_pictures(page, picture)
    page.evaluate("Storage.prototype.getItem = () => null")
    page.add_init_script("Storage.prototype.getItem = () => null")

    # When she registers
    page.click("#send")

    # Then the receipt says that the words are not here, and leads to new ones
    expect(
        page.get_by_text("The words were made on this device, but they are not here any more.")
    ).to_be_visible()
    page.get_by_role("link", name="Make new words now").click()
    expect(page.get_by_role("button", name="Make new words")).to_be_visible()


def test_words_of_a_send_whose_answer_was_lost_are_shown_when_it_is_sent_again(
    demo: ServedDemo, phone: BrowserContext, window: OpenWindow, picture: Path
) -> None:
    # Given a registration that reached the server, and whose answer never came
    page = phone.new_page()
    page.goto(demo.url + "/register")
    choose_pictures(page, picture)

    def lose_the_answer(route: Route) -> None:
        if route.request.method == "POST":
            route.fetch()
            route.abort()
        else:
            route.continue_()

    page.route("**/register", lose_the_answer)
    with page.expect_event("requestfailed"):
        page.click("#send")
    page.unroute("**/register")

    # When Alice comes back to the page and sends what was kept there
    page.goto(demo.url + "/register")
    page.wait_for_selector("html[data-kernel]", state="attached")
    page.click("#use-kept")
    page.check("#adult-yes")
    page.click("#send")

    # Then nothing is stored twice, and the words of the first send are there and open the case
    expect(page.get_by_role("heading", name="This was sent already")).to_be_visible()
    receipt = kept_words(page)
    assert page.get_by_text("The key phrase was shown when it arrived.").is_hidden()
    open_case(window().new_page(), demo.url, receipt)

    # When this tab has forgotten them, and sends the page once more
    page.evaluate("sessionStorage.clear()")
    page.reload()

    # Then they are not shown again
    expect(page.get_by_text("The key phrase was shown when it arrived.")).to_be_visible()
    expect(page.locator("#key-phrase")).to_be_hidden()


def test_device_that_can_keep_nothing_gets_words_from_the_server(
    demo: ServedDemo, phone: BrowserContext, window: OpenWindow, picture: Path
) -> None:
    # Given a browser without storage
    page = phone.new_page()
    page.add_init_script(
        "Object.defineProperty(window, 'sessionStorage', {get() { throw new Error('none') }})"
    )

    # When Alice registers
    receipt = register(page, demo.url, picture)

    # Then she has words all the same, they open the case, and the page does not say that they were made here
    assert len(receipt.key_phrase.split()) == 7
    assert page.get_by_text("These words were made on your device").count() == 0
    open_case(window().new_page(), demo.url, receipt)


def test_control_without_a_script_the_words_are_sent_and_the_look_catches_them(
    demo: ServedDemo, wire: Harness, window: OpenWindow, paint: Callable[[str], Path]
) -> None:
    # Given a case with words that the server made, and a window without scripts
    with Visitor(demo.url) as alice:
        receipt = registered(alice, paint("plain.jpg").read_bytes())
    page = window(java_script_enabled=False).new_page()

    # When Alice opens her case
    open_case(page, wire.url, receipt)

    # Then it works, and the request with her words is caught
    assert telling(wire.requests, [receipt.key_phrase]) == ["POST /case"]
