"""The page where fingerprints are made: the age question first, every step reversible, nothing lost."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.web.harness import Harness
from tests.web.pictures import FORMATS, encoded, scene
from tests.web.register_page import choose, items, open_register, statuses, upload

pytestmark = pytest.mark.browser


def photo(seed: int) -> bytes:
    return encoded(scene(400, 300, seed=seed), "JPEG")


def test_the_chooser_is_closed_until_the_age_question_is_answered_with_yes(
    page: Page, harness: Harness
) -> None:
    open_register(page, harness.url, adult=False)
    assert page.locator("#files").is_disabled()

    page.check("#adult-yes")

    assert page.locator("#files").is_enabled()
    assert page.locator("#send").is_disabled()


def test_no_or_not_sure_opens_the_page_for_that_and_nothing_is_sent(page: Page, harness: Harness) -> None:
    open_register(page, harness.url, adult=False)

    page.click("#adult-no")
    page.wait_for_url("**/help/under-18")

    assert [request.method for request in harness.requests if request.method != "GET"] == []


def test_a_file_can_be_removed_and_is_then_not_sent(page: Page, harness: Harness) -> None:
    open_register(page, harness.url)
    choose(page, upload("a.jpg", photo(1)), upload("b.jpg", photo(2)))

    page.get_by_role("button", name="Remove a.jpg").click()

    assert list(statuses(page)) == ["b.jpg"]
    assert len(items(page)) == 1
    assert page.evaluate("document.activeElement.textContent").strip().startswith("Remove")


def test_the_same_file_twice_is_sent_once_and_said(page: Page, harness: Harness) -> None:
    open_register(page, harness.url)

    choose(page, upload("a.jpg", photo(1)), upload("again.jpg", photo(1)))

    assert "already in the list" in statuses(page)["again.jpg"]
    assert len(items(page)) == 1


def test_stopping_keeps_what_is_ready_and_says_what_was_stopped(
    page: Page, harness: Harness, tmp_path: Path
) -> None:
    # Given a small picture, and a video that takes long to read
    chosen = {
        "a.jpg": photo(1),
        "long.mp4": b"\x00\x00\x00\x18ftypisom" + bytes(200_000_000),
        "b.jpg": photo(2),
    }
    for name, content in chosen.items():
        (tmp_path / name).write_bytes(content)
    open_register(page, harness.url)
    page.set_input_files("#files", [tmp_path / name for name in chosen])
    page.wait_for_selector("#file-list li:nth-child(2)[data-state=working]")

    # When Alice stops
    page.click("#cancel")
    page.wait_for_selector("form[data-state=done]")

    # Then the first stays ready, and the others say that they were stopped
    said = statuses(page)
    assert said["a.jpg"].startswith("Ready.")
    assert said["long.mp4"].startswith("Stopped.")
    assert said["b.jpg"].startswith("Stopped.")
    assert len(items(page)) == 1


def test_small_pictures_are_hidden_until_asked_for_and_can_be_hidden_again(
    page: Page, harness: Harness
) -> None:
    open_register(page, harness.url)
    choose(page, upload("a.jpg", photo(1)))
    assert page.locator(".file-picture canvas").count() == 0

    page.click("#show-pictures")
    page.wait_for_selector(".file-picture canvas")
    assert page.get_by_role("img", name="Small picture of a.jpg").is_visible()

    page.click("#show-pictures")
    assert page.locator(".file-picture canvas").count() == 0


def test_when_the_server_refuses_the_fingerprints_are_still_there(page: Page, harness: Harness) -> None:
    # Given two files sent to a server that asks again
    open_register(page, harness.url, query="?refuse=1")
    choose(page, upload("a.jpg", photo(1)), upload("b.jpg", photo(2)))
    before = items(page)

    # When the form comes back with an error
    with page.expect_navigation():
        page.click("#send")
    page.wait_for_selector("html[data-kernel]", state="attached")

    # Then nothing has to be made again, and it can be sent at once
    assert "still here" in page.locator(".error-summary").inner_text()
    assert items(page) == before
    assert page.locator("#send").is_enabled()


def test_leaving_with_unsent_work_asks_first_but_the_quick_exit_never_does(
    page: Page, harness: Harness
) -> None:
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    open_register(page, harness.url)
    choose(page, upload("a.jpg", photo(1)))

    # When Alice follows another address
    page.evaluate("location.href = '/request'")
    page.wait_for_url("**/request")
    assert asked == ["beforeunload"]

    # When she has unsent work again and presses the exit
    open_register(page, harness.url)
    choose(page, upload("a.jpg", photo(1)))
    asked.clear()
    page.click("a[data-exit]")
    page.wait_for_url("**/exit")

    # Then nothing stood in the way
    assert asked == []


def test_a_case_number_names_the_case_in_the_heading(page: Page, harness: Harness) -> None:
    open_register(page, harness.url, query="?case=C-ABCD-EFGH")

    assert page.locator("h1").inner_text() == "Add to your case C-ABCD-EFGH"


def test_without_javascript_the_page_says_why_and_where_to_go(browser: Browser, harness: Harness) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{harness.url}/register")

    text = page.locator("noscript").inner_text()
    assert re.search("Fingerprints need JavaScript, because the picture is not sent", text)
    assert page.locator("noscript a[href='/request']").is_visible()
    assert not page.locator("#files").is_visible()
    context.close()


@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_no_violation_before_and_after_making_fingerprints(
    page: Page, harness: Harness, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    axe = Axe()
    open_register(page, harness.url)

    before = axe.run(page)
    choose(
        page,
        upload("photo.jpg", FORMATS["photo.jpg"]()),
        upload("text.jpg", b"only text"),
        upload("clip.mp4", b"\x00\x00\x00\x18ftypisom" + bytes(1000)),
    )
    page.click("#exact summary")
    page.click("#show-pictures")
    page.wait_for_selector(".file-picture canvas")
    after = axe.run(page)
    page.evaluate("document.querySelector('label[for=files]').remove()")
    control = axe.run(page)

    assert before.response["violations"] == []
    assert after.response["violations"] == []
    assert "label" in [violation["id"] for violation in control.response["violations"]]  # axe can fail
