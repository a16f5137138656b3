"""A loopback server for the browser tests: serves the page and web/ with the real policies, and keeps every
request as raw bytes. With `upstream` it stands before a running Staydown instead and passes requests on.

It is not the product's server and knows nothing about cases: a POST is answered with a sentence.
"""

from __future__ import annotations

import http.client
import mimetypes
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from staydown.config.csp import PAGE_CSP, headers_for_static

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "web"
TEMPLATES = [Path(__file__).with_name("templates"), ROOT / "src/staydown/survivor_site/templates"]
BASE_URL_VARIABLE = "STAYDOWN_TEST_BASE_URL"
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "server", "date"}


def render_register(**context: Any) -> str:
    """The real template over a page frame of the tests' own (tests/web/templates)."""
    import django
    from django.conf import settings
    from django.template import Context, Engine

    if not settings.configured and "DJANGO_SETTINGS_MODULE" not in os.environ:
        settings.configure(USE_I18N=False, STATIC_URL="/static/")
        django.setup()
    engine = Engine(
        dirs=[str(folder) for folder in TEMPLATES],
        libraries={"i18n": "django.templatetags.i18n", "static": "django.templatetags.static"},
    )
    return engine.get_template("survivor_site/register.html").render(
        Context({"csrf_token": "t" * 64, **context})
    )


@dataclass(frozen=True)
class RawRequest:
    """One request as it came over the wire."""

    method: str
    target: str
    head: bytes
    body: bytes

    @property
    def raw(self) -> bytes:
        return self.head + b"\r\n" + self.body

    def form(self) -> dict[str, str]:
        return {
            name: values[0] for name, values in parse_qs(self.body.decode(), keep_blank_values=True).items()
        }


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


class Harness:
    """`with Harness() as harness:` then `harness.url`, `harness.requests`, `harness.clear()`.

    page_csp and worker_csp replace a policy, for controls. upstream: base URL of a running Staydown.
    port: 0 for a free one.
    """

    def __init__(
        self,
        *,
        upstream: str | None = None,
        page_csp: Callable[[str], str] = str,
        worker_csp: Callable[[str], str] = str,
        port: int = 0,
    ) -> None:
        self.upstream = upstream if upstream is not None else os.environ.get(BASE_URL_VARIABLE)
        self.page_csp, self.worker_csp = page_csp, worker_csp
        self.requests: list[RawRequest] = []
        self.gone = False
        harness = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                if harness.gone:  # a connection that was kept open must not outlive the server
                    self.close_connection = True
                    return
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                head = self.raw_requestline + bytes(self.headers)
                request = RawRequest(self.command, self.path, head, body)
                harness.requests.append(request)
                answer = harness.respond(request, dict(self.headers))
                self.send_response_only(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(answer.body)

            do_GET = do_POST = do_HEAD = do_PUT = do_OPTIONS = answer  # noqa: N815

            def log_message(self, *_: Any) -> None:
                """The requests are kept, not printed."""

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    def __enter__(self) -> Harness:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.gone = True
        self.server.shutdown()
        self.server.server_close()

    def clear(self) -> None:
        self.requests.clear()

    def respond(self, request: RawRequest, headers: dict[str, str]) -> Answer:
        answer = self.pass_on(request, headers) if self.upstream else self.own_answer(request)
        is_worker = urlsplit(request.target).path.endswith("-worker.js")
        change = self.worker_csp if is_worker else self.page_csp
        if "Content-Security-Policy" in answer.headers:
            answer.headers["Content-Security-Policy"] = change(answer.headers["Content-Security-Policy"])
        return answer

    def pass_on(self, request: RawRequest, headers: dict[str, str]) -> Answer:
        """To the running server, with the browser's own Host, so that its CSRF check sees one origin."""
        address = urlsplit(self.upstream or "")
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=30)
        try:
            connection.request(request.method, request.target, body=request.body or None, headers=headers)
            response = connection.getresponse()
            kept = {n.title(): v for n, v in response.getheaders() if n.lower() not in HOP_BY_HOP}
            return Answer(response.status, kept, response.read())
        finally:
            connection.close()

    def own_answer(self, request: RawRequest) -> Answer:
        target = urlsplit(request.target)
        query = parse_qs(target.query)
        if target.path.startswith("/static/"):
            return self.static(target.path.removeprefix("/static/"))
        if target.path == "/register" and request.method == "POST" and "refuse" not in query:
            return self.page(
                "<!doctype html><html lang=en><title>Sent</title><p id=received>Received</p></html>"
            )
        if target.path == "/register":
            given_back = request.form().get("fingerprints", "") if request.method == "POST" else ""
            errors = ["Please send this again."] if given_back else []
            case = query.get("case", [None])[0]
            return self.page(render_register(case_number=case, fingerprints_json=given_back, errors=errors))
        if target.path == "/parts":
            return self.page((Path(__file__).with_name("templates") / "parts.html").read_text())
        if target.path in ("/help/under-18", "/request", "/exit"):
            return self.page(
                f"<!doctype html><html lang=en><title>Page</title><p id=at>{target.path}</p></html>"
            )
        return Answer(404, {"Content-Type": "text/plain"}, b"not here")

    def page(self, html: str) -> Answer:
        headers = {
            "Content-Type": "text/html; charset=utf-8",
            "Content-Security-Policy": PAGE_CSP,
            "Cache-Control": "no-store",
            "Referrer-Policy": "same-origin",
        }
        return Answer(200, headers, html.encode())

    def static(self, name: str) -> Answer:
        path = (WEB / name).resolve()
        if name == "site.css" and not path.exists():
            path = Path(__file__).with_name("templates") / "site.css"
        elif not path.is_relative_to(WEB) or not path.is_file():
            return Answer(404, {"Content-Type": "text/plain"}, b"not here")
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        return Answer(200, {"Content-Type": kind, **headers_for_static(name)}, path.read_bytes())
