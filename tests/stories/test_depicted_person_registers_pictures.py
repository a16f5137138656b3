"""Story: Alice registers pictures with her phone, without showing them to anyone.

1. She is asked whether everyone was 18 or older, before anything can be chosen.
2. She chooses two photos and sees how far the work is. Nothing leaves her phone meanwhile.
3. She sees exactly what will be sent, and sends it.
4. She gets a receipt: a number and seven words, to save, to print, to copy.
5. Another day, in another window, she types it in (small letters, spaces too many) and sees her case.
6. She adds a picture and sees the state of all three.
7. All this can be done with a keyboard alone.
8. If she says "No, or not sure", she is shown where to turn, and nothing is kept.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import BrowserContext, FileChooser, Page, expect

from staydown.cli.visitor import Visitor
from tests.stories.conftest import OpenWindow
from tests.stories.people import choose_pictures, gate, receipt_on, submission
from tests.stories.serving import ServedDemo

pytestmark = pytest.mark.browser
# Notes each sentence that a screen reader is told, and whether the bar was on screen.
WATCH = """() => {
  window.told = [];
  window.barSeen = false;
  const look = () => {
    const text = document.getElementById('live').textContent;
    if (text && window.told.at(-1) !== text) window.told.push(text);
    window.barSeen ||= !document.getElementById('work').hidden;
  };
  new MutationObserver(look).observe(document.body, {subtree: true, childList: true, attributes: true});
}"""


def test_registered_pictures_are_protected_and_the_receipt_opens_the_case(
    demo: ServedDemo, phone: BrowserContext, window: OpenWindow, paint: Callable[[str], Path]
) -> None:
    # Given Alice on the registration page, where nothing can be chosen before the question is answered
    first, second, third = paint("one.jpg"), paint("two.jpg"), paint("three.jpg")
    page = phone.new_page()
    page.goto(demo.url)
    page.locator("main").get_by_role("link", name="Register pictures").click()
    page.wait_for_selector("html[data-kernel]", state="attached")
    expect(page.locator("#files")).to_be_disabled()
    expect(page.get_by_text("18 or older when they were made?")).to_be_visible()

    # When she answers and chooses two photos
    page.check("#adult-yes")
    page.evaluate(WATCH)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.set_input_files("#files", [first, second])
    page.wait_for_selector("form[data-state=done]")

    # Then she was told how far it is, both are ready, and nothing was requested meanwhile
    told = page.evaluate("window.told")
    assert {"File 1 of 2", "File 2 of 2", "Finished. Ready to send: 2 of 2."} <= set(told)
    assert page.evaluate("window.barSeen")
    expect(page.get_by_text("Ready. Exact copies and many changed copies can be found.")).to_have_count(2)
    assert asked == []

    # When she looks at what will be sent, and sends it
    page.get_by_text("See exactly what will be sent").click()
    expect(page.locator("#exact-text")).to_contain_text('"version":1')
    shown = page.locator("#exact-text").inner_text()
    with page.expect_request(lambda request: request.method == "POST") as sending:
        page.click("#send")
    page.wait_for_selector("#key-phrase")

    # Then that was sent, and she has a receipt that she can save and print
    sent = (sending.value.post_data_json or {})["fingerprints"].replace("\r\n", "\n")
    assert sent.strip() == shown.strip()
    receipt = receipt_on(page)
    assert len(receipt.key_phrase.split()) == 7
    assert receipt.number.startswith("C-")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as a file").click()
    assert download.value.suggested_filename == "notes.txt"
    note = Path(download.value.path()).read_text()
    assert receipt.number in note
    assert receipt.key_phrase in note
    assert "staydown" not in note.lower()
    page.evaluate("window.print = () => { document.body.dataset.printed = 'yes' }")
    page.get_by_role("button", name="Print").click()
    expect(page.locator("body[data-printed=yes]")).to_have_count(1)
    assert gate(demo.url, demo.secrets.token, first.read_bytes()) == 202
    assert gate(demo.url, demo.secrets.token, second.read_bytes()) == 202

    # When she types the receipt into a new window, in small letters and with spaces too many
    other = window().new_page()
    other.goto(demo.url + "/case")
    other.fill("#number", f"  {receipt.number.lower()} ")
    other.fill("#key_phrase", "   ".join(receipt.key_phrase.upper().split()) + "  ")
    other.get_by_role("button", name="Open", exact=True).click()

    # Then her case is open, with both pictures and their state
    expect(other.get_by_role("heading", name=f"Case {receipt.number}")).to_be_visible()
    expect(other.get_by_text("registered: uploads are held")).to_have_count(2)
    expect(other.get_by_text("2 pictures registered.")).to_be_visible()

    # When she adds a picture
    other.get_by_role("link", name="Add pictures").click()
    expect(other.get_by_role("heading", name=f"Add to your case {receipt.number}")).to_be_visible()
    choose_pictures(other, third)
    other.click("#send")

    # Then three are protected
    expect(other.get_by_text("registered: uploads are held")).to_have_count(3)
    assert gate(demo.url, demo.secrets.token, third.read_bytes()) == 202


def test_sending_the_page_twice_opens_one_case(
    demo: ServedDemo, phone: BrowserContext, picture: Path
) -> None:
    # Given a receipt on the screen
    page = phone.new_page()
    page.goto(demo.url + "/register")
    choose_pictures(page, picture)
    page.click("#send")
    page.wait_for_selector("#key-phrase")
    before = cases(demo)

    # When Alice reloads it, which sends the form again
    page.reload()

    # Then nothing is stored twice, and her case is still open
    expect(page.get_by_role("heading", name="This was sent already")).to_be_visible()
    assert cases(demo) == before
    page.locator("main").get_by_role("link", name="Open my case").click()
    expect(page.get_by_text("registered: uploads are held")).to_have_count(1)


def tab_to(page: Page, selector: str) -> None:
    """Presses Tab until the element has the focus, as somebody without a mouse would."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            focus = "getComputedStyle(document.activeElement).outlineStyle"
            assert page.evaluate(focus) != "none", f"the focus on {selector} cannot be seen"
            return
    raise AssertionError(f"{selector} cannot be reached with Tab")


