"""Story: whatever is sent, the answer says what is wrong, and nothing breaks or swells.

1. Platforms send files that cannot be read, bombs, and fingerprints that are none: each a problem of its own.
2. A wrong and a replaced token are refused, and not told apart.
3. On the page: files that cannot be read, and 500 files at once.
4. A wrong receipt, an address on another site, a form sent by hand: each is named, what was typed is kept.
5. All the while the server's processes stay below 300 MB of growth.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import BrowserContext, expect

from staydown.cli.visitor import Visitor
from tests.stories.people import ELEMENTS, gate, registered, saved, submission
from tests.stories.serving import OwnHouse, ServedDemo, run_staydown

pytestmark = pytest.mark.browser
MAY_GROW_MB = 300
MAY_GROW_WHILE_READING_MB = 1200


def memory_mb(leader: int) -> float:
    """Resident memory of every process in the group that `leader` leads, shared pages counted once each."""
    total = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if os.getpgid(int(folder.name)) != leader:
                continue
            lines = (folder / "status").read_text().splitlines()
        except (ProcessLookupError, FileNotFoundError):
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith(("RssAnon:", "RssShmem:")))
    return total / 1024


@pytest.fixture(autouse=True)
def bounded_memory(demo: ServedDemo) -> Iterator[None]:
    """After each story the demonstration's processes hold about what they held before."""
    gate(demo.url, demo.secrets.token, saved(Image.new("RGB", (64, 64))))  # a decoding process is running
    before = memory_mb(demo.pid)
    yield
    assert before > 50, "the processes were not found"
    assert memory_mb(demo.pid) - before < MAY_GROW_MB


