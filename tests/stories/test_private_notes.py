"""Story: Alice keeps private notes that only she and whom she chooses can read.

1. She opens her notes by her words, writes an item, says that all were adults, and adds a screenshot.
2. She locks them, opens them again, changes them, and adds a lawyer's public key.
3. Two exports are opened by another implementation of age: one by her words, one by the lawyer's key.
4. No request carries a piece of the note, of the screenshot or of her words; the control is caught.
5. She says that she is not sure about a picture: nothing is read, and she is led to the minors' way.
6. She deletes her notes.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from pyrage import decrypt, passphrase, x25519

from tests.stories.people import Receipt, register
from tests.stories.serving import ServedDemo
from tests.web.harness import Harness
from tests.web.test_wire import leaks

pytestmark = pytest.mark.browser
SECRET = "A picture of me on a lake shore, posted beside my full name and my school."


@pytest.fixture
def wire(demo: ServedDemo) -> Iterator[Harness]:
    """The proxy before the demonstration."""
    with Harness(upstream=demo.url) as running:
        yield running


def unlock(page: Page, words: str) -> None:
    page.fill("#phrase", words)
    page.keyboard.press("Enter")
    expect(page.locator("#opened")).to_be_visible()


def told(page: Page, text: str) -> None:
    expect(page.locator("#status")).to_contain_text(text)


def saved_by(page: Page, button: str, folder: Path) -> bytes:
    with page.expect_download() as download:
        page.click(button)
    assert download.value.suggested_filename == "notes.age"
    download.value.save_as(folder / "notes.age")
    return (folder / "notes.age").read_bytes()


def parts_of(archive: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:") as tar:
        return {one.name: found.read() for one in tar if (found := tar.extractfile(one))}


def notes_page(wire: Harness, phone: BrowserContext, picture: Path) -> tuple[Page, Receipt]:
    page = phone.new_page()
    receipt = register(page, wire.url, picture)
    page.goto(wire.url + "/case/notes")
    unlock(page, receipt.key_phrase)
    return page, receipt


def test_notes_are_kept_shared_taken_along_and_deleted_and_no_request_carries_them(
    wire: Harness, phone: BrowserContext, picture: Path, tmp_path: Path
) -> None:
    # Given an item and a screenshot
    page, receipt = notes_page(wire, phone, picture)
    page.click("#add")
    page.get_by_label("What it shows, in words").fill(SECRET)
    chooser = page.locator("[data-file]")
    expect(chooser).to_be_disabled()
    page.get_by_label("Yes, everyone was 18 or older").check()
    chooser.set_input_files(picture)
    told(page, "Locked and kept")
    expect(chooser).to_be_disabled()
    expect(page.locator("[data-picture] canvas")).to_have_count(0)
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator("[data-picture] canvas")).to_have_count(1)

    # When she locks, meets wrong words, opens again, and adds her lawyer
    page.click("#lock")
    expect(page.locator("#opened")).to_be_hidden()
    assert SECRET not in page.content()
    page.fill("#phrase", "able baker charlie double enter five game")
    page.keyboard.press("Enter")
    expect(page.locator("#trouble")).to_contain_text("These words do not open your notes")
    unlock(page, receipt.key_phrase.upper())
    words = page.get_by_label("What it shows, in words")
    expect(words).to_have_value(SECRET)
    words.fill(SECRET + " Changed.")
    lawyer = x25519.Identity.generate()
    page.fill("#advocate-name", "My lawyer")
    page.fill("#advocate-key", "age1nonsense")
    page.click("#advocate button")
    expect(page.locator("#trouble")).to_contain_text("not a public key")
    page.fill("#advocate-key", str(lawyer.to_public()))
    page.click("#advocate button")
    expect(page.locator("#advocates li")).to_have_count(1)
    page.click("#save")
    told(page, "Saved and locked")

    # Then both exports open elsewhere, with everything in them
    page.click("#export-phrase")
    page.fill("#export-words", receipt.key_phrase)
    hers = saved_by(page, "#export-now", tmp_path)
    theirs = saved_by(page, "#export-keys", tmp_path)
    for parts in (
        parts_of(passphrase.decrypt(hers, receipt.key_phrase)),
        parts_of(decrypt(theirs, [lawyer])),
    ):
        assert (SECRET + " Changed.").encode() in parts["notes.txt"]
        [screenshot] = [name for name in parts if name.startswith("file-1")]
        assert parts[screenshot] == picture.read_bytes()
        assert parts["SHA256SUMS"].count(b"\n") == 3

    # Then nothing readable went over the wire
    secrets = [SECRET.encode(), picture.read_bytes(), receipt.key_phrase.encode(), str(lawyer).encode()]
    assert leaks(wire.requests, secrets) == []
    assert not any(b"AGE-SECRET-KEY" in request.raw for request in wire.requests)

    # When she deletes them
    page.click("#delete")
    page.click("#delete-now")
    told(page, "Your private notes are deleted")
    page.reload()
    expect(page.locator("#first-time")).to_be_visible()


def test_control_a_page_that_sends_the_note_readable_is_caught(
    wire: Harness, phone: BrowserContext, picture: Path
) -> None:
    page, receipt = notes_page(wire, phone, picture)
    secrets = [SECRET.encode(), receipt.key_phrase.encode()]
    assert leaks(wire.requests, secrets) == []
    for secret in (SECRET, receipt.key_phrase):
        page.evaluate("(text) => fetch('/steal', { method: 'POST', body: btoa(text) })", secret)
    assert leaks(wire.requests, secrets).count("POST /steal") == 2


def test_whoever_is_not_sure_about_the_age_is_led_on_and_nothing_is_read(
    wire: Harness, phone: BrowserContext, picture: Path
) -> None:
    page, _ = notes_page(wire, phone, picture)
    page.click("#add")
    wire.clear()
    page.get_by_label("No, or I am not sure").click()  # check() would look for it on the next page
    page.wait_for_url("**/help/under-18")
    assert not any(request.method == "POST" for request in wire.requests)
