"""Runs the example forum inside a test, opens windows on it, and looks into its folder. Paints pictures.

It sends forms as a browser would: with the hidden token of the page that shows the form.
"""

from __future__ import annotations

import functools
import io
import re
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
from starlette.testclient import TestClient

from forum.app import create_forum
from forum.pictures import paint
from forum.settings import ForumSettings
from staydown.client import AsyncStaydown
from tests.doubles.staydown_server import WEBHOOK_SECRET, StaydownDouble

PUBLIC_URL = "http://forum.test"
PASSWORD = "a long enough password"
# Long enough for a busy machine; only a test that fails waits for it.
PATIENCE_SECONDS = 10.0


@functools.cache
def painting(seed: int = 7, *, kind: str = "JPEG", size: tuple[int, int] = (300, 200)) -> bytes:
    """A painted landscape as a file."""
    out = io.BytesIO()
    paint(seed, size=size).save(out, kind)
    return out.getvalue()


class Window:
    """One person's browser window."""

    def __init__(self, client: TestClient) -> None:
        self.client = client

    def open(self, path: str, **more: Any) -> httpx.Response:
        """The page, after redirects."""
        answer: httpx.Response = self.client.get(path, **more)
        return answer

    def token(self, page: str = "/join") -> str:
        """The hidden token of a page's form."""
        found = re.search(r'name="form_token" value="([^"]+)"', self.open(page).text)
        assert found, f"no form on {page}"
        return found[1]

    def send(self, action: str, *, page: str = "/join", files: Any = None, **values: str) -> httpx.Response:
        """Sends a form; the answer after redirects."""
        data = {"form_token": self.token(page), **values}
        answer: httpx.Response = self.client.post(action, data=data, files=files)
        return answer

    def upload(self, picture: bytes, *, title: str = "A walk", name: str = "a.jpg") -> httpx.Response:
        """Posts a picture."""
        files = {"picture": (name, picture, "image/jpeg")}
        return self.send("/upload", page="/upload", files=files, title=title)

    def post(self, picture: bytes, *, title: str = "A walk") -> str:
        """Posts a picture that is taken; the new post's id."""
        answer = self.upload(picture, title=title)
        assert answer.status_code == 200, answer.text
        return answer.url.path.rsplit("/", 1)[-1]

    def status(self, path: str) -> int:
        return self.open(path).status_code


class Harbour:
    """The forum with its folder, started and stopped; a folder may be started again."""

    def __init__(self, folder: Path, staydown: StaydownDouble) -> None:
        self.folder, self.staydown = folder, staydown
        self.settings = ForumSettings(
            data=folder,
            public_url=PUBLIC_URL,
            staydown_url=staydown.origin,
            staydown_token=staydown.token,
            webhook_secret=WEBHOOK_SECRET,
        )

    def __enter__(self) -> Self:
        client = AsyncStaydown(
            self.staydown.origin,
            self.staydown.token,
            timeout_ms=300,
            on_unreachable="hold",
            transport=self.staydown.transport(),
        )
        self._app = create_forum(self.settings, staydown_client=client)
        self._first = TestClient(self._app, base_url=PUBLIC_URL)
        self._first.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._first.__exit__(kind, error, traceback)

    def window(self) -> Window:
        """A stranger's window."""
        client = TestClient(self._app, base_url=PUBLIC_URL, raise_server_exceptions=False)
        client.portal = self._first.portal  # all requests on the forum's own event loop
        return Window(client)

    def member(self, name: str) -> Window:
        """A new member's window; the forum's first member is its moderator."""
        window = self.window()
        joined = window.send("/join", name=name, password=PASSWORD)
        assert joined.status_code == 200, joined.text
        return window

    def hear(self, headers: dict[str, str], body: bytes) -> int:
        """A webhook comes in; the status of the answer."""
        return int(self._first.post("/staydown/webhook", headers=headers, content=body).status_code)

    def order_removal(self, **copy: Any) -> str:
        """Staydown orders a copy removed; returns its id."""
        copy_id = self.staydown.instruct(**copy)
        assert self.hear(*self.staydown.webhook("copy.instructed", copy_id=copy_id)) == 204
        return copy_id

    def confirmed(self, copy_id: str) -> bool:
        return bool(self.staydown.copies[copy_id]["state"] == "gone")

    def files(self) -> list[str]:
        """The names of all stored pictures."""
        return sorted(path.name for path in (self.folder / "media").iterdir())

    def rows(self, table: str = "post") -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.folder / "forum.sqlite3")) as database:
            return database.execute(f"SELECT * FROM {table}").fetchall()

    def database_bytes(self) -> bytes:
        """Everything that SQLite keeps on disk."""
        return b"".join(path.read_bytes() for path in sorted(self.folder.glob("forum.sqlite3*")))


def soon(condition: Callable[[], object], *, within_seconds: float = PATIENCE_SECONDS) -> bool:
    """Whether it comes true in time."""
    end = time.monotonic() + within_seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True
