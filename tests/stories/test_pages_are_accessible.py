"""Story: every page works for people who cannot see it well, or not at all, or who use a small screen.

1. axe-core finds nothing on any page of the survivor site, the desk and the forum, at a phone's and a desk's
   size, light and dark, with content in them.
2. The same check finds what is wrong on a page that was spoiled on purpose.
3. Nothing has to be scrolled sideways at 390 pixels, or when everything is twice as large.
4. Every page says its language, has one main heading, one main part and a way to skip to it.

STAYDOWN_SHOTS=FOLDER keeps a picture of every page at both sizes in both schemes.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from staydown.cli.visitor import Visitor
from staydown.law import channels, places
from tests.stories.conftest import DESKTOP, PHONE, OpenWindow
from tests.stories.people import (
    Receipt,
    choose_pictures,
    decided,
    fill_in_request,
    forum_member,
    open_case,
    posted,
    register,
    registered,
    requested,
    reviewer,
    sign_in_at_desk,
)
from tests.stories.serving import ServedDemo, wait_until

pytestmark = pytest.mark.browser
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# All that the dark scheme changes: site.css sets colours there and nothing else.
COLOUR_RULES = ["color-contrast", "link-in-text-block"]
# A window of 1280 x 800 in which everything is twice as large leaves this much room.
TWICE_AS_LARGE = {"width": 640, "height": 400}
SCHEMES = ("light", "dark")
axe = Axe()


@dataclass(frozen=True)
class Content:
    """What is on the pages: a case with pictures and requests in several states."""

    receipt: Receipt
    post: str
    held: str
    waiting: str
    removed: str
    declined: str
    member: Visitor


@pytest.fixture(scope="module")
def content(demo: ServedDemo) -> Content:
    """Mara's posts, Alice's case, and what Bob decided about it."""
    from staydown.cli.demo_setup import painted

    pictures = [painted(6_000_000 + number, width=600, height=400) for number in range(5)]
    mara, alice = forum_member(demo.forum_url), Visitor(demo.url)
    with alice, reviewer(demo.url, name="bob", password=demo.secrets.reviewer_password) as bob:
        posts = [posted(mara, picture) for picture in pictures]
        receipt = registered(alice, *pictures[:3])
        held = posted(mara, pictures[2])
        removed, declined, waiting = (requested(alice, post) for post in posts[:3])
        decided(bob, removed)
        page = f"/desk/requests/{declined}"
        bob.send(page, action=f"{page}/claim").raise_for_status()
        bob.send(page, action=f"{page}/decline", reason="not_intimate").raise_for_status()
        wait_until(lambda: "gone, the platform says" in alice.open("/case").text, what="the copy is gone")
        number = alice.open("/case").text.count('href="/case/withdraw/')
        assert number > 3
    return Content(receipt, posts[3], held, waiting, removed, declined, mara)


def violations(page: Page, *, colours_only: bool = False) -> list[str]:
    """What axe-core finds: rule, elements and the first reason."""
    run_only = {"type": "rule", "values": COLOUR_RULES} if colours_only else {"type": "tag", "values": RULES}
    options: dict[str, Any] = {"runOnly": run_only, "resultTypes": ["violations"]}
    found = axe.run(page, options=options).response["violations"]
    return [
        f"{rule['id']}: {[node['target'] for node in rule['nodes']]} {rule['nodes'][0]['failureSummary']}"
        for rule in found
    ]


def sideways(page: Page) -> int:
    """How many pixels the page is wider than the window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def structure(page: Page) -> list[str]:
    """What is missing of what every page has."""
    missing = []
    if not page.locator("html").get_attribute("lang"):
        missing.append("no language")
    if page.locator("h1:visible").count() != 1:
        missing.append("not one main heading")
    if page.locator("main").count() != 1:
        missing.append("not one main part")
    if not page.title().strip():
        missing.append("no title")
    return missing


