"""An in-memory twin of Staydown's public API, for tests of whatever uses the SDK.

It answers the check, gate, batch, copies and edge endpoints and signs webhooks. It knows only what a test
tells it (`decide`, `instruct`): it compares digests and whole codes, and computes no fingerprints. Without
network by `transport()`, over loopback by `serve()`.
"""

import base64
import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
from standardwebhooks.webhooks import Webhook

TOKEN = "sdk_for_tests_only"
WEBHOOK_SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
_GATE_STATUS = {"allow": 200, "hold": 202, "block": 451}


@dataclass(frozen=True)
class Received:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    fields: dict[str, str]
    media: bytes | None
    document: dict[str, Any] | None


@dataclass
class Reply:
    status: int
    document: dict[str, Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes = b""

    @property
    def body(self) -> bytes:
        return self.content if self.document is None else json.dumps(self.document).encode()


class StaydownDouble:
    """`is_down` refuses connections; `next_replies` are given first, one a request."""

    def __init__(self, *, token: str = TOKEN, webhook_secret: str = WEBHOOK_SECRET) -> None:
        self.token = token
        self.webhook_secret = webhook_secret
        self.origin = "http://staydown.test"
        self.is_down = False
        self.connections = 0
        self.next_replies: list[Reply] = []
        self.requests: list[Received] = []
        self.edge: dict[str, bytes] = {}  # "manifest" and the files, by name
        self.copies: dict[str, dict[str, Any]] = {}
        self._decided: dict[str, dict[str, Any]] = {}
        self._answered: dict[tuple[str, str], Reply] = {}
        self._lock = threading.Lock()
        self._count = 0

    # what a test arranges

    def decide(self, action: str, *, media: bytes | None = None, pdq_hex: str | None = None) -> str:
        """From now on this file, or this PDQ code, is answered with `action`; returns the entry id."""
        entry_id = self._new_id("ent")
        state = {"hold": "unconfirmed", "block": "confirmed", "allow": "disputed"}[action]
        match = {"entry_id": entry_id, "distance_bits": 0, "bank": "default", "state": state}
        if media is not None:
            extra = {"kind": "exact", "derivation": "full", "rule": f"{state}-exact"}
            self._decided[hashlib.sha256(media).hexdigest()] = {"action": action, "matches": [match | extra]}
        if pdq_hex is not None:
            extra = {"kind": "near", "derivation": "full", "rule": f"{state}-near"}
            self._decided[pdq_hex] = {"action": action, "matches": [match | extra]}
        return entry_id

    def instruct(
        self, *, content_id: str | None = None, content_url: str | None = None, kind: str = "exact"
    ) -> str:
        """A copy that the platform is told to remove; returns its id."""
        copy_id = self._new_id("cpy")
        self.copies[copy_id] = {
            "copy_id": copy_id,
            "content_id": content_id,
            "content_url": content_url,
            "state": "instructed",
            "kind": kind,
        }
        return copy_id

    def webhook(
        self,
        kind: str,
        *,
        copy_id: str | None = None,
        event_id: str | None = None,
        at: datetime | None = None,
    ) -> tuple[dict[str, str], bytes]:
        """Headers and body of a signed webhook about a copy, or of a ping."""
        at = at or datetime.now(UTC)
        copy = self.copies[copy_id] if copy_id else {}
        data = {name: copy[name] for name in ("copy_id", "content_id", "state") if name in copy}
        body = json.dumps({"type": kind, "timestamp": at.isoformat(), "data": data})
        event_id = event_id or self._new_id("msg")
        return {
            "content-type": "application/json",
            "webhook-id": event_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": Webhook(self.webhook_secret).sign(event_id, at, body),
        }, body.encode()

    # how it is reached

    def transport(self) -> httpx.MockTransport:
        """For `Staydown(double.origin, double.token, transport=double.transport())`, sync and async."""

        def answer(request: httpx.Request) -> httpx.Response:
            if self.is_down:
                raise httpx.ConnectError("the double is down", request=request)
            headers = {name.lower(): value for name, value in request.headers.items()}
            reply = self.handle(request.method, request.url.raw_path.decode(), headers, request.read())
            return httpx.Response(reply.status, content=reply.body, headers=reply.headers)

        async def answer_async(request: httpx.Request) -> httpx.Response:
            await request.aread()
            return answer(request)

        return _EitherTransport(answer, answer_async)

    @contextmanager
    def serve(self) -> Iterator[str]:
        """The same over loopback; yields the base URL."""
        double = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                double.connections += 1

            def do_POST(self) -> None:
                body = _read_body(self)
                if double.is_down:
                    self.close_connection = True
                    return
                headers = {name.lower(): value for name, value in self.headers.items()}
                reply = double.handle(self.command, self.path, headers, body)
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                self.wfile.write(reply.body)

            def do_GET(self) -> None:
                self.do_POST()

            def log_message(self, *args: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    # what it answers

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        fields, media, document = _parse(headers.get("content-type", ""), body)
        with self._lock:
            self.requests.append(Received(method, path, dict(headers), fields, media, document))
            if self.next_replies:
                return self.next_replies.pop(0)
        if headers.get("authorization") != f"Bearer {self.token}":
            return _problem(401, "not-authorised", "The token is not known.")
        if method == "POST" and path in ("/api/v1/check", "/api/v1/gate"):
            key = (path, headers.get("idempotency-key", ""))
            if key[1] and key in self._answered:
                return self._answered[key]
            self._answered[key] = reply = self._check(path, media, document)
            return reply
        if method == "POST" and path == "/api/v1/check/batch":
            answers = [self._check(path, None, json.loads(line)) for line in body.splitlines()]
            content = b"".join(one.body + b"\n" for one in answers)
            return Reply(200, None, {"Content-Type": "application/jsonl"}, content)
        if method == "GET" and path.startswith("/api/v1/edge/"):
            return self._edge(path.rpartition("/")[2], headers.get("if-none-match"))
        parts = path.split("/")
        copy = self.copies.get(parts[4]) if path.startswith("/api/v1/copies/") else None
        if copy is None:
            return _problem(404, "not-found", "There is nothing here for this token.")
        if method == "GET" and len(parts) == 5:
            return _json(200, copy)
        if method == "POST" and parts[5:] == ["gone"]:
            copy["state"] = "gone"
            return _json(200, {"copy_id": copy["copy_id"], "state": "gone"})
        return _problem(405, "method-not-allowed", "Not here.")

    def _check(self, path: str, media: bytes | None, document: dict[str, Any] | None) -> Reply:
        if media is None and (document is None or "fingerprints" not in document):
            return _problem(422, "nothing-to-check", "Send media or fingerprints.")
        keys: list[str] = []
        if media is not None:
            keys = [hashlib.sha256(media).hexdigest()]
        elif document is not None:
            given = document["fingerprints"]
            keys = [str(given.get("sha256")), str(given.get("pdq", {}).get("hex"))]
        found = next(
            (self._decided[key] for key in keys if key in self._decided), {"action": "allow", "matches": []}
        )
        status = _GATE_STATUS[found["action"]] if path.endswith("/gate") else 200
        return _json(status, found | {"check_id": self._new_id("chk")})

    def _edge(self, name: str, held: str | None) -> Reply:
        content = self.edge.get(name)
        if content is None:
            return _problem(404, "edge-not-published", "No edge bank is published.")
        tag = f'"{hashlib.sha256(content).hexdigest()}"'
        return Reply(304, None, {"ETag": tag}) if held == tag else Reply(200, None, {"ETag": tag}, content)

    def _new_id(self, prefix: str) -> str:
        with self._lock:
            self._count += 1
            return f"{prefix}_{self._count:016d}"


class _EitherTransport(httpx.MockTransport):
    """MockTransport takes one handler; this one serves a sync and an async client alike."""

    def __init__(self, answer: Any, answer_async: Any) -> None:
        super().__init__(answer)
        self._answer_async = answer_async

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response: httpx.Response = await self._answer_async(request)
        return response


def _json(status: int, document: dict[str, Any]) -> Reply:
    return Reply(status, dict(document), {"Content-Type": "application/json"})


def _problem(status: int, slug: str, detail: str) -> Reply:
    document = {"type": f"urn:staydown:problem:{slug}", "title": slug, "status": status, "detail": detail}
    return Reply(status, document, {"Content-Type": "application/problem+json"})


def _parse(content_type: str, body: bytes) -> tuple[dict[str, str], bytes | None, dict[str, Any] | None]:
    """Fields, media and JSON document of a request body; enough of RFC 7578 for what httpx sends."""
    if content_type == "application/json":
        document = json.loads(body)
        return {}, None, document if isinstance(document, dict) else None
    if not content_type.startswith("multipart/form-data"):
        return {}, None, None
    boundary = content_type.partition("boundary=")[2].strip('"').encode()
    fields: dict[str, str] = {}
    media: bytes | None = None
    for part in body.split(b"--" + boundary)[1:-1]:
        head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        content = content.removesuffix(b"\r\n")
        name = head.decode().partition('name="')[2].partition('"')[0]
        if name == "media":
            media = content
        else:
            fields[name] = content.decode()
    return fields, media, None


def _read_body(handler: BaseHTTPRequestHandler) -> bytes:
    if handler.headers.get("Transfer-Encoding", "").lower() != "chunked":
        return handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
    body = bytearray()
    while size := int(handler.rfile.readline().split(b";")[0], 16):
        body += handler.rfile.read(size)
        handler.rfile.readline()
    handler.rfile.readline()
    return bytes(body)
