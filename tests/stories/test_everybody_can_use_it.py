"""Story: Alice reads Arabic or Spanish, has no mouse, sees little, or has switched scripts off. It works.

1. She chooses her language with one press, without a script; it holds until she leaves.
2. In Arabic every page of the main path runs from right to left, nothing is cut off, axe-core finds nothing.
3. With the keyboard alone, everything twice as large, dark and without motion, she goes from the start page
   to her receipt, her case and a request, and leaves. Nothing she meets takes the focus out of sight.
4. Without JavaScript she does everything but the work on the device: plan, help, request, case, proof, end.
5. No page asks any other server for anything.

STAYDOWN_SHOTS=FOLDER keeps pictures of the Arabic pages.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, FileChooser, Page, expect

from staydown.cli.visitor import Visitor
from tests.stories.conftest import OpenWindow
from tests.stories.people import fill_in_request, open_case, posted, registered
from tests.stories.people import forum_member as joined
from tests.stories.serving import ServedDemo
from tests.stories.test_depicted_person_registers_pictures import chooser_by_key, tab_to
from tests.stories.test_pages_are_accessible import PHONE, TWICE_AS_LARGE, sideways, structure, violations

pytestmark = pytest.mark.browser
PAGES = [
    *("/", "/steps", "/register", "/request", "/case", "/places", "/options", "/help", "/help/friends"),
    *(
        "/help/schools",
        "/help/under-18",
        "/how-it-works",
        "/how-it-works/check",
        "/safety",
        "/calendar",
        "/nowhere",
    ),
]
MAIN_PATH = ["/", "/steps", "/register", "/request", "/help", "/help/under-18", "/safety", "/case"]


@contextmanager
def asked_servers(context: BrowserContext) -> Iterator[set[str]]:
    """The servers that a window's pages ask for anything, by host and port."""
    found: set[str] = set()
    context.on("request", lambda request: found.add(urlsplit(request.url).netloc))
    yield found


def test_no_page_asks_another_server_for_anything(
    demo: ServedDemo, window: OpenWindow, picture: Path
) -> None:
    # Given a case, and a window that notes every request
    with Visitor(demo.url) as alice:
        receipt = registered(alice, picture.read_bytes())
    context = window()
    with asked_servers(context) as asked:
        page = context.new_page()

        # When every page is opened, also those of a case
        for path in PAGES:
            page.goto(demo.url + path, wait_until="networkidle")
        open_case(page, demo.url, receipt)
        for path in ("/case/add", "/case/keys", "/case/erase", "/case/elsewhere", "/case/withdraw/all"):
            page.goto(demo.url + path, wait_until="networkidle")

        # Then only this server was asked; and the note would tell of another
        assert asked == {urlsplit(demo.url).netloc}
        page.goto(demo.forum_url)
        assert urlsplit(demo.forum_url).netloc in asked


def test_language_is_chosen_without_a_script_and_forgotten_on_leaving(
    demo: ServedDemo, window: OpenWindow
) -> None:
    # Given a phone without JavaScript that asks for English
    context = window(java_script_enabled=False, locale="en-US")
    page = context.new_page()
    page.goto(demo.url + "/help/under-18")

    # When Alice presses "Español"
    page.get_by_role("button", name="Español").click()

    # Then she is on the same page, in Spanish, and the next one is in Spanish too
    assert page.url.endswith("/help/under-18")
    expect(page.locator("html")).to_have_attribute("lang", "es")
    expect(page.get_by_role("heading", level=1)).to_have_text("Alguien tenía menos de 18 años, o no lo sabes")
    page.goto(demo.url + "/request")
    expect(page.get_by_role("heading", level=1)).to_have_text("Pedir que la quiten")

    # When she leaves, then nothing of it is kept
    page.get_by_role("link", name="Salir de esta página ahora").click()
    page.wait_for_url("**/calendar")
    assert context.cookies() == []


def test_arabic_runs_from_right_to_left_on_the_main_path(
    demo: ServedDemo, window: OpenWindow, picture: Path
) -> None:
    # Given a phone that asks for Arabic, and an open case
    with Visitor(demo.url) as alice:
        receipt = registered(alice, picture.read_bytes())
    page = window(locale="ar").new_page()
    page.goto(demo.url + "/case")
    page.fill("#number", receipt.number)
    page.fill("#key_phrase", receipt.key_phrase)
    page.locator("main form button").first.click()
    page.wait_for_selector(".pictures")

    # Then each page is mirrored, its own digits and numbers stay readable, and nothing is found wrong
    wrong = []
    for path in MAIN_PATH:
        page.goto(demo.url + path)
        name = "ar-" + (path.strip("/").replace("/", "-") or "start")
        assert page.locator("html").get_attribute("dir") == "rtl", path
        wrong += [f"{name}: {what}" for what in [*structure(page), *violations(page)]]
        for viewport in (PHONE, TWICE_AS_LARGE):
            page.set_viewport_size(viewport)  # type: ignore[arg-type]
            if sideways(page) > 0:
                wrong.append(f"{name}: too wide at {viewport['width']}")
        page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        if folder := os.environ.get("STAYDOWN_SHOTS"):
            page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
    assert not wrong, "\n".join(wrong)
    assert receipt.number in page.inner_text("h1")
    assert page.evaluate("getComputedStyle(document.querySelector('main h1')).direction") == "rtl"
    brand = page.locator(".brand").bounding_box()
    assert brand is not None
    assert brand["x"] > PHONE["width"] / 2, "the brand did not change sides"