def look_at(page: Page, name: str) -> list[str]:
    """Looks at an open page in every size and scheme; returns all that is wrong."""
    wrong = [f"{name}: {what}" for what in structure(page)]
    for size, viewport in (("390", PHONE), ("1280", DESKTOP)):
        page.set_viewport_size(viewport)  # type: ignore[arg-type]
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            found = violations(page, colours_only=scheme == "dark")
            wrong += [f"{name} at {size}, {scheme}: {what}" for what in found]
            if folder := os.environ.get("STAYDOWN_SHOTS"):
                path = Path(folder) / f"{name}-{size}-{scheme}.png"
                page.screenshot(path=path, full_page=True)
    for viewport in (PHONE, TWICE_AS_LARGE):
        page.set_viewport_size(viewport)  # type: ignore[arg-type]
        if (pixels := sideways(page)) > 0:
            wrong.append(f"{name}: {pixels} pixels too wide at {viewport['width']}")
    return wrong


PLAIN_PAGES = {
    "start": "/",
    "register": "/register",
    "request": "/request",
    "open-case": "/case",
    "under-18": "/help/under-18",
    "how-it-works": "/how-it-works",
    "check": "/how-it-works/check",
    "safety": "/safety",
    "calendar": "/calendar",
    "not-found": "/nowhere",
    "desk-sign-in": "/desk/sign-in",
}


PAGES_THAT_LEAD_ON = {
    "question": "/steps?a=1.2",
    "question-place": "/steps?a=1.2.1.3",
    "plan": "/steps?a=1.1.2.3.us-tx",
    "options": "/options",
    "options-state": "/options?place=us-ak",
    "options-country": "/options?place=gb",
    "help": "/help",
    "help-friends": "/help/friends",
    "help-schools": "/help/schools",
    "places": "/places",
    "place": "/places/discord",
}


def test_pages_without_content(demo: ServedDemo, window: OpenWindow) -> None:
    page = window().new_page()
    wrong = []
    for name, path in PLAIN_PAGES.items():
        page.goto(demo.url + path)
        wrong += look_at(page, name)
    assert not wrong, "\n".join(wrong)


def test_questions_plan_law_and_help(demo: ServedDemo, window: OpenWindow) -> None:
    page = window().new_page()
    wrong = []
    for name, path in PAGES_THAT_LEAD_ON.items():
        page.goto(demo.url + path)
        wrong += look_at(page, name)
    page.get_by_role("button", name="Write the letter").click()
    wrong += look_at(page, "letter")
    assert not wrong, "\n".join(wrong)


def test_kept_plan_and_requests_elsewhere(demo: ServedDemo, window: OpenWindow, content: Content) -> None:
    page = window().new_page()
    open_case(page, demo.url, content.receipt)
    page.goto(demo.url + "/steps?a=1.2.1.1.us-tx")
    page.get_by_role("button", name="Keep this plan in my case").click()
    wrong = look_at(page, "plan-kept")

    # A request of today, and one whose time has passed
    for day in (datetime.now(UTC) - timedelta(hours=1), datetime.now(UTC) - timedelta(days=4)):
        page.goto(demo.url + "/case/elsewhere?to=discord")
        page.fill("#day", day.date().isoformat())
        page.fill("#time", f"{day:%H:%M}")
        page.get_by_role("button", name="Follow this request").click()
    page.wait_for_selector("text=What the complaint needs")
    wrong += look_at(page, "requests-elsewhere")
    assert not wrong, "\n".join(wrong)


def test_every_channel_and_every_law_fits_a_phone(demo: ServedDemo, window: OpenWindow) -> None:
    # Given rows with addresses as long as they come
    page = window().new_page()
    wide = []
    for path in (
        *(f"/places/{channel.id}" for channel in channels()),
        *(f"/options?place={place.id.lower()}" for place in places()),
    ):
        page.goto(demo.url + path)
        page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        if (pixels := sideways(page)) > 0:
            wide.append(f"{path}: {pixels} pixels too wide")

    # Then none is wider than the window
    assert not wide, "\n".join(wide)


