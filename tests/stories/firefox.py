"""Debian's Firefox, driven by Marionette, its own protocol: no driver program, no download. One per module.

`private`: as Tor Browser's users have it; privacy.resistFingerprinting makes noise of whatever a page
reads back from a canvas.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from marionette_driver.by import By  # type: ignore[import-untyped]
from marionette_driver.errors import NoSuchElementException  # type: ignore[import-untyped]
from marionette_driver.marionette import Marionette  # type: ignore[import-untyped]

from tests.stories.serving import free_port

FIREFOX = "/usr/bin/firefox-esr"
PATIENCE_SECONDS = 60.0
PREFERENCES = {
    "app.update.auto": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "toolkit.telemetry.reportingpolicy.firstRun": False,
}


class Window:
    """One Firefox window, with what the stories do in it."""

    def __init__(self, marionette: Marionette) -> None:
        self.marionette = marionette

    def open(self, url: str) -> None:
        self.marionette.navigate(url)

    def script(self, code: str, *arguments: Any) -> Any:
        """What the page answers to a function's body."""
        return self.marionette.execute_script(code, script_args=arguments)

    def until(self, holds: Callable[[], Any], what: str) -> Any:
        """Waits for something true; fails with `what` if it never is."""
        end = time.monotonic() + PATIENCE_SECONDS
        while not (found := holds()):
            assert time.monotonic() < end, f"not within {PATIENCE_SECONDS:g} s: {what}; {self.text()[:500]}"
            time.sleep(0.1)
        return found

    def find(self, selector: str) -> Any:
        """The element, as soon as it is there."""

        def look() -> Any:
            try:
                return self.marionette.find_element(By.CSS_SELECTOR, selector)
            except NoSuchElementException:
                return None

        return self.until(look, selector)

    def click(self, selector: str) -> None:
        self.find(selector).click()

    def fill(self, selector: str, text: str) -> None:
        self.find(selector).send_keys(text)

    def choose(self, *files: Path) -> None:
        """On /register: says that everyone was of age, chooses files and waits until each was read."""
        self.find("html[data-kernel]")
        self.click("#adult-yes")
        for file in files:
            self.find("#files").send_keys(str(file))
        self.find("form[data-state=done]")

    def value(self, selector: str) -> str:
        return str(self.script("return document.querySelector(arguments[0]).value", selector))

    def text(self, selector: str = "body") -> str:
        return str(self.script("return document.querySelector(arguments[0])?.innerText ?? ''", selector))


@contextmanager
def firefox(folder: Path, *, private: bool = False) -> Iterator[Window]:
    """A Firefox with a profile of its own, in `folder`."""
    port = free_port()
    chosen = {**PREFERENCES, "marionette.port": port, "privacy.resistFingerprinting": private}
    folder.mkdir(parents=True, exist_ok=True)
    lines = (f'user_pref("{name}", {str(value).lower()});\n' for name, value in chosen.items())
    (folder / "user.js").write_text("".join(lines))
    arguments = ["--headless", "--marionette", "--no-remote", "--profile", str(folder)]
    process = subprocess.Popen([FIREFOX, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        marionette = Marionette(host="127.0.0.1", port=port, startup_timeout=PATIENCE_SECONDS)
        marionette.start_session(timeout=PATIENCE_SECONDS)
        marionette.timeout.script = PATIENCE_SECONDS
        yield Window(marionette)
        marionette.delete_session()
    finally:
        process.terminate()
        process.wait(timeout=30)
