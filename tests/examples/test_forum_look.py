"""Every page of the forum in Chromium, small and wide: axe finds nothing, nothing hangs over the edge."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from forum.app import create_forum
from forum.settings import ForumSettings
from staydown.client import AsyncStaydown
from tests.doubles.staydown_server import WEBHOOK_SECRET, StaydownDouble
from tests.examples.harbour import PASSWORD, painting

pytestmark = pytest.mark.browser
LONG_TITLE = "A title as people write them on their telephones" + " and" * 6 + "W" * 40


@pytest.fixture
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        yield chromium
        chromium.close()


@pytest.fixture
def served(tmp_path: Path, staydown: StaydownDouble) -> Iterator[str]:
    """The forum at a loopback address."""
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    settings = ForumSettings(tmp_path, url, staydown.origin, staydown.token, WEBHOOK_SECRET)
    client = AsyncStaydown(
        staydown.origin, staydown.token, on_unreachable="hold", transport=staydown.transport()
    )
    app = create_forum(settings, staydown_client=client)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield url
    server.should_exit = True
    thread.join()


def join(browser: Browser, url: str, name: str) -> Page:
    """A new member's window; they use the keyboard only."""
    page = browser.new_context().new_page()
    page.goto(f"{url}/join")
    page.focus("[name=name]")
    page.keyboard.type(name)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{url}/")
    return page


def upload(page: Page, url: str, content: bytes, *, title: str) -> str:
    page.goto(f"{url}/upload")
    page.set_input_files(
        "[name=picture]", files=[{"name": "a.jpg", "mimeType": "image/jpeg", "buffer": content}]
    )
    page.fill("[name=title]", title)
    page.click("main button")
    page.wait_for_load_state()
    return page.url


@pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 800)])
def test_no_page_has_an_axe_violation_or_hangs_over(
    browser: Browser, served: str, staydown: StaydownDouble, width: int, height: int
) -> None:
    # Given a moderator, a member with posts of every state, and a stranger
    alice, bob = join(browser, served, "Alice"), join(browser, served, "Bob " + "B" * 36)
    stranger = browser.new_context().new_page()
    post = upload(bob, served, painting(7), title=LONG_TITLE)
    staydown.decide("hold", media=painting(11))
    staydown.decide("block", media=painting(23))
    held = upload(bob, served, painting(11), title=LONG_TITLE)

    # When each opens the pages that are theirs
    def at(page: Page, path: str) -> Callable[[], Page]:
        def opened() -> Page:
            page.goto(path if path.startswith("http") else served + path)
            return page

        return opened

    def uploaded(content: bytes) -> Callable[[], Page]:
        def sent() -> Page:
            upload(bob, served, content, title="x")
            return bob

        return sent

    pages = {
        "front": at(stranger, "/"),
        "post": at(stranger, post),
        "not found": at(stranger, "/posts/none"),
        "join": at(stranger, "/join"),
        "sign in": at(stranger, "/sign-in"),
        "upload": at(bob, "/upload"),
        "not a picture": uploaded(b"<html>"),
        "refused": uploaded(painting(23)),
        "mine": at(bob, "/mine"),
        "held": at(bob, held),
        "waiting": at(alice, "/mine"),
        "decide": at(alice, held),
    }
    found = {}
    for window in (alice, bob, stranger):
        window.set_viewport_size({"width": width, "height": height})
    for name, opened in pages.items():
        page = opened()
        over = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
        violations = [violation["id"] for violation in Axe().run(page).response["violations"]]
        if over or violations:
            found[name] = (over, violations)

    # Then nothing is found, and axe can find something
    assert found == {}
    stranger.evaluate("document.documentElement.removeAttribute('lang')")
    assert Axe().run(stranger).response["violations"]


def test_a_moderator_loads_no_held_picture_before_opening_it(
    browser: Browser, served: str, staydown: StaydownDouble
) -> None:
    alice, bob = join(browser, served, "Alice"), join(browser, served, "Bob")
    staydown.decide("hold", media=painting(11))
    held = upload(bob, served, painting(11), title="Not yet")
    loaded: list[str] = []
    alice.on("request", lambda request: loaded.append(request.url))

    alice.goto(f"{served}/mine")
    alice.goto(held)
    alice.wait_for_timeout(300)
    before = [url for url in loaded if "/media/" in url]
    alice.focus("summary")
    alice.keyboard.press("Enter")
    shown = "document.querySelector('details img').naturalWidth > 0"
    for _ in range(100):
        if alice.evaluate(shown):
            break
        alice.wait_for_timeout(50)

    assert alice.evaluate(shown)
    assert before == []
    assert [url for url in loaded if "/media/" in url]