def test_registration_and_its_receipt(
    demo: ServedDemo, window: OpenWindow, paint: Callable[[str], Path], tmp_path: Path
) -> None:
    # Given two good files and a bad one
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"not a picture")
    page = window().new_page()
    page.goto(demo.url + "/register")
    choose_pictures(page, paint("a.jpg"), paint("b.jpg"), bad)
    page.get_by_role("button", name="Show small pictures").click()
    page.wait_for_selector("#file-list canvas")
    page.get_by_text("See exactly what will be sent").click()

    wrong = look_at(page, "register-chosen")
    page.click("#send")
    page.wait_for_selector("#key-phrase")
    wrong += look_at(page, "register-receipt")
    page.reload()
    wrong += look_at(page, "sent-before")
    assert not wrong, "\n".join(wrong)


def test_request_with_trouble_and_its_receipt(demo: ServedDemo, window: OpenWindow) -> None:
    page = window().new_page()
    page.goto(demo.url + "/request")
    page.check("input[name=adult][value=yes]")
    page.get_by_role("button", name="Send the request").click()
    wrong = look_at(page, "request-trouble")
    fill_in_request(page, location=demo.forum_url + "/posts/none")
    page.get_by_role("button", name="Send the request").click()
    page.wait_for_selector("#key-phrase")
    wrong += look_at(page, "request-receipt")
    page.goto(demo.url + "/request")
    wrong += look_at(page, "request-joining")
    assert not wrong, "\n".join(wrong)


def test_case_and_withdrawal(demo: ServedDemo, window: OpenWindow, content: Content) -> None:
    page = window().new_page()
    page.goto(demo.url + "/case")
    page.fill("#number", "C-0000-0000")
    page.fill("#key_phrase", "these are not the words")
    page.get_by_role("button", name="Open", exact=True).click()
    wrong = look_at(page, "open-case-trouble")
    open_case(page, demo.url, content.receipt)
    wrong += look_at(page, "case")
    for name in ("add", "withdraw/all", "keys", "erase"):
        page.goto(f"{demo.url}/case/{name}")
        wrong += look_at(page, f"case-{name.replace('/', '-')}")
    page.get_by_role("button", name="Delete it").click()
    page.wait_for_selector("text=Nothing was deleted yet")
    wrong += look_at(page, "case-erase-without-tick")
    page.goto(demo.url + "/case/keys")
    page.wait_for_load_state("load")
    page.get_by_role("button", name="Make a recovery key").click()
    page.wait_for_selector("#key-phrase:not(:empty)")
    page.get_by_text("Check what you wrote down").click()
    wrong += look_at(page, "case-new-words")
    page.goto(f"{demo.url}/case/withdraw/{content.waiting}")
    wrong += look_at(page, "case-withdraw-request")
    page.goto(demo.url + "/case")
    page.get_by_role("link", name="Withdraw this picture").last.click()
    page.get_by_role("button", name="Withdraw it").click()
    wrong += look_at(page, "case-picture-withdrawn")
    assert not wrong, "\n".join(wrong)


def test_private_notes(demo: ServedDemo, window: OpenWindow, paint: Callable[[str], Path]) -> None:
    # Given notes with a note, a screenshot that is shown, and somebody who may open exports
    page = window().new_page()
    receipt = register(page, demo.url, paint("notes.jpg"))
    page.goto(demo.url + "/case/notes")
    wrong = look_at(page, "notes-locked")
    page.fill("#phrase", receipt.key_phrase)
    page.keyboard.press("Enter")
    page.wait_for_selector("#add")
    page.click("#add")
    page.get_by_label("Link", exact=True).fill("https://example.org/" + "a-long-address-" * 20)
    page.get_by_label("Yes, everyone was 18 or older").check()
    page.locator("[data-file]").set_input_files(paint("screen.jpg"))
    page.get_by_role("button", name="Show", exact=True).click()
    page.wait_for_selector("[data-picture] canvas")

    # Then nothing is wrong with the page
    wrong += look_at(page, "notes-open")
    assert not wrong, "\n".join(wrong)


