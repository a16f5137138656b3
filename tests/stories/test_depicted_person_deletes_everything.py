"""Story: Alice takes everything along that is kept of her, and then deletes it.

1. Without a script: she has a registered picture, a waiting request and a recovery key.
2. She saves all of it as a file whose name says nothing. No fingerprint is in it.
3. She is told what goes and what stays. Without the tick nothing goes.
4. She deletes. From the next second on nothing of hers is matched, and none of her words opens anything.
5. What she wrote is in no table any more. The number, the times and the outcome stay; the log still holds.
6. On a phone it is the same, and another window that had the case open cannot bring anything back.
"""

from __future__ import annotations

import json
import re
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect

from staydown.cli.visitor import Visitor
from staydown.fingerprint import fingerprint_image
from tests.stories.conftest import OpenWindow
from tests.stories.people import (
    ELEMENTS,
    Receipt,
    forum_member,
    gate,
    open_case,
    posted,
    registered,
    submission,
)
from tests.stories.serving import ServedDemo, run_staydown

pytestmark = pytest.mark.browser
ALIAS = "quiet-heron@example.org"
SIGNED = "A. Quiet-Heron"


def words_shown(html: str) -> str:
    """The words on a page that shows them once."""
    found = re.search(r'id="key-phrase"[^>]*>([^<]+)<', html)
    assert found, html
    return found[1].strip()


def opens(demo: ServedDemo, receipt: Receipt) -> bool:
    """Whether number and words open a case, without a script."""
    with Visitor(demo.url) as alice:
        answer = alice.send("/case", action="/case", number=receipt.number, key_phrase=receipt.key_phrase)
    assert answer.status_code in (200, 403)
    return answer.status_code == 200


