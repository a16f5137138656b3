"""The demonstration, served for real, and Debian's Chromium to look at it. Pictures are painted."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from staydown.cli.demo_setup import painted
from tests.stories.serving import ServedDemo, demonstration

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 800}
OpenWindow = Callable[..., BrowserContext]


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedDemo]:
    """One served demonstration for all stories of this test process; each story uses pictures of its own."""
    with demonstration(tmp_path_factory.mktemp("demo")) as served:
        yield served


# A module's own: Playwright leaves an event loop running, which Django's tests elsewhere must not meet.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def window(browser: Browser) -> Iterator[OpenWindow]:
    """Opens new windows that share nothing with one another; closes them after the story."""
    opened = []

    def open_window(**options: object) -> BrowserContext:
        context = browser.new_context(**{"viewport": PHONE, "accept_downloads": True, **options})
        context.set_default_timeout(60_000)
        opened.append(context)
        return context

    yield open_window
    for context in opened:
        context.close()


@pytest.fixture
def phone(window: OpenWindow) -> BrowserContext:
    """A new window of a phone's size."""
    return window()


@pytest.fixture
def desktop(window: OpenWindow) -> BrowserContext:
    """A new window of a desk's size."""
    return window(viewport=DESKTOP)


@pytest.fixture
def paint(tmp_path: Path, request: pytest.FixtureRequest) -> Callable[[str], Path]:
    """Paints pictures that no other story uses: the story's name and the file's name choose the paint."""

    def paint_file(name: str) -> Path:
        path = tmp_path / name
        path.write_bytes(painted(zlib.crc32(f"{request.node.nodeid} {name}".encode()) % 2_000_000_000))
        return path

    return paint_file


@pytest.fixture
def picture(paint: Callable[[str], Path]) -> Path:
    """A picture that no other story uses."""
    return paint("landscape.jpg")