def focus_is_in_sight(page: Page) -> bool:
    """Whether what has the focus is on the screen and not under the exit."""
    return bool(
        page.evaluate("""() => {
          const box = document.activeElement.getBoundingClientRect();
          return box.bottom > 0 && box.top < innerHeight && box.width >= 1 && box.height >= 1;
        }""")
    )


def press(page: Page, selector: str, key: str = "Enter") -> None:
    """Goes to an element with Tab and presses a key on it."""
    tab_to(page, selector)
    assert focus_is_in_sight(page), f"{selector} has the focus and cannot be seen"
    page.keyboard.press(key)


def type_into(page: Page, selector: str, text: str) -> None:
    """Goes to a field with Tab and types."""
    tab_to(page, selector)
    page.keyboard.type(text)


def test_keyboard_alone_twice_as_large_dark_and_still(
    demo: ServedDemo, window: OpenWindow, picture: Path
) -> None:
    # Given everything twice as large, dark, without motion, and in the colours that the system forces
    post = posted(joined(demo.forum_url), picture.read_bytes())
    page = window(
        viewport=TWICE_AS_LARGE, color_scheme="dark", reduced_motion="reduce", forced_colors="active"
    ).new_page()
    choosers: list[FileChooser] = []
    page.on("filechooser", lambda chooser: choosers.append(chooser))
    page.goto(demo.url)

    # When Alice skips to the main part and registers a picture
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.matches('.skip')")
    page.keyboard.press("Enter")
    press(page, "main .door[href='/register']")
    page.wait_for_selector("html[data-kernel]", state="attached")
    press(page, "#adult-yes", "Space")
    tab_to(page, "#files")
    chooser_by_key(page, choosers).set_files(picture)
    page.wait_for_selector("form[data-state=done]")
    press(page, "#send")
    page.wait_for_selector("#key-phrase")
    number = page.inner_text("#case-number").strip()
    press(page, "main a.button[href='/case']")
    expect(page.get_by_role("heading", level=1)).to_contain_text(number)

    # And asks for the removal of a post from her case
    press(page, "main .actions a[href='/request']")
    page.wait_for_url("**/request")
    page.wait_for_load_state()
    press(page, "input[name=adult][value=yes]", "Space")
    type_into(page, "#location", post)
    press(page, "#good_faith", "Space")
    type_into(page, "#contact", "alias@example.org")
    type_into(page, "#signature", "Alice")
    press(page, "main form[action='/request'] button[type=submit]")
    page.wait_for_selector("text=Your request was received")
    press(page, "main a.button[href='/case']")
    expect(page.locator("article.request")).to_have_count(1)
    assert sideways(page) <= 0

    # And leaves
    press(page, "a[data-exit]")

    # Then the calendar is on the screen
    page.wait_for_url("**/calendar")


def test_without_javascript_all_but_the_work_on_the_device(
    demo: ServedDemo, window: OpenWindow, picture: Path
) -> None:
    # Given a browser without JavaScript, and a post
    post = posted(joined(demo.forum_url), picture.read_bytes())
    page = window(java_script_enabled=False).new_page()

    # When Alice goes through the questions, skipping them, then she has a plan
    page.goto(demo.url + "/steps")
    for _ in range(8):
        if page.locator(".plan").count():
            break
        page.locator("main").get_by_text("Skip this question").first.click()
    expect(page.locator(".plan > li").first).to_be_visible()

    # And the page for fingerprints says what it needs, and where to go on
    page.goto(demo.url + "/register")
    expect(page.locator("noscript .notice")).to_be_visible()
    page.locator("noscript a[href='/request']").click()

    # And a request gives her a receipt, which opens her case
    fill_in_request(page, location=post)
    page.get_by_role("button", name="Send the request").click()
    number, words = page.inner_text("#case-number").strip(), page.inner_text("#key-phrase").strip()
    assert len(words.split()) == 7
    page.get_by_role("link", name="I have kept it. Open my case").click()
    page.get_by_role("button", name="Close the case in this window").click()
    page.goto(demo.url + "/case")
    page.fill("#number", number)
    page.fill("#key_phrase", words)
    page.get_by_role("button", name="Open", exact=True).click()
    expect(page.locator("article.request")).to_have_count(1)

    # And she takes her proof along, and withdraws
    with page.expect_download() as download:
        page.get_by_role("link", name="Save receipt.json").click()
    assert download.value.suggested_filename == "receipt.json"
    page.get_by_role("link", name="Withdraw everything").click()
    page.get_by_role("button", name="Withdraw it").click()
    expect(page.get_by_text("You withdrew this case on")).to_be_visible()