def tables_with(demo: ServedDemo, text: str | bytes) -> set[str]:
    """The tables in which this stands anywhere."""
    wanted = text.encode() if isinstance(text, str) else text
    found = set()
    path = demo.folder / "staydown" / "staydown.sqlite3"
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        for (table,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            for row in database.execute(f'SELECT * FROM "{table}"'):
                cells = (cell.encode() if isinstance(cell, str) else cell for cell in row)
                if any(isinstance(cell, bytes) and wanted in cell for cell in cells):
                    found.add(table)
                    break
    return found


def let_through_within_a_second(demo: ServedDemo, picture: bytes) -> None:
    """From a second on the upload passes."""
    time.sleep(1)
    assert gate(demo.url, demo.secrets.token, picture) == 200


def test_without_a_script_everything_is_saved_and_then_deleted(
    demo: ServedDemo, paint: Callable[[str], Path]
) -> None:
    # Given a registered picture, a waiting request and a recovery key
    picture = paint("kept.jpg").read_bytes()
    fingerprints = fingerprint_image(picture)
    with forum_member(demo.forum_url) as mara:
        post = posted(mara, picture)
    with Visitor(demo.url) as alice:
        receipt = registered(alice, picture)
        elements = {**ELEMENTS, "contact": ALIAS, "signature": SIGNED}
        alice.send("/request", action="/request", **elements, location=post).raise_for_status()
        made = alice.send("/case/keys", action="/case/keys", what="recovery_key")
        recovery = Receipt(receipt.number, words_shown(made.text))
        assert opens(demo, recovery)
        assert {"notices_noticerecord"} <= tables_with(demo, ALIAS)
        assert gate(demo.url, demo.secrets.token, picture) == 202

        # When she saves everything
        saved = alice.open("/case/export")

        # Then the file has a name that says nothing, all that she gave, and no fingerprint
        assert 'filename="notes.json"' in saved.headers["content-disposition"]
        held = saved.json()
        assert held["case"]["number"] == receipt.number
        assert set(held["case"]["keys"]) == {"key_phrase", "recovery_key"}
        assert len(held["pictures"]) == 1
        (request,) = held["requests"]
        assert (request["addresses"], request["contact"], request["signature"]) == ([post], ALIAS, SIGNED)
        for secret in (fingerprints.digests.sha256, *(code.hex for code in fingerprints.registrable())):
            assert secret not in saved.text
        for words in (receipt.key_phrase, recovery.key_phrase):
            assert words not in saved.text

        # When she wants to delete it, without the tick
        told = alice.open("/case/erase").text
        kept = alice.send("/case/erase", action="/case/erase")

        # Then she was told that it cannot be undone, and nothing is gone
        assert "This cannot be undone." in told
        assert (kept.status_code, "Nothing was deleted yet." in kept.text) == (422, True)
        assert opens(demo, receipt)

        # When she deletes it
        done = alice.send("/case/erase", action="/case/erase", understood="yes")

        # Then the page says so, and her window has no case any more
        assert "It is deleted" in done.text
        assert "Open your case" in alice.open("/case").text

    # Then nothing of hers is matched, and nothing opens
    let_through_within_a_second(demo, picture)
    assert not opens(demo, receipt)
    assert not opens(demo, recovery)

    # Then what she wrote and her fingerprints are in no table; that there was a case, and a request, is
    for gone in (ALIAS, SIGNED):
        assert tables_with(demo, gone) == set(), gone
    assert tables_with(demo, post) <= {"catalog_contentrecord"}
    assert tables_with(demo, fingerprints.digests.sha256) <= {"catalog_contentrecord"}
    assert "cases_caserecord" in tables_with(demo, receipt.number)
    assert "notices_noticerecord" in tables_with(demo, request["number"])

    # Then Bob has nothing to do about it, and the log still adds up
    checked = run_staydown("ledger", "verify", data=demo.folder / "staydown")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_on_a_phone_it_is_saved_and_deleted_and_another_window_brings_nothing_back(
    demo: ServedDemo, phone: BrowserContext, window: OpenWindow, picture: Path
) -> None:
    # Given a case in two windows
    with Visitor(demo.url) as alice:
        receipt = registered(alice, picture.read_bytes())
    page, other = phone.new_page(), window().new_page()
    open_case(page, demo.url, receipt)
    open_case(other, demo.url, receipt)

    # When Alice saves everything in one of them
    page.get_by_role("link", name="Delete everything").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Save it as a file").click()

    # Then it is a file of that case
    assert download.value.suggested_filename == "notes.json"
    assert json.loads(Path(download.value.path()).read_text())["case"]["number"] == receipt.number

    # When she reads what goes, keeps it, comes back, and deletes it
    page.get_by_role("link", name="Keep it").click()
    expect(page.get_by_text("registered: uploads are held")).to_have_count(1)
    page.get_by_role("link", name="Delete everything").click()
    page.get_by_label("I understand that this cannot be undone.").check()
    page.get_by_role("button", name="Delete it").click()

    # Then it is gone
    expect(page.get_by_role("heading", name="It is deleted")).to_be_visible()
    let_through_within_a_second(demo, picture.read_bytes())
    assert not opens(demo, receipt)

    # Then the other window gives no case back, no new words, no request and no picture
    for path in ("/case", "/case/keys", "/case/export", "/case/add"):
        other.goto(demo.url + path)
        expect(other.get_by_role("heading", name="Open your case")).to_be_visible()
        assert receipt.number not in other.content()


def test_new_case_of_the_same_picture_starts_from_nothing(demo: ServedDemo, picture: Path) -> None:
    # Given a case that was deleted
    content = picture.read_bytes()
    with Visitor(demo.url) as alice:
        before = registered(alice, content)
        alice.send("/case/erase", action="/case/erase", understood="yes")
        assert not opens(demo, before)

        # When Alice registers the same picture again
        answer = alice.send("/register", action="", adult="yes", fingerprints=submission(content))

    # Then it is protected again, in a case of another number
    assert before.number not in answer.text
    assert gate(demo.url, demo.secrets.token, content) == 202
