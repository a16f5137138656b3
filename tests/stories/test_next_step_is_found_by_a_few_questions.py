"""Story: Alice does not know where to begin.

1. On her phone, with the keyboard alone, she goes from the first page through five questions to a plan.
2. She ticks a step and prints the list. Her answers are in the address as signs; nothing is stored.
3. She keeps the plan in her case. Charlie sees nothing of it.
4. Somebody who may be under 18 is led away at once: nothing is computed and nothing is kept.
5. A letter to another site is written on her device. No word of it is sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote_plus

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from staydown.cli.visitor import Visitor
from tests.stories.conftest import OpenWindow
from tests.stories.people import open_case, registered
from tests.stories.serving import ServedDemo
from tests.web.harness import Harness

pytestmark = pytest.mark.browser
# Far more than any page here has to tab through.
MANY_TABS = 60
STORED = "[localStorage.length, sessionStorage.length]"
FOCUSED = """() => {
  const here = document.activeElement;
  const name = here.innerText || here.labels?.[0]?.innerText || '';
  return [here.localName, name.trim()];
}"""


@pytest.fixture
def wire(demo: ServedDemo) -> Iterator[Harness]:
    """A proxy before the demonstration, which keeps every request."""
    with Harness(upstream=demo.url) as running:
        yield running


def tab_to(page: Page, element: str, name: str = "") -> None:
    """Presses Tab until the focus is on an element whose words begin so."""
    for _ in range(MANY_TABS):
        page.keyboard.press("Tab")
        found, words = page.evaluate(FOCUSED)
        if found == element and words.startswith(name):
            return
    raise AssertionError(f"no {element} {name!r} is reached by Tab on {page.url}")


def press(page: Page, key: str) -> None:
    """Presses a key that leads to another page, and waits for it."""
    with page.expect_navigation():
        page.keyboard.press(key)


def answer(page: Page, heading: str, *, down: int) -> None:
    """Answers the question on the screen with the arrow keys, and sends it with Enter."""
    expect(page.locator("h1")).to_have_text(heading)
    tab_to(page, "input")
    page.keyboard.press("Space")
    for _ in range(down):
        page.keyboard.press("ArrowDown")
    press(page, "Enter")


def sent_words(wire: Harness) -> str:
    """All that was sent, as text, with what forms encode undone."""
    return " ".join(unquote_plus(request.raw.decode("latin-1")) for request in wire.requests)


def test_five_questions_by_keyboard_lead_to_a_plan_that_can_be_printed(
    demo: ServedDemo, phone: BrowserContext
) -> None:
    # Given Alice on the first page, with a keyboard alone
    page = phone.new_page()
    page.goto(demo.url)
    tab_to(page, "a", "Help me find the next step")
    press(page, "Enter")

    # When she answers four questions, goes back once, and chooses where she lives by typing
    answer(page, "Was anyone in the picture under 18?", down=0)
    answer(page, "Are you in danger now?", down=0)
    answer(page, "Where is the picture?", down=1)
    tab_to(page, "a", "Back")
    press(page, "Enter")
    answer(page, "Where is the picture?", down=2)
    answer(page, "What kind of picture is it?", down=2)
    expect(page.locator("h1")).to_have_text("Where do you live?")
    tab_to(page, "select")
    page.keyboard.type("Texas")
    tab_to(page, "button", "Next")
    press(page, "Enter")

    # Then her answers are signs in the address, and the plan fits them
    expect(page.locator("h1")).to_have_text("Your next steps")
    assert page.url == f"{demo.url}/steps?a=1.2.3.3.us-tx"
    headings = page.locator(".plan strong").all_inner_texts()
    assert headings[:2] == ["Do not argue with the person who shared it", "Keep what you know"]
    assert "Take it out of search results" in headings

    # When she ticks a step and prints
    tab_to(page, "input", "Keep what you know")
    page.keyboard.press("Space")
    assert page.locator("input[value=keep]").is_checked()
    page.evaluate("window.print = () => { document.title = 'printed'; }")
    tab_to(page, "button", "Print")
    page.keyboard.press("Enter")
    assert page.title() == "printed"
    page.emulate_media(media="print")

    # Then the paper has the steps and the addresses behind their links, and no navigation and no button
    assert page.locator(".plan > li").last.is_visible()
    assert page.get_by_text("https://stopncii.org", exact=False).first.is_visible()
    for gone in ("nav", "footer", ".leave-box", "button", ".skip"):
        assert not any(one.is_visible() for one in page.locator(gone).all()), gone

    # Then nothing of it is stored
    assert page.evaluate(STORED) == [0, 0]
    assert page.get_by_role("button", name="Keep this plan").count() == 0


def test_plan_is_kept_in_her_case_and_charlie_sees_nothing_of_it(
    demo: ServedDemo, window: OpenWindow, picture: Path
) -> None:
    # Given Alice's open case
    with Visitor(demo.url) as alice:
        receipt = registered(alice, picture.read_bytes())
    page = window().new_page()
    open_case(page, demo.url, receipt)

    # When she keeps her plan with a tick
    page.goto(demo.url + "/steps?a=1.2.1.1.us-tx")
    page.get_by_label("Keep what you know").check()
    page.get_by_role("button", name="Keep this plan in my case").click()

    # Then it is there when she comes back through her case
    page.goto(demo.url + "/case")
    page.get_by_role("link", name="Open the plan that you kept").click()
    assert page.get_by_label("Keep what you know").is_checked()
    assert not page.get_by_label("Register your pictures").is_checked()

    # Then Charlie gets the page that asks for a key, and with the same address a list without her tick
    charlie = window().new_page()
    charlie.goto(demo.url + "/case/plan")
    expect(charlie.get_by_role("heading", name="Open your case")).to_be_visible()
    charlie.goto(demo.url + "/steps?a=1.2.1.1.us-tx")
    assert not charlie.get_by_label("Keep what you know").is_checked()
    assert receipt.number not in charlie.content()


@pytest.mark.parametrize("script", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_somebody_who_may_be_under_18_is_led_away_and_nothing_is_computed_or_kept(
    wire: Harness, window: OpenWindow, script: bool
) -> None:
    # Given the first question
    page = window(java_script_enabled=script).new_page()
    page.goto(wire.url + "/steps")

    # When somebody is not sure
    page.get_by_label("Yes, or I am not sure").check()
    page.get_by_role("button", name="Next").click()
    page.wait_for_url("**/help/under-18")

    # Then the helpers for minors are shown, nothing was sent but the questions, and nothing is left behind
    assert page.get_by_role("link", name=re.compile("Take It Down")).first.is_visible()
    assert {request.method for request in wire.requests} == {"GET"}
    assert not any("worker" in request.target or ".wasm" in request.target for request in wire.requests)
    assert [cookie["name"] for cookie in page.context.cookies()] == []
    if script:
        assert page.evaluate(STORED) == [0, 0]

    # Then Back leads to the first question, with no answer in its form
    page.go_back()
    assert page.url.startswith(wire.url + "/steps")
    assert page.locator("input[name=a]").input_value() == ""


def test_letter_is_written_on_the_device_and_no_word_of_it_is_sent(
    wire: Harness, phone: BrowserContext, tmp_path: Path
) -> None:
    # Given the page of a channel
    page = phone.new_page()
    page.goto(wire.url + "/places/discord")
    expect(page.get_by_text("Nothing of it is sent to us or kept.")).to_be_visible()
    before = len(wire.requests)

    # When Alice writes her letter and saves it
    write_letter(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as a file").click()

    # Then it has the four things, its file's name says nothing, and no request went out
    letter = Path(download.value.path()).read_text()
    assert download.value.suggested_filename == "notes.txt"
    for word in ("https://somewhere.example/here", "I am in it", "quiet-alias@example.org", "Alice Quiet"):
        assert word in letter
    assert "in good faith" in letter
    assert len(wire.requests) == before


def test_control_without_javascript_the_letter_is_made_by_the_server_and_the_wire_shows_it(
    wire: Harness, window: OpenWindow
) -> None:
    # Given a browser without JavaScript, whose page does not promise what only a script can hold
    page = window(java_script_enabled=False).new_page()
    page.goto(wire.url + "/places/discord")
    expect(page.get_by_text("Nothing of it is sent to us or kept.")).to_be_hidden()
    assert "Without JavaScript the letter is made by our server" in page.content()

    # When Alice writes the same letter
    write_letter(page)

    # Then it stands on the page, and the watcher of the wire saw its words
    assert "Alice Quiet" in page.locator("#letter-text").input_value()
    assert "quiet-alias@example.org" in sent_words(wire)


def write_letter(page: Page) -> None:
    """Fills in the four things and presses the button."""
    page.fill("#location", "https://somewhere.example/here")
    page.fill("#statement", "I am in it")
    page.fill("#contact", "quiet-alias@example.org")
    page.fill("#signature", "Alice Quiet")
    page.get_by_role("button", name="Write the letter").click()
    expect(page.locator("#letter-text")).to_be_visible()
