"""Bodies too large, too slow, or too many at once: refused before they are read to the end."""

import asyncio
import json

import httpx
import pytest

from staydown.match_api import MatchApiSettings, create_app
from staydown.match_api.body import BodyReader, HeldBytes
from staydown.match_api.call import Call
from staydown.match_api.errors import CallerGone, Refused
from tests.staydown.match_api.house import GOOD, UPLOADS, assert_problem, code_of, sent

BOUNDARY = "line"
FORM_HEAD = b'--line\r\nContent-Disposition: form-data; name="media"\r\n\r\n'


class Sender:
    """A client that sends a body in pieces for as long as it is asked for more, and counts them."""

    def __init__(self, app, path, *, content_type, head=b"", announced=None, endless=True, pause=0.0):
        self.asked = 0
        self.pause = pause
        self.head = head
        self.endless = endless
        headers = [(b"authorization", f"Bearer {GOOD}".encode()), (b"content-type", content_type.encode())]
        if announced is not None:
            headers.append((b"content-length", announced.encode()))
        self.scope = {
            "type": "http",
            "http_version": "1.1",
            "method": "POST",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": headers,
        }
        self.app = app
        self.status = None
        self.body = b""

    async def receive(self):
        self.asked += 1
        if self.asked > 2000:
            raise AssertionError("read without end")
        await asyncio.sleep(self.pause)
        piece = self.head if self.asked == 1 else b"x" * 1000
        return {"type": "http.request", "body": piece, "more_body": self.endless}

    async def send(self, message):
        if message["type"] == "http.response.start":
            self.status = message["status"]
        else:
            self.body += message["body"]

    def go(self):
        asyncio.run(self.app(self.scope, self.receive, self.send))
        return self.status, json.loads(self.body)["type"].rpartition(":")[2]


FORM_TYPE = f"multipart/form-data; boundary={BOUNDARY}"
KINDS = [
    ("/api/v1/check", FORM_TYPE, "max_body_bytes"),
    ("/api/v1/gate", FORM_TYPE, "max_body_bytes"),
    ("/api/v1/check", "application/json", "max_json_bytes"),
    ("/api/v1/gate", "application/json", "max_json_bytes"),
    ("/api/v1/check/batch", "application/jsonl", "max_batch_bytes"),
]


@pytest.mark.parametrize(("path", "content_type", "limit"), KINDS)
def test_body_announced_as_too_large_is_refused_without_reading_any(house, path, content_type, limit):
    app = create_app(MatchApiSettings(data_dir=house.data_dir, **{limit: 10_000}))
    for announced in ("10001", "9" * 400):
        sender = Sender(app, path, content_type=content_type, announced=announced)

        assert sender.go() == (413, "body-too-large")
        assert sender.asked == 0


@pytest.mark.parametrize(("path", "content_type", "limit"), KINDS)
def test_body_without_a_length_is_read_up_to_the_limit_and_no_further(house, path, content_type, limit):
    app = create_app(MatchApiSettings(data_dir=house.data_dir, **{limit: 10_000}))
    sender = Sender(app, path, content_type=content_type, head=FORM_HEAD)

    assert sender.go() == (413, "body-too-large")
    assert sender.asked == 11


@pytest.mark.parametrize("announced", ["-1", "x", "1e3", "٣", "+5", ""])
def test_length_that_is_no_number_is_refused(house, announced):
    app = create_app(MatchApiSettings(data_dir=house.data_dir))
    sender = Sender(app, "/api/v1/check", content_type="application/json")
    sender.scope["headers"].append((b"content-length", announced.encode("utf-8")))

    assert sender.go() == (400, "invalid-request")


@pytest.mark.parametrize(("path", "content_type", "limit"), KINDS)
def test_body_that_trickles_in_is_given_up(house, path, content_type, limit):
    app = create_app(MatchApiSettings(data_dir=house.data_dir, body_seconds=0.05))
    sender = Sender(app, path, content_type=content_type, head=FORM_HEAD, pause=0.01)

    assert sender.go() == (408, "body-too-slow")
    assert sender.asked < 20


def test_bodies_in_memory_are_bounded_over_all_requests(house):
    # Given room for two bodies and a bit
    settings = MatchApiSettings(data_dir=house.data_dir, max_held_bytes=25_000)
    app = create_app(settings)
    gate = asyncio.Event()

    async def slow_body():
        yield b'{"fingerprints": {"md5": "' + b"0" * 32 + b'"}, "x": "'
        yield b"x" * 10_000
        await gate.wait()
        yield b'"}'

    async def ask(client, content):
        headers = {"Authorization": f"Bearer {GOOD}", "Content-Type": "application/json"}
        return await client.post("/api/v1/check", content=content, headers=headers)

    async def story():
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
            # When two are still coming in and a third arrives
            first = [asyncio.create_task(ask(client, slow_body())) for _ in range(2)]
            for _ in range(100):
                await asyncio.sleep(0)
            third = await ask(client, json.dumps(sent(code_of(1), x="x" * 10_000)).encode())
            gate.set()
            others = await asyncio.gather(*first)
            fourth = await ask(client, json.dumps(sent(code_of(1), x="x" * 10_000)).encode())
            return third, others, fourth

    third, others, fourth = asyncio.run(story())

    # Then only the third was refused, and there is room again
    assert_problem(third, 429, "busy")
    assert third.headers["retry-after"] == "1"
    assert [response.status_code for response in (*others, fourth)] == [200, 200, 200]


def test_room_is_given_back_after_every_outcome(house):
    settings = MatchApiSettings(data_dir=house.data_dir, max_held_bytes=1000)
    held = HeldBytes(limit=1000)

    async def read(pieces):
        waiting = iter(pieces)

        async def receive():
            piece = next(waiting)
            if piece is None:
                return {"type": "http.disconnect"}
            return {"type": "http.request", "body": piece, "more_body": True}

        with BodyReader(
            Call({"type": "http", "headers": []}, receive), settings=settings, held=held
        ) as reader:
            await reader.whole("A body", max_bytes=5000)

    for pieces in ([b"x" * 900, b"x" * 200], [b"x" * 500, None], [b"x" * 6000]):
        with pytest.raises(Exception) as error:
            asyncio.run(read(pieces))
        assert isinstance(error.value, Refused | CallerGone)
        assert held.held == 0


def test_sender_who_goes_away_is_no_defect(house, caplog):
    app = create_app(MatchApiSettings(data_dir=house.data_dir))
    for path in UPLOADS:
        sender = Sender(app, path, content_type="application/json")

        async def gone():
            return {"type": "http.disconnect"}

        asyncio.run(app(sender.scope, gone, sender.send))
        assert sender.status == 499
    assert caplog.text == ""
    assert house.checks() == []
