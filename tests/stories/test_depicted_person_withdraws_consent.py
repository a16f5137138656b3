"""Story: Alice withdraws, and from the next second on nothing of hers is matched.

1. She withdraws one picture. Before, she is told what it means, and may keep it.
2. Within a second an upload of it passes; her other picture is still protected.
3. She withdraws everything. Waiting requests end; what was removed stays removed.
4. Her fingerprints are gone from the tables.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from staydown.cli.visitor import Visitor
from staydown.fingerprint import fingerprint_image
from tests.stories.conftest import OpenWindow
from tests.stories.people import (
    decided,
    forum_member,
    gate,
    open_case,
    posted,
    registered,
    requested,
    reviewer,
    status,
    variants,
)
from tests.stories.serving import ServedDemo, wait_until

pytestmark = pytest.mark.browser
WITHIN_SECONDS = 1.0


@contextmanager
def watched_gate(demo: ServedDemo, picture: bytes) -> Iterator[list[tuple[float, int]]]:
    """Uploads a picture again and again; notes when each upload began and what the gate said."""
    seen: list[tuple[float, int]] = []
    stop = threading.Event()

    def watch() -> None:
        while not stop.is_set():
            began = time.monotonic()
            seen.append((began, gate(demo.url, demo.secrets.token, picture)))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join()


def press_withdraw(page: Page) -> float:
    """Presses the button; returns when the page that follows had arrived."""
    page.get_by_role("button", name="Withdraw it").click()
    expect(page.get_by_text("What happened")).to_be_visible()
    return time.monotonic()


def assert_let_through_within_a_second(seen: list[tuple[float, int]], *, pressed: float) -> None:
    """Every upload that began a second after the press passed, and none before it."""
    assert {code for began, code in seen if began < pressed - 0.5} <= {202, 451}
    late = [code for began, code in seen if began > pressed + WITHIN_SECONDS]
    assert late, "nothing was uploaded after the second"
    assert set(late) == {200}


def rows_about(demo: ServedDemo, picture: bytes) -> tuple[int, int, int]:
    """How many entries with its digests, codes equal to its codes, and codes without an entry there are."""
    found = fingerprint_image(picture)
    path = demo.folder / "staydown" / "staydown.sqlite3"
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        entries = database.execute(
            "SELECT count(*) FROM bank_entryrecord WHERE sha256 = ? OR md5 = ?",
            (found.digests.sha256, found.digests.md5),
        ).fetchone()[0]
        codes = sum(
            database.execute("SELECT count(*) FROM bank_coderecord WHERE code = ?", (code.code,)).fetchone()[
                0
            ]
            for code in found.registrable()
        )
        of_withdrawn = database.execute(
            "SELECT count(*) FROM bank_coderecord c JOIN bank_entryrecord e ON e.id = c.entry_id "
            "WHERE e.state = 'withdrawn'"
        ).fetchone()[0]
    return entries, codes, of_withdrawn


def test_withdrawing_one_picture_ends_its_protection_within_a_second(
    demo: ServedDemo, phone: BrowserContext, paint: Callable[[str], Path]
) -> None:
    # Given two registered pictures, and Alice's case on her phone
    first, second = paint("first.jpg").read_bytes(), paint("second.jpg").read_bytes()
    with Visitor(demo.url) as alice:
        receipt = registered(alice, first, second)
    page = phone.new_page()
    open_case(page, demo.url, receipt)

    # When she wants to withdraw the first, reads what it means, and keeps it
    page.get_by_role("link", name="Withdraw this picture").first.click()
    expect(page.get_by_role("heading", name="Withdraw picture 1")).to_be_visible()
    expect(page.get_by_text("its fingerprints are deleted")).to_be_visible()
    page.get_by_role("link", name="Keep it").click()

    # Then nothing has changed
    expect(page.get_by_text("registered: uploads are held")).to_have_count(2)
    assert gate(demo.url, demo.secrets.token, first) == 202

    # When she withdraws it
    page.get_by_role("link", name="Withdraw this picture").first.click()
    with watched_gate(demo, first) as seen:
        wait_until(lambda: len(seen) > 1, what="uploads are tried")
        pressed = time.monotonic()
        press_withdraw(page)
        wait_until(lambda: seen[-1][0] > pressed + WITHIN_SECONDS + 0.5, what="the second is over")

    # Then within a second it passes, in every version, and the other one is still held
    assert_let_through_within_a_second(seen, pressed=pressed)
    for name, version in variants(first).items():
        assert gate(demo.url, demo.secrets.token, version) == 200, name
    assert gate(demo.url, demo.secrets.token, second) == 202
    expect(page.get_by_text("registered: uploads are held")).to_have_count(1)
    expect(page.locator(".pictures .state").get_by_text("withdrawn", exact=True)).to_have_count(1)
    expect(page.get_by_text("You withdrew a picture. It is matched no more.")).to_be_visible()
    assert rows_about(demo, first) == (0, 0, 0)
    assert rows_about(demo, second)[0] == 1


def test_withdrawing_everything_ends_waiting_requests_and_brings_nothing_back(
    demo: ServedDemo, phone: BrowserContext, window: OpenWindow, paint: Callable[[str], Path]
) -> None:
    # Given a removed post, a waiting request, and two registered pictures
    removed, waiting = paint("removed.jpg").read_bytes(), paint("waiting.jpg").read_bytes()
    bob = reviewer(demo.url, name="bob", password=demo.secrets.reviewer_password)
    with forum_member(demo.forum_url) as mara, Visitor(demo.url) as alice, bob:
        gone, still_there = posted(mara, removed), posted(mara, waiting)
        receipt = registered(alice, removed, waiting)
        decided(bob, requested(alice, gone))
        open_request = requested(alice, still_there)
        wait_until(lambda: status(gone) == 410, what="the post is gone")
    assert gate(demo.url, demo.secrets.token, removed) == 451
    page = phone.new_page()
    open_case(page, demo.url, receipt)

    # When Alice wants to withdraw everything, keeps it, and then withdraws it
    page.get_by_role("link", name="Withdraw everything").click()
    page.get_by_role("link", name="Keep it").click()
    assert gate(demo.url, demo.secrets.token, removed) == 451
    page.get_by_role("link", name="Withdraw everything").click()
    with watched_gate(demo, removed) as seen:
        wait_until(lambda: len(seen) > 1, what="uploads are tried")
        pressed = time.monotonic()
        press_withdraw(page)
        wait_until(lambda: seen[-1][0] > pressed + WITHIN_SECONDS + 0.5, what="the second is over")

    # Then within a second nothing of hers is matched, and nothing of it is in the tables
    assert_let_through_within_a_second(seen, pressed=pressed)
    for picture in (removed, waiting):
        for name, version in variants(picture).items():
            assert gate(demo.url, demo.secrets.token, version) == 200, name
        assert rows_about(demo, picture) == (0, 0, 0)

    # Then her page says so, the waiting request has ended, and the removed post stays removed
    expect(page.get_by_text("You withdrew this case on")).to_be_visible()
    expect(page.get_by_role("article", name=open_request)).to_contain_text("withdrawn")
    expect(page.get_by_text("None of its pictures is matched any more.")).to_be_visible()
    assert page.get_by_role("link", name="Add pictures").count() == 0
    assert status(gone) == 410
    assert status(still_there) == 200

    # Then Bob has nothing to do about it
    with reviewer(demo.url, name="bob", password=demo.secrets.reviewer_password) as bob:
        assert open_request not in bob.open("/desk/").text
        assert "Nothing is to be done" in bob.open(f"/desk/requests/{open_request}").text

    # Then the receipt still opens the case
    open_case(window().new_page(), demo.url, receipt)