def chooser_by_key(page: Page, opened: list[FileChooser]) -> FileChooser:
    """The file chooser that a key opens. A busy browser may swallow a key; a person presses it again."""
    for _ in range(10):
        page.keyboard.press("Enter")
        for _ in range(50):
            if opened:
                return opened[0]
            page.wait_for_timeout(100)
    raise AssertionError("no key opens the file chooser")


def test_keyboard_alone_leads_from_the_start_page_to_the_open_case(
    demo: ServedDemo, phone: BrowserContext, picture: Path
) -> None:
    # Given the start page
    page = phone.new_page()
    choosers: list[FileChooser] = []
    page.on("filechooser", lambda chooser: choosers.append(chooser))
    page.goto(demo.url)

    # When Alice uses Tab, Space and Enter only
    tab_to(page, "main .door[href='/register']")
    page.keyboard.press("Enter")
    page.wait_for_selector("html[data-kernel]", state="attached")
    tab_to(page, "#adult-yes")
    page.keyboard.press("Space")
    tab_to(page, "#files")
    chooser_by_key(page, choosers).set_files(picture)
    page.wait_for_selector("form[data-state=done]")
    tab_to(page, "#exact summary")
    page.keyboard.press("Space")
    expect(page.locator("#exact-text")).to_be_visible()
    tab_to(page, "#send")
    page.keyboard.press("Enter")
    page.wait_for_selector("#key-phrase")
    tab_to(page, "[data-receipt-save]")
    with page.expect_download():
        page.keyboard.press("Space")
    tab_to(page, "main a[href='/case']")
    page.keyboard.press("Enter")

    # Then her case is open
    expect(page.get_by_text("registered: uploads are held")).to_have_count(1)


def cases(demo: ServedDemo) -> int:
    """How many cases the database holds."""
    path = demo.folder / "staydown" / "staydown.sqlite3"
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        return int(database.execute("SELECT count(*) FROM cases_caserecord").fetchone()[0])


def entries(demo: ServedDemo) -> int:
    """How many entries the upload check holds."""
    return int(httpx.get(demo.url + "/readyz", trust_env=False).json()["entries"])


def test_no_or_not_sure_leads_to_help_and_nothing_is_kept(
    demo: ServedDemo, phone: BrowserContext, picture: Path
) -> None:
    # Given what is stored, and Alice with a picture chosen
    before = cases(demo), entries(demo)
    page = phone.new_page()
    page.goto(demo.url + "/register")
    choose_pictures(page, picture)

    # When she says "No, or not sure"
    page.click("#adult-no")

    # Then she is where help is, and nothing was stored
    page.wait_for_url("**/help/under-18")
    expect(page.get_by_role("heading", level=1)).to_contain_text("under 18")
    assert page.locator("main a[href^='https://']").count() >= 2
    assert (cases(demo), entries(demo)) == before

    # When a form says so all the same, with fingerprints in it, or gives no answer
    with Visitor(demo.url) as alice:
        for answer in ("no", ""):
            shown = alice.send(
                "/register", action="", adult=answer, fingerprints=submission(picture.read_bytes())
            )

            # Then nothing is stored either
            assert shown.url.path == "/help/under-18"
    assert (cases(demo), entries(demo)) == before
    assert gate(demo.url, demo.secrets.token, picture.read_bytes()) == 200
