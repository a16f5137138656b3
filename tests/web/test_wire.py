"""Story: your picture stays on this device.

1. Alice chooses pictures; while they are read, no request leaves her browser.
2. She presses "Send fingerprints": one POST, without a byte of any picture in it.
3. Were the page's script turned against her, the policy would stop it.
4. The detector itself is shown to catch a leak, with the policy opened: a test that cannot fail proves
   nothing.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from urllib.parse import unquote_to_bytes

import numpy as np
import pytest
from playwright.sync_api import Page

from tests.web.harness import Harness, RawRequest
from tests.web.pictures import FORMATS
from tests.web.register_page import choose, items, open_register, upload
from tests.web.test_fingerprints import FALSIFY, before_worker
from tests.web.varied_pictures import heics

pytestmark = pytest.mark.browser
SHINGLE_BYTES = 12
CHOSEN = ["photo.jpg", "small.png", "lossy.webp"]
SABOTAGE = """
document.getElementById('files').addEventListener('change', (event) => {
  for (const file of [...event.target.files]) {
    fetch('/steal', {method: 'POST', body: file}).catch(() => {});
    try { navigator.sendBeacon('/beacon', file.slice(0, 50000)); } catch {}
    const request = new XMLHttpRequest();
    request.open('POST', '/xhr');
    try { request.send(file.slice(0, 50000)); } catch {}
    file.slice(1000, 1400).arrayBuffer().then((bytes) => {
      const text = [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
      new Image().src = '/pixel.png?d=' + text;
    });
  }
}, {capture: true});
"""
# A worker's script that tries each way out that a worker has, and says which it tried.
ESCAPES = """
;(() => {
  const tries = {
    fetch: () => fetch('/steal?worker'),
    xhr: () => { const r = new XMLHttpRequest(); r.open('POST', '/xhr?worker'); r.send('x'); },
    socket: () => new WebSocket(location.origin.replace('http', 'ws') + '/socket?worker'),
    events: () => new EventSource('/events?worker'),
    module: () => import('/module?worker'),
    scripts: () => importScripts('/scripts?worker'),
    worker: () => new Worker('/worker?worker'),
  };
  for (const attempt of Object.values(tries)) {
    try { Promise.resolve(attempt()).catch(() => {}); } catch {}
  }
})();
"""


def shingles(files: Iterable[bytes]) -> set[bytes]:
    """Every 12 bytes of every file, raw, and in the encodings in which bytes travel."""
    found: set[bytes] = set()
    for content in files:
        for at in range(0, len(content) - SHINGLE_BYTES, 3):
            window = content[at : at + SHINGLE_BYTES]
            if len(set(window)) < 6:
                continue  # zeros and other runs, which any request may hold
            encoded = base64.b64encode(window)
            found |= {
                window,
                window.hex().encode(),
                encoded,
                encoded.translate(bytes.maketrans(b"+/", b"-_")),
            }
    return found


def windows(text: bytes, length: int) -> set[bytes]:
    return {text[at : at + length] for at in range(len(text) - length + 1)}


def leaks(requests: list[RawRequest], files: list[bytes]) -> list[str]:
    """Method and path of each request that holds a piece of a file."""
    needles = shingles(files)
    lengths = {len(needle) for needle in needles}
    caught = []
    for request in requests:
        texts = {request.raw, unquote_to_bytes(request.raw), request.raw.lower()}
        if any(not needles.isdisjoint(windows(text, length)) for text in texts for length in lengths):
            caught.append(f"{request.method} {request.target.split('?')[0]}")
    return caught


def chosen_files() -> dict[str, bytes]:
    return {name: FORMATS[name]() for name in CHOSEN}


def test_no_request_while_reading_and_one_post_without_a_picture_byte(page: Page, harness: Harness) -> None:
    # Given the open page
    files = chosen_files()
    open_register(page, harness.url)
    harness.clear()

    # When Alice chooses pictures and opens "See exactly what will be sent"
    choose(page, *(upload(name, content) for name, content in files.items()))
    page.click("#exact > summary")
    page.wait_for_selector("#exact[open]")
    page.locator("#exact-text", has_text="version").wait_for()
    shown = page.locator("#exact-text").inner_text()

    # Then nothing has left
    assert harness.requests == []

    # When she sends
    with page.expect_navigation():
        page.click("#send")

    # Then there was one POST, it is what was shown, and no file's byte or name is anywhere on the wire
    posts = [request for request in harness.requests if request.method == "POST"]
    assert len(posts) == 1
    form = posts[0].form()
    assert json.loads(form["fingerprints"]) == json.loads(shown)
    assert len(json.loads(shown)["items"]) == 3
    assert form["adult"] == "yes"
    assert set(form) == {"fingerprints", "adult", "csrfmiddlewaretoken", "send_id", "open_key"}
    assert leaks(harness.requests, list(files.values())) == []
    assert not any(name.encode() in request.raw for request in harness.requests for name in files)


def test_the_page_works_after_the_connection_is_cut(page: Page, harness: Harness) -> None:
    open_register(page, harness.url)
    page.context.set_offline(True)

    choose(page, upload("photo.jpg", FORMATS["photo.jpg"]()))

    assert len(items(page)) == 1


def test_a_script_turned_against_the_person_is_stopped_by_the_policy(page: Page, harness: Harness) -> None:
    # Given a page whose script tries to send the files four ways
    files = chosen_files()
    open_register(page, harness.url)
    page.evaluate(SABOTAGE)
    harness.clear()

    # When Alice chooses pictures
    choose(page, *(upload(name, content) for name, content in files.items()))
    page.wait_for_timeout(1000)

    # Then nothing arrives
    assert harness.requests == []


def test_control_the_detector_catches_the_leak_when_the_policy_is_opened(page: Page) -> None:
    # Given the same sabotage, and a policy that allows connections and pictures
    def opened(policy: str) -> str:
        return policy.replace("connect-src 'none'", "connect-src *").replace("img-src", "img-src 'self'")

    files = chosen_files()
    with Harness(page_csp=opened) as harness:
        open_register(page, harness.url)
        page.evaluate(SABOTAGE)
        harness.clear()

        # When Alice chooses pictures
        choose(page, *(upload(name, content) for name, content in files.items()))
        page.wait_for_timeout(1500)
        caught = leaks(harness.requests, list(files.values()))

    # Then every one of the four ways is caught
    assert {"POST /steal", "POST /beacon", "POST /xhr", "GET /pixel.png"} <= set(caught)


def worker_that_escapes(harness: Harness, worker: str = "fingerprint-worker.js") -> None:
    original = harness.static

    def static(name: str):  # type: ignore[no-untyped-def]
        answer = original(name)
        if name.endswith(worker):
            return type(answer)(answer.status, answer.headers, answer.body + ESCAPES.encode())
        return answer

    harness.static = static  # type: ignore[method-assign]


def escaped(harness: Harness) -> set[str]:
    return {request.target for request in harness.requests if request.target.endswith("?worker")}


def test_a_worker_turned_against_the_person_reaches_nothing(page: Page, harness: Harness) -> None:
    worker_that_escapes(harness)

    open_register(page, harness.url)
    page.wait_for_timeout(1000)

    assert escaped(harness) == set()


def test_control_the_same_worker_reaches_out_without_its_own_policy(page: Page) -> None:
    # The worker does not inherit the page's policy: this is why it has one of its own.
    with Harness(worker_csp=lambda _: "script-src * 'wasm-unsafe-eval'") as harness:
        worker_that_escapes(harness)

        open_register(page, harness.url)
        page.wait_for_timeout(1500)

        assert {"/steal?worker", "/xhr?worker", "/module?worker"} <= escaped(harness)


DECODERS = {"/static/dist/decode-worker.js", "/static/dist/heic-worker.js"}


def chosen_through_decoders_that_escape(page: Page, harness: Harness) -> list[bytes]:
    """A browser that falsifies pixels, a photo and a phone's HEIC, and decoders turned against the person."""
    before_worker(harness, FALSIFY)
    for decoder in DECODERS:
        worker_that_escapes(harness, decoder.rpartition("/")[2])
    files = {"photo.jpg": FORMATS["small.png"](), "phone.heic": heics()["p3.heic"]}
    open_register(page, harness.url)
    choose(page, *(upload(name, content) for name, content in files.items()))
    page.wait_for_timeout(1500)
    assert all(item["codes"] for item in items(page))
    return list(files.values())


def test_decoders_turned_against_the_person_reach_nothing(page: Page, harness: Harness) -> None:
    contents = chosen_through_decoders_that_escape(page, harness)

    assert {request.target for request in harness.requests} >= DECODERS
    assert escaped(harness) == set()
    assert leaks(harness.requests, contents) == []


def test_control_the_same_decoders_reach_out_without_their_own_policy(page: Page) -> None:
    with Harness(worker_csp=lambda _: "script-src * 'wasm-unsafe-eval'") as harness:
        chosen_through_decoders_that_escape(page, harness)

        assert {"/steal?worker", "/xhr?worker", "/module?worker"} <= escaped(harness)


def test_the_detector_finds_each_encoding_and_is_quiet_on_digests() -> None:
    content = np.random.default_rng(3).bytes(3000)
    piece = content[300:340]

    def request(body: bytes) -> RawRequest:
        return RawRequest("POST", "/x", b"POST /x HTTP/1.1\r\n", body)

    for body in (piece, piece.hex().encode(), base64.b64encode(piece), base64.urlsafe_b64encode(piece)):
        assert leaks([request(body)], [content]) == ["POST /x"]
    assert leaks([request(b"sha256=" + b"0123456789abcdef" * 4)], [content]) == []
