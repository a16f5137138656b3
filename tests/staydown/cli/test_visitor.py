"""A visitor fills in forms as they stand on the page, and cannot send one that is not there."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from staydown.cli.visitor import FormNotFound, Visitor

PAGE = """
<form action="/elsewhere"><input name="secret" value="of another form"></form>
<form action="/send" method="post">
  <input type="hidden" name="token" value="t&amp;1">
  <input name="name" value="preset"><input name="empty">
  <input type="radio" name="kind" value="a"><input type="radio" name="kind" value="b" checked>
  <input type="checkbox" name="ticked" value="yes" checked>
  <input type="checkbox" name="not_ticked" value="yes">
  <input type="file" name="picture"><input type="submit" name="press" value="Send"><input value="nameless">
</form>
<input name="outside" value="of any form">
"""


class Site:
    """A site of one form, on loopback; keeps what came."""

    def __init__(self) -> None:
        self.came: list[tuple[str, str, dict[str, str], bytes]] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                site.came.append((self.command, self.path, dict(self.headers), body))
                if self.command == "POST":
                    self.send_response(303)
                    self.send_header("Location", "/done")
                else:
                    self.send_response(404 if self.path == "/nothing" else 200)
                    self.send_header("Set-Cookie", "s=1; Path=/")
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(PAGE.encode())

            do_GET = do_POST = answer  # noqa: N815

            def log_message(self, *_: Any) -> None:
                """Nothing is printed."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.server.shutdown()
    site.server.server_close()


def test_form_is_sent_with_what_the_page_gave_and_what_was_filled_in(site: Site) -> None:
    # When
    with Visitor(site.url) as visitor:
        answer = visitor.send("/page", action="/send", name="Alice & Bob", more="1")

    # Then only the form's own chosen values are sent, with where it was found and the cookie
    (_, _, _, _), (method, path, headers, body), *_ = site.came
    assert (method, path) == ("POST", "/send")
    assert body == b"token=t%261&name=Alice+%26+Bob&empty=&kind=b&ticked=yes&more=1"
    assert headers["Referer"] == f"{site.url}/page"
    assert headers["Cookie"] == "s=1"

    # And the redirect is followed
    assert str(answer.url) == f"{site.url}/done"


def test_form_with_a_file_is_sent_in_parts(site: Site) -> None:
    with Visitor(site.url) as visitor:
        visitor.send("/page", action="/send", files={"picture": ("a.jpg", b"\xff\xd8", "image/jpeg")})

    _, (_, _, headers, body), *_ = site.came
    assert headers["Content-Type"].startswith("multipart/form-data")
    assert b'filename="a.jpg"' in body
    assert b"\xff\xd8" in body
    assert b"t&1" in body


def test_form_that_is_not_on_the_page_cannot_be_sent(site: Site) -> None:
    with Visitor(site.url) as visitor, pytest.raises(FormNotFound, match=r"/nothing .* /gone \(status 404\)"):
        visitor.send("/nothing", action="/gone")

    assert [method for method, *_ in site.came] == ["GET"]


def test_page_that_is_opened_keeps_its_cookie_for_the_next(site: Site) -> None:
    with Visitor(site.url) as visitor:
        assert visitor.open("/page").status_code == 200
        assert visitor.open("/nothing").status_code == 404

    assert [headers.get("Cookie") for _, _, headers, _ in site.came] == [None, "s=1"]


def test_proxy_of_the_environment_is_not_asked(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")

    with Visitor(site.url) as visitor:
        assert visitor.open("/page").status_code == 200