def test_desk(demo: ServedDemo, window: OpenWindow, content: Content) -> None:
    page = window(viewport=DESKTOP).new_page()
    page.goto(demo.url + "/desk/sign-in")
    page.fill("#username", "bob")
    page.fill("#password", "not the password")
    page.get_by_role("button", name="Sign in").click()
    wrong = look_at(page, "desk-sign-in-trouble")
    sign_in_at_desk(page, demo.url, name="bob", password=demo.secrets.reviewer_password)
    wrong += look_at(page, "desk-queue")
    page.goto(demo.url + "/desk/closed")
    wrong += look_at(page, "desk-closed")
    for name, number in {
        "free": content.waiting,
        "removed": content.removed,
        "declined": content.declined,
    }.items():
        page.goto(f"{demo.url}/desk/requests/{number}")
        wrong += look_at(page, f"desk-request-{name}")
    page.goto(f"{demo.url}/desk/requests/{content.waiting}")
    page.get_by_role("button", name="Claim").click()
    wrong += look_at(page, "desk-request-claimed")
    page.get_by_role("button", name="Do not remove it").click()
    wrong += look_at(page, "desk-request-trouble")
    page.get_by_label("To check that it is still there").check()
    page.get_by_role("button", name="Write it down").click()
    wrong += look_at(page, "desk-request-opened")
    page.get_by_role("button", name="Give it back to the queue").click()
    assert not wrong, "\n".join(wrong)


def test_forum(demo: ServedDemo, window: OpenWindow, content: Content, tmp_path: Path) -> None:
    page = window().new_page()
    wrong = []
    for name, url in {
        "front": demo.forum_url,
        "post": content.post,
        "join": demo.forum_url + "/join",
        "sign-in": demo.forum_url + "/sign-in",
        "nowhere": demo.forum_url + "/posts/nowhere",
    }.items():
        page.goto(url)
        wrong += look_at(page, f"forum-{name}")
    page.goto(demo.forum_url + "/sign-in")
    page.get_by_label("Name").fill(demo.secrets.member)
    page.get_by_label("Password").fill(demo.secrets.member_password)
    page.locator("main button").click()
    for name in ("mine", "upload"):
        page.goto(f"{demo.forum_url}/{name}")
        wrong += look_at(page, f"forum-{name}")
    page.goto(content.held)
    wrong += look_at(page, "forum-held")
    page.goto(demo.forum_url + "/upload")
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"not a picture")
    page.get_by_label("Picture").set_input_files(bad)
    page.get_by_role("button", name="Post it").click()
    wrong += look_at(page, "forum-upload-trouble")
    assert not wrong, "\n".join(wrong)


def test_control_a_spoiled_page_is_found_out(demo: ServedDemo, window: OpenWindow) -> None:
    # Given a good page
    page = window(color_scheme="dark").new_page()
    page.goto(demo.url + "/case")
    assert violations(page) == []

    # When its labels, its language, its contrast and its width are spoiled
    page.evaluate("""() => {
      document.querySelector('label[for=number]').remove();
      document.documentElement.removeAttribute('lang');
      document.querySelector('main p').style.color = '#444';
      document.querySelector('main').style.minWidth = '1400px';
      const words = document.createElement('p');
      words.textContent = 'Open your case';
      document.querySelector('h1').replaceWith(words);
    }""")

    # Then each is found
    found = " ".join(violations(page))
    for rule in ("label", "html-has-lang", "color-contrast", "page-has-heading-one"):
        assert f"{rule}:" in found, rule
    assert "color-contrast:" in " ".join(violations(page, colours_only=True))
    assert sideways(page) > 0
    assert {"no language", "not one main heading"} <= set(structure(page))
