"""What every page of the survivor site has, whatever it is about; and leaving, which must always work.

Covers: staydown.survivor_site.pages, staydown.survivor_site.doorway.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import RequestFactory

from staydown.access.terms import Platform
from staydown.config.csp import PAGE_CSP
from staydown.journeys.file_request import file_request
from staydown.survivor_site import doorway
from tests.staydown.conftest import a_draft
from tests.staydown.doors import Clock, Screen, Window
from tests.staydown.survivor_site.conftest import AliceCase, open_with

WITHOUT_A_CASE = ["/", "/register", "/request", "/case", "/help/under-18", "/how-it-works"]
WITHOUT_A_CASE += ["/how-it-works/check", "/safety"]
WITH_A_CASE = ["/case", "/case/add", "/request", "/case/withdraw/all", "picture", "waiting"]
NEUTRAL_TITLES = {"Notes", "Choose files", "Calendar"}
# Words that would tell somebody who looks over her shoulder, or through the history, why she is here.
TELLING = re.compile(r"remov|takedown|intimate|nude|abuse|case|victim|staydown|report|consent", re.I)


def check_page(page: Screen, *, status: int = 200) -> None:
    """Holds for each page of this door."""
    headers = page.response.headers
    assert page.status == status
    assert headers["Cache-Control"] == "no-store"
    assert headers["Content-Security-Policy"] == PAGE_CSP
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "noindex" in headers["X-Robots-Tag"]
    assert page.title in NEUTRAL_TITLES
    assert not TELLING.search(page.title)
    assert "/exit" in page.links
    assert len(page.headings) == 1
    assert page.headings[0].strip()
    assert page.without_label == []
    assert len(page.ids) == len(set(page.ids)), "an id stands twice"
    # The policy would refuse inline scripts and styles, and pictures from this server, without a word.
    assert "img" not in page.tags
    assert "style" not in page.tags
    assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|\sstyle=", page.html)


@pytest.mark.parametrize("path", WITHOUT_A_CASE)
def test_every_page_protects_who_reads_it(alice: Window, forum: Platform, path: str) -> None:
    check_page(alice.open(path))


@pytest.mark.parametrize("path", WITHOUT_A_CASE)
def test_every_page_works_before_any_platform_is_connected(alice: Window, path: str) -> None:
    check_page(alice.open(path))


@pytest.mark.parametrize("path", WITH_A_CASE)
def test_every_page_of_an_open_case_protects_who_reads_it(
    alice: Window, forum: Platform, her_case: AliceCase, clock: Clock, path: str
) -> None:
    # Given Alice's open case with two pictures and a request
    filed = file_request(a_draft(), case_number=her_case.number, now=clock.now)
    open_with(alice, her_case.receipt)
    own = {"picture": her_case.registration_ids[0], "waiting": filed.notices[0].number}

    # When she opens the page
    page = alice.open(f"/case/withdraw/{own[path]}" if path in own else path)

    # Then
    check_page(page)


@pytest.mark.parametrize(
    ("path", "values", "status"),
    [
        ("/register", {"adult": "yes", "fingerprints": "{"}, 422),
        ("/request", {"adult": "yes"}, 422),
        ("/case", {"number": "C-0000-0000", "key_phrase": "one two"}, 403),
    ],
)
def test_page_that_refuses_a_form_is_a_page_like_the_others(
    alice: Window, forum: Platform, path: str, values: dict[str, str], status: int
) -> None:
    check_page(alice.send(path, **values), status=status)


def test_page_that_does_not_exist_is_a_page_like_the_others(alice: Window) -> None:
    check_page(alice.open("/nothing-here"), status=404)


def test_form_without_its_protection_token_is_refused_and_stores_nothing(alice: Window) -> None:
    # When a form comes that this site did not show
    answer = Screen(alice.client.post("/register", {"adult": "yes", "fingerprints": "{}"}))

    # Then
    check_page(answer, status=403)
    assert answer.says("Nothing was sent and nothing was stored.")


def test_no_page_links_to_another_site_except_where_to_turn(alice: Window, forum: Platform) -> None:
    for path in WITHOUT_A_CASE:
        if path != "/help/under-18":
            assert [link for link in alice.open(path).links if link.startswith("http")] == []


def test_start_page_says_for_whom_this_site_acts(alice: Window, forum: Platform) -> None:
    assert alice.open("/").says(f"This site acts for: {forum.name} ({forum.url_prefix})")


def test_page_for_under_18_says_where_to_turn_and_claims_nothing_about_the_law(alice: Window) -> None:
    page = alice.open("/help/under-18")

    assert any(link.startswith("https://") for link in page.links)
    assert page.says("It is not legal advice.")
    assert page.says("Checked 20")


# --- leaving


def test_leaving_forgets_the_window_and_ends_on_a_page_about_nothing(
    alice: Window, her_case: AliceCase
) -> None:
    # Given Alice's open case
    open_with(alice, her_case.receipt)
    assert alice.open("/case").says(her_case.number)
    session = alice.client.cookies["s"].value

    # When she leaves
    left = alice.open("/exit")

    # Then she is sent on at once and the browser is asked to forget
    assert (left.status, left.goes_to) == (303, "/calendar")
    assert left.response.headers["Clear-Site-Data"] == '"cache", "cookies", "storage"'
    assert left.response.headers["Cache-Control"] == "no-store"

    # And neither this window nor a copy of its cookie opens the case any more
    assert not alice.open("/case").says(her_case.number)
    alice.client.cookies["s"] = session
    assert not alice.open("/case").says(her_case.number)


def test_leaving_works_without_anything_to_leave(alice: Window) -> None:
    assert alice.open("/exit").status == 303


def test_the_page_after_leaving_shows_this_month_and_not_a_word_of_us(alice: Window, clock: Clock) -> None:
    # Given
    clock.now = datetime(2028, 2, 29, 23, 59, tzinfo=UTC)

    # When
    page = alice.open("/calendar")

    # Then
    assert page.status == 200
    assert page.response.headers["Cache-Control"] == "no-store"
    assert page.title == "Calendar"
    assert page.headings == ["February 2028"]
    assert page.html.count('aria-current="date"') == 1
    assert ">29</td>" in page.html
    assert page.links == []
    assert page.forms == []
    assert "script" not in page.tags
    assert not TELLING.search(page.text)


# --- the doorway


def test_the_time_at_the_door_is_aware_and_utc() -> None:
    assert doorway.now_utc().tzinfo is UTC


def test_caller_address_is_the_connections_and_not_what_a_header_claims(rf: RequestFactory) -> None:
    request: Any = rf.get("/", headers={"X-Forwarded-For": "192.0.2.1"}, REMOTE_ADDR="192.0.2.7")

    assert doorway.caller_address(request) == "192.0.2.7"


def test_each_showing_of_a_form_has_a_mark_of_its_own() -> None:
    assert len({doorway.new_send_id() for _ in range(50)}) == 50
