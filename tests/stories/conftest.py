"""The demonstration, served for real, and Debian's Chromium to look at it. Pictures are painted."""

from __future__ import annotations

import socket
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from staydown.cli.demo import Demo, serve_demo
from staydown.cli.demo_setup import painted

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


def free_port() -> int:
    """A port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """One served demonstration for all stories of this test process; each story uses pictures of its own."""
    folder = tmp_path_factory.mktemp("demo")
    with serve_demo(folder, port=free_port(), forum_port=free_port()) as served:
        yield served


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def phone(browser: Browser) -> Iterator[BrowserContext]:
    """A new window of a phone's size."""
    context = browser.new_context(viewport=PHONE, accept_downloads=True)
    context.set_default_timeout(20_000)
    yield context
    context.close()


@pytest.fixture
def desktop(browser: Browser) -> Iterator[BrowserContext]:
    """A new window of a desk's size."""
    context = browser.new_context(viewport=DESKTOP, accept_downloads=True)
    context.set_default_timeout(20_000)
    yield context
    context.close()


@pytest.fixture
def picture(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A picture that no other story uses: the story's name chooses the paint."""
    seed = zlib.crc32(request.node.nodeid.encode()) % 2_000_000_000
    path = tmp_path / "landscape.jpg"
    path.write_bytes(painted(seed))
    return path