def png(width: int, height: int, rows: bytes) -> bytes:
    """A PNG of one bit a pixel, its compressed rows given."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def bomb() -> bytes:
    """40,000 x 40,000 pixels in about 200 kilobytes."""
    press = zlib.compressobj(1)
    row = bytes(1 + 40_000 // 8) * 1000
    return png(40_000, 40_000, b"".join(press.compress(row) for _ in range(40)) + press.flush())


def jpeg_of_200_megapixels() -> bytes:
    """A small JPEG whose header claims 20,000 x 10,000 pixels."""
    small = saved(Image.effect_noise((64, 64), 60).convert("RGB"))
    at = small.index(b"\xff\xc0") + 5
    return small[:at] + struct.pack(">HH", 10_000, 20_000) + small[at + 4 :]


def damaged() -> bytes:
    """A JPEG that breaks off in its header."""
    return saved(Image.effect_noise((400, 300), 60).convert("RGB"))[:300]


BAD_FILES = {
    "0 bytes": (lambda: b"", {400, 422}, "empty"),
    "text named .jpg": (lambda: b"I am not a picture.\n" * 40, {422}, "unknown-format"),
    "a damaged JPEG": (damaged, {422}, "damaged-file"),
    "random bytes": (lambda: np.random.default_rng(1).bytes(5000), {422}, "unknown-format"),
    "a bomb of 1,600 megapixels": (bomb, {413}, "too-many-pixels"),
    "a PNG header of 200 megapixels": (lambda: png(20_000, 10_000, b""), {413}, "too-many-pixels"),
    "a JPEG header of 200 megapixels": (jpeg_of_200_megapixels, {413}, "too-many-pixels"),
    "4 pixels": (lambda: saved(Image.new("RGB", (2, 2)), "PNG"), {422}, "too-small"),
}


def problem(answer: httpx.Response) -> dict[str, object]:
    """The one error shape, checked."""
    assert answer.headers["content-type"].startswith("application/problem+json"), answer.text
    told = answer.json()
    assert told["type"] == f"urn:staydown:problem:{told['type'].rsplit(':', 1)[-1]}"
    assert told["status"] == answer.status_code
    assert told["title"]
    return dict(told)


@pytest.mark.parametrize("name", BAD_FILES)
@pytest.mark.parametrize("path", ["check", "gate"])
def test_bad_file_gets_a_problem_of_its_own(demo: ServedDemo, name: str, path: str) -> None:
    # Given a bad file
    make, statuses, slug = BAD_FILES[name]

    # When the platform asks about it
    answer = httpx.post(
        f"{demo.url}/api/v1/{path}",
        files={"media": ("holiday.jpg", make(), "image/jpeg")},
        headers={"Authorization": f"Bearer {demo.secrets.token}"},
        timeout=30,
        trust_env=False,
    )

    # Then the answer says what is wrong with it
    told = problem(answer)
    assert answer.status_code in statuses, told
    assert slug in str(told["type"]), told
    assert told["detail"]
    assert "holiday" not in answer.text

    # Then the next good picture is checked as ever
    assert gate(demo.url, demo.secrets.token, saved(Image.effect_noise((200, 200), 50).convert("RGB"))) == 200


BAD_BODIES = {
    "no JSON": (b"{", 400),
    "not an object": (b"[]", 400),
    "nothing in it": (b"{}", 422),
    "no fingerprint": (b'{"fingerprints": {}}', 422),
    "a code that is too short": (b'{"fingerprints": {"pdq": {"hex": "abcd", "quality": 90}}}', 422),
    "a code that is no hex": (
        b'{"fingerprints": {"pdq": {"hex": "' + b"z" * 64 + b'", "quality": 90}}}',
        422,
    ),
    "a quality of 300": (b'{"fingerprints": {"pdq": {"hex": "' + b"a" * 64 + b'", "quality": 300}}}', 422),
    "a digest that is too long": (b'{"fingerprints": {"sha256": "' + b"a" * 65 + b'"}}', 422),
    "nested 5,000 deep": (b'{"fingerprints": ' + b"[" * 5000 + b"]" * 5000 + b"}", 400),
}


@pytest.mark.parametrize("name", BAD_BODIES)
def test_malformed_fingerprint_gets_a_problem(demo: ServedDemo, name: str) -> None:
    body, status = BAD_BODIES[name]
    answer = httpx.post(
        f"{demo.url}/api/v1/check",
        content=body,
        headers={"Authorization": f"Bearer {demo.secrets.token}", "Content-Type": "application/json"},
        trust_env=False,
    )

    told = problem(answer)
    assert answer.status_code in {status, 400, 422}, told
    assert told["detail"]


def test_wrong_and_replaced_tokens_are_refused_alike(tmp_path: Path, picture: Path) -> None:
    # Given a platform whose token is replaced
    house = OwnHouse(tmp_path)
    try:
        house.set_up()
        house.start()
        assert gate(house.url, house.token, picture.read_bytes()) == 200
        replaced = run_staydown("manage", "replace-token", "Harbour", data=house.data)
        assert replaced.returncode == 0, replaced.stderr
        new = replaced.stdout.split()[1]

        # When it calls with the old one, a wrong one, none, and something that is no token
        told = []
        for token in (house.token, "sdk_wrong", "", "x" * 5000):
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            for path, kind in (("check", "post"), ("gate", "post"), ("copies/cpy_none", "get")):
                answer = httpx.request(
                    kind,
                    f"{house.url}/api/v1/{path}",
                    headers=headers,
                    json={"fingerprints": {"sha256": "0" * 64}} if kind == "post" else None,
                    trust_env=False,
                )
                assert answer.status_code == 401, (token[:9], path, answer.text)
                told.append((path, token == "", str(problem(answer)["detail"])))

        # Then nobody learns which of these it was
        for path in ("check", "gate", "copies/cpy_none"):
            assert len({detail for where, none, detail in told if where == path and not none}) == 1

        # Then the new one is good
        assert gate(house.url, new, picture.read_bytes()) == 200
    finally:
        house.stop()


def test_page_names_each_file_that_cannot_be_used(
    demo: ServedDemo, phone: BrowserContext, picture: Path
) -> None:
    # Given one good picture among bad files
    page = phone.new_page()
    page.goto(demo.url + "/register")
    page.wait_for_selector("html[data-kernel]", state="attached")
    page.check("#adult-yes")
    files = {
        "empty.jpg": (b"", "this file is empty (0 bytes)"),
        "text.jpg": (b"I am not a picture.\n" * 40, "not a picture or a video that we know"),
        "damaged.jpg": (damaged(), "this file is damaged"),
        "bomb.png": (bomb(), "this picture is too large"),
        "header.jpg": (jpeg_of_200_megapixels(), "this picture is too large"),
        "dots.png": (saved(Image.new("RGB", (2, 2)), "PNG"), "smaller than 5 pixels"),
        "good.jpg": (picture.read_bytes(), "Ready."),
    }

    # When Alice chooses them all
    page.set_input_files(
        "#files",
        [{"name": name, "mimeType": "image/jpeg", "buffer": content} for name, (content, _) in files.items()],
    )
    page.wait_for_selector("form[data-state=done]", timeout=60_000)

    # Then each says what is wrong with it, and the good one can be sent
    for name, (_, sentence) in files.items():
        row = page.locator("#file-list li").filter(has=page.get_by_text(name, exact=True).first)
        expect(row.locator(".file-status")).to_contain_text(sentence)
    page.click("#send")
    expect(page.get_by_text("1 picture is registered.")).to_be_visible()


def test_500_files_at_once_are_answered_with_what_to_do(demo: ServedDemo, phone: BrowserContext) -> None:
    # Given 500 tiny pictures
    rng = np.random.default_rng(9)
    files = []
    for number in range(500):
        image = Image.fromarray(rng.integers(0, 255, (16, 16, 3), dtype=np.uint8))
        files.append({"name": f"{number}.png", "mimeType": "image/png", "buffer": saved(image, "PNG")})
    page = phone.new_page()
    page.goto(demo.url + "/register")
    page.wait_for_selector("html[data-kernel]", state="attached")
    page.check("#adult-yes")

    # When Alice chooses all of them
    page.set_input_files("#files", files)
    page.wait_for_selector("form[data-state=done]", timeout=60_000)

    # Then she reads that the first hundred are taken, what to do with the others, and which they are
    expect(page.locator("#left-out-text")).to_contain_text("You chose 500 files. Up to 100 can be sent")
    assert page.locator("#left-out-names li").count() == 400
    page.click("#send")
    expect(page.get_by_text("100 pictures are registered.")).to_be_visible()


BAD_SUBMISSIONS = {
    "no text": ("", "could not be read"),
    "no item": ('{"version": 1, "items": []}', "No fingerprint arrived."),
    "no JSON": ("{", "could not be read"),
    "500 items": (
        json.dumps({"version": 1, "items": [{"media": "image"}] * 500}),
        "500 pictures arrived; 100 can be sent at a time.",
    ),
    "an item without digests": (
        json.dumps({"version": 1, "items": [{"media": "image"}]}),
        "Picture 1 could not be used",
    ),
}


@pytest.mark.parametrize("name", BAD_SUBMISSIONS)
def test_submission_made_by_hand_is_refused_with_a_reason(demo: ServedDemo, name: str) -> None:
    sent, sentence = BAD_SUBMISSIONS[name]
    with Visitor(demo.url) as alice:
        answer = alice.send("/register", action="", adult="yes", fingerprints=sent)

    assert answer.status_code == 422
    assert sentence in answer.text
    assert "This was not saved yet" in answer.text


def test_fingerprints_that_were_refused_are_given_back(demo: ServedDemo, picture: Path) -> None:
    # Given a submission with one good and one malformed picture
    good = json.loads(submission(picture.read_bytes()))
    good["items"].append({**good["items"][0], "sha256": "0" * 63})
    sent = json.dumps(good)

    # When it is sent
    with Visitor(demo.url) as alice:
        answer = alice.send("/register", action="", adult="yes", fingerprints=sent)

    # Then the picture is named, and the fingerprints need not be made again
    assert answer.status_code == 422
    assert "Picture 2 could not be used" in answer.text
    assert "Your fingerprints are still here" in answer.text
    assert good["items"][0]["sha256"] in answer.text


def test_wrong_receipt_is_explained_and_the_number_kept(
    demo: ServedDemo, phone: BrowserContext, picture: Path
) -> None:
    # Given a receipt
    with Visitor(demo.url) as alice:
        receipt = registered(alice, picture.read_bytes())
    page = phone.new_page()

    # When Charlie tries other words, or Alice mistypes the number
    for number, words in (
        (receipt.number, "one two three four five six seven"),
        ("C-0000-0000", receipt.key_phrase),
    ):
        page.goto(demo.url + "/case")
        page.fill("#number", number)
        page.fill("#key_phrase", words)
        page.get_by_role("button", name="Open", exact=True).click()

        # Then the same sentence says what may be wrong; the number is kept, the words are not shown again
        expect(page.get_by_role("alert")).to_contain_text("do not belong together")
        assert page.input_value("#number") == number
        assert page.input_value("#key_phrase") == ""


BAD_ADDRESSES = {
    "another site": ("https://elsewhere.example/p/1", "on another site"),
    "no address": ("the one with the blue door", "Line 1 is not a web address"),
    "a script": ("javascript:alert(1)", "Line 1"),
    "another port": ("http://127.0.0.1:1/posts/1", "on another site"),
    "a name before an at sign": ("{forum}@elsewhere.example/posts/1", "Line 1|on another site|line 1"),
}


@pytest.mark.parametrize("name", BAD_ADDRESSES)
def test_bad_address_is_named_and_kept(demo: ServedDemo, name: str) -> None:
    address, sentence = BAD_ADDRESSES[name]
    address = address.replace("{forum}", demo.forum_url)
    with Visitor(demo.url) as alice:
        answer = alice.send("/request", action="/request", **ELEMENTS, location=address)

    assert answer.status_code == 422
    assert any(words in answer.text for words in sentence.split("|")), answer.text
    assert address in answer.text


def test_files_that_are_sent_to_a_page_are_not_taken(demo: ServedDemo, picture: Path) -> None:
    # Given somebody who sends a picture to the registration page by hand
    with Visitor(demo.url) as alice:
        answer = alice.send(
            "/register",
            action="",
            files={"picture": ("p.jpg", picture.read_bytes(), "image/jpeg")},
            adult="yes",
            fingerprints=submission(picture.read_bytes()),
        )

    # Then it is refused or dropped; no file of the installation holds it
    assert answer.status_code < 500
    piece = picture.read_bytes()[2000:2064]
    for path in (demo.folder / "staydown").rglob("*"):
        if path.is_file() and "demo" not in path.parts[-2:]:
            assert piece not in path.read_bytes(), path


def test_bombs_all_at_once_do_not_swell_the_server(demo: ServedDemo) -> None:
    # Given 12 bombs at a time
    from concurrent.futures import ThreadPoolExecutor

    content = bomb()
    before, highest = memory_mb(demo.pid), 0.0
    with ThreadPoolExecutor(12) as pool:
        answers = [pool.submit(gate, demo.url, demo.secrets.token, content) for _ in range(36)]
        while not all(answer.done() for answer in answers):
            highest = max(highest, memory_mb(demo.pid))

    # Then each is refused, or asked to come back, and memory stayed bounded at every moment
    assert {answer.result() for answer in answers} <= {413, 429}
    assert highest - before < MAY_GROW_WHILE_READING_MB
