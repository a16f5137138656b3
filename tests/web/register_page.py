"""What a person does on the page where fingerprints are made, for tests to say in one line each."""

from __future__ import annotations

import json
import mimetypes
from typing import Any

from playwright.sync_api import Page


def open_register(page: Page, base_url: str, *, adult: bool = True, query: str = "") -> None:
    page.goto(f"{base_url}/register{query}")
    page.wait_for_selector("html[data-kernel]", state="attached")
    if adult:
        page.check("#adult-yes")


def upload(name: str, content: bytes, kind: str | None = None) -> Any:
    guessed = kind or mimetypes.guess_type(name)[0] or "application/octet-stream"
    return {"name": name, "mimeType": guessed, "buffer": content}


def choose(page: Page, *files: Any, timeout_ms: int = 60_000) -> None:
    """Chooses the files and waits until every one was dealt with."""
    page.set_input_files("#files", list(files))
    page.wait_for_selector("form[data-state=done]", timeout=timeout_ms)


def statuses(page: Page) -> dict[str, str]:
    rows = page.locator("#file-list li")
    return {
        rows.nth(i).locator(".file-name").inner_text(): rows.nth(i).locator(".file-status").inner_text()
        for i in range(rows.count())
    }


def items(page: Page) -> list[dict[str, Any]]:
    """What the form would send."""
    text = page.input_value("#fingerprints")
    return json.loads(text)["items"] if text else []
