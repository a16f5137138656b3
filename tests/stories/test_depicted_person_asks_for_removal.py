"""Story: Alice asks for removal, without JavaScript, without an account.

1. She finds the picture on the forum and follows "This shows me, and I did not agree": the address is there.
2. She leaves something out: it is named at once, and what she typed is still there.
3. She gives an address on another site: that is named, too.
4. She gives all four things: a number and a receipt at once, and until when the platform must act.
5. A second request, while her case is open, joins it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.stories.conftest import OpenWindow
from tests.stories.people import fill_in_request, forum_member, open_case, posted, receipt_on
from tests.stories.serving import ServedDemo

pytestmark = pytest.mark.browser
# `Tuesday 24 November 2026, 15:19 UTC (47 hours 59 minutes left)`
DEADLINE = re.compile(r"\w+day \d{1,2} \w+ \d{4}, \d\d:\d\d UTC \(4[78] hours( 59 minutes)? left\)")
MISSING = {
    "location": "Give the web address of the post",
    "good_faith": "Tick the box that says you did not agree",
    "contact": "Give one way to reach you",
    "signature": "as your signature",
    "adult": "Choose one of the two answers",
}


def leave_out(page: Page, element: str) -> None:
    """Empties one element of a request that is filled in."""
    match element:
        case "adult":
            page.reload()  # an answered question cannot be unanswered; a new page can be left so
        case "good_faith":
            page.uncheck("#good_faith")
        case _:
            page.fill(f"#{element}", "")


def typed(page: Page) -> dict[str, object]:
    """What stands in the form."""
    values: dict[str, object] = {
        name: page.input_value(f"#{name}") for name in ("location", "contact", "signature", "statement")
    }
    values["good_faith"] = page.is_checked("#good_faith")
    values["adult"] = page.is_checked("input[name=adult][value=yes]")
    return values


def send(page: Page) -> None:
    page.get_by_role("button", name="Send the request").click()


def times_on(page: Page) -> list[datetime]:
    times = page.locator("main time").all()
    return [datetime.fromisoformat(time.get_attribute("datetime") or "") for time in times]


@pytest.mark.parametrize("element", MISSING)
def test_missing_element_is_named_at_once_and_what_was_typed_is_kept(
    demo: ServedDemo, window: OpenWindow, element: str
) -> None:
    # Given a request with everything but one element
    page = window(java_script_enabled=False).new_page()
    page.goto(demo.url + "/request")
    if element == "adult":
        fill_in_request(page, location=demo.forum_url + "/posts/x")
        page.goto(demo.url + "/request")
        page.fill("#location", demo.forum_url + "/posts/x")
        page.check("#good_faith")
        page.fill("#contact", "alias@example.org")
        page.fill("#signature", "Alice")
    else:
        fill_in_request(page, location=demo.forum_url + "/posts/x")
        leave_out(page, element)
    page.fill("#statement", "He had promised to delete it.")
    before = typed(page)

    # When Alice sends it
    send(page)

    # Then that one thing is named, its name leads to the field, and everything typed is still there
    summary = page.get_by_role("alert")
    expect(summary).to_contain_text(MISSING[element])
    expect(summary).to_contain_text("One thing is still needed")
    assert summary.locator("li").count() == 1
    target = summary.locator("li a").get_attribute("href") or ""
    assert page.locator(target).count() == 1
    assert typed(page) == before


def test_everything_left_out_is_named_in_one_go(demo: ServedDemo, window: OpenWindow) -> None:
    # Given a request with nothing but the answer about age
    page = window(java_script_enabled=False).new_page()
    page.goto(demo.url + "/request")
    page.check("input[name=adult][value=yes]")

    # When Alice sends it
    send(page)

    # Then all four are named
    summary = page.get_by_role("alert")
    expect(summary).to_contain_text("4 things are still needed")
    for element in ("location", "good_faith", "contact", "signature"):
        expect(summary).to_contain_text(MISSING[element])


def test_complete_request_gets_number_receipt_and_deadline_at_once(
    demo: ServedDemo, window: OpenWindow, paint: Callable[[str], Path]
) -> None:
    # Given two posts of Mara's, and Alice in front of the first, without JavaScript
    with forum_member(demo.forum_url) as mara:
        first = posted(mara, paint("first.jpg").read_bytes())
        second = posted(mara, paint("second.jpg").read_bytes())
    page = window(java_script_enabled=False).new_page()
    page.goto(first)

    # When she says "This shows me"
    page.get_by_role("link", name="This shows me, and I did not agree").click()

    # Then the address is filled in
    assert page.input_value("#location") == first

    # When an address on another site is among hers
    fill_in_request(page, location=f"{first}\nhttps://elsewhere.example/a")
    send(page)

    # Then line and site are named, and what can be done about it
    expect(page.get_by_role("alert")).to_contain_text("The address on line 2 is on another site.")
    expect(page.get_by_role("alert")).to_contain_text(demo.forum_url)
    assert page.input_value("#location").splitlines() == [first, "https://elsewhere.example/a"]

    # When she takes it out and sends
    page.fill("#location", first)
    send(page)

    # Then she has a number, a receipt, and a deadline with date, time, zone and what is left of it
    expect(page.get_by_role("heading", name="Your request was received")).to_be_visible()
    number = page.locator(".panel .number").inner_text()
    assert re.fullmatch(r"R-[0-9A-Z]{4}-[0-9A-Z]{4}", number)
    assert DEADLINE.search(page.inner_text("main"))
    received, deadline = times_on(page)[:2]
    assert deadline - received == timedelta(hours=48)
    receipt = receipt_on(page)
    assert len(receipt.key_phrase.split()) == 7

    # When she asks for the second one, her case being open
    page.goto(f"{demo.url}/request?url={second}")
    expect(
        page.get_by_text(f"This request will be added to your open case {receipt.number}.")
    ).to_be_visible()
    fill_in_request(page)
    send(page)

    # Then it belongs to the same case, which the one receipt opens
    expect(page.get_by_text(f"This request belongs to your case {receipt.number}.")).to_be_visible()
    assert page.locator("#key-phrase").count() == 0
    other = window(java_script_enabled=False).new_page()
    open_case(other, demo.url, receipt)
    expect(other.locator("article.request")).to_have_count(2)
    expect(other.locator("article.request .state-open")).to_have_count(2)
    assert len(DEADLINE.findall(other.inner_text("main"))) == 2
    assert {first, second} == set(other.locator("article.request .address").all_inner_texts())


def test_doubt_about_age_leads_to_help_and_files_nothing(demo: ServedDemo, window: OpenWindow) -> None:
    # Given a complete request
    page = window(java_script_enabled=False).new_page()
    page.goto(demo.url + "/request")
    fill_in_request(page, location=demo.forum_url + "/posts/x")

    # When Alice says "No, or I am not sure"
    page.check("input[name=adult][value=no]")
    send(page)

    # Then she is where help is, and no case was opened
    page.wait_for_url("**/help/under-18")
    page.goto(demo.url + "/case")
    expect(page.get_by_role("heading", name="Open your case")).to_be_visible()
