"""The page where fingerprints are made: the age question first, every step reversible, nothing lost."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from playwright.sync_api import Browser, Page

from staydown.cases.rules import MAX_CODES, MAX_ITEMS
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


def test_what_will_be_sent_is_told_in_one_line_a_file_and_opens_to_its_text(
    page: Page, harness: Harness
) -> None:
    # Given two pictures and a video
    open_register(page, harness.url)
    clip = b"\x00\x00\x00\x18ftypisom" + bytes(1000)
    choose(page, upload("a.jpg", photo(1)), upload("b.jpg", photo(2)), upload("clip.mp4", clip))
    sent = items(page)
    counts = [len(item["codes"]) for item in sent]

    # When Alice looks at what will be sent
    page.click("#exact > summary")
    rows = page.locator("#exact-files li")
    rows.nth(2).wait_for()

    # Then there is a line for each file, and the sum of it
    assert [row.inner_text().split() for row in rows.all()] == [
        [name, "Codes:", str(count)]
        for name, count in zip(("a.jpg", "b.jpg", "clip.mp4"), counts, strict=True)
    ]
    assert min(counts[:2]) > 16
    assert counts[2] == 0
    assert f"Files: 3. Codes: {sum(counts)}." in page.locator("#exact-total").inner_text()

    # When she opens one, Then it is that file's part of the whole text, with a line for each code
    rows.nth(1).locator("summary").click()
    text = rows.nth(1).locator("pre")
    page.wait_for_function("document.querySelectorAll('#exact-files pre')[1].textContent")
    assert json.loads(text.inner_text()) == sent[1]
    assert text.inner_text() in page.input_value("#fingerprints")
    assert text.inner_text().count("\n") == counts[1]
    assert page.locator("#exact-text").inner_text() == page.input_value("#fingerprints")

    # When she removes the first, Then its line goes, and the one she opened stays open
    page.get_by_role("button", name="Remove a.jpg").click()
    page.wait_for_function("document.querySelectorAll('#exact-files li').length === 2")
    assert rows.first.locator("pre").is_visible()
    assert "Files: 2." in page.locator("#exact-total").inner_text()


def test_one_hundred_pictures_of_many_codes_fit_into_one_form_and_on_a_phone(
    page: Page, harness: Harness
) -> None:
    # Given as many pictures as one form takes, all different
    shrunk = scene(400, 300, seed=1)
    files = [
        upload(f"{n:03}.png", encoded(shrunk.crop((n, 0, 300 + n, 300)), "PNG")) for n in range(MAX_ITEMS)
    ]
    open_register(page, harness.url)
    choose(page, *files)

    # When Alice opens all there is to see
    page.click("#exact > summary")
    page.locator("#exact-files li").nth(MAX_ITEMS - 1).wait_for()

    # Then nothing is wider than her phone
    assert page.evaluate("document.documentElement.scrollWidth") == 390

    # When she sends it, Then the server would read it, even with as many codes as a picture may have
    with page.expect_navigation():
        page.click("#send")
    [post] = [request for request in harness.requests if request.method == "POST"]
    sent = json.loads(post.form()["fingerprints"])["items"]
    codes = sum(len(item["codes"]) for item in sent)
    assert len(sent) == MAX_ITEMS
    assert codes > MAX_ITEMS * 16
    assert len(post.body) * MAX_ITEMS * MAX_CODES["image"] / codes < settings.DATA_UPLOAD_MAX_MEMORY_SIZE


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
    page.click("#exact > summary")
    page.click("#exact-files summary")
    page.click("#show-pictures")
    page.wait_for_selector(".file-picture canvas")
    after = axe.run(page)
    page.evaluate("document.querySelector('label[for=files]').remove()")
    control = axe.run(page)

    assert before.response["violations"] == []
    assert after.response["violations"] == []
    assert "label" in [violation["id"] for violation in control.response["violations"]]  # axe can fail
