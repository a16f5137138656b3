"""Both clients against the in-memory twin: the same stories, sync and async.

Covers: staydown.client.async_client, staydown.client.sync_client, staydown.client.media.
Covers: staydown.client.unreachable, staydown.client.wire.
"""

import asyncio
import io
import logging
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from staydown.client import (
    Action,
    AnswerNotUnderstood,
    AsyncStaydown,
    ClientMisconfigured,
    MediaNotReadable,
    NotAuthorised,
    RequestRefused,
    Staydown,
    Unreachable,
    Upload,
)
from staydown.fingerprint.terms import Algorithm, Digests, Fingerprint, MediaFingerprints
from tests.doubles.staydown_server import Reply, StaydownDouble

PICTURE = random.Random(7).randbytes(100_000) + b"\r\n--\r\n\r"


class AsyncAsSync:
    """AsyncStaydown with the calls of Staydown, so that one test class covers both."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self._make: Callable[[], AsyncStaydown] = lambda: AsyncStaydown(*args, **options)
        self._make()

    def __getattr__(self, name: str) -> Any:
        def call(*args: Any, **options: Any) -> Any:
            async def talk() -> Any:
                async with self._make() as client:
                    called = getattr(client, name)(*args, **options)
                    if name == "check_batch":
                        return [answer async for answer in called]
                    return await called

            return asyncio.run(talk())

        return call


@pytest.fixture
def double() -> StaydownDouble:
    return StaydownDouble()


@pytest.fixture(params=[Staydown, AsyncAsSync], ids=["sync", "async"])
def client_class(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture
def connect(double: StaydownDouble, client_class: Any) -> Callable[..., Any]:
    def connected(token: str = double.token, **options: Any) -> Any:
        return client_class(
            double.origin, token, transport=double.transport(), **{"timeout_ms": 2000} | options
        )

    return connected


@pytest.mark.parametrize("action", list(Action))
@pytest.mark.parametrize("call", ["check", "gate"])
def test_check_and_gate_answer_each_action(
    double: StaydownDouble, connect: Callable[..., Any], action: Action, call: str
) -> None:
    # Given
    entry_id = double.decide(action.value, media=PICTURE)

    # When
    result = getattr(connect(), call)(PICTURE, content_id="post-1", content_url="https://h.test/posts/1")

    # Then
    assert (result.action, result.degraded) == (action, False)
    assert result.matches[0].entry_id == entry_id
    assert result.check_id.startswith("chk_")
    assert double.requests[0].fields == {"content_id": "post-1", "content_url": "https://h.test/posts/1"}


def test_a_picture_nobody_registered_is_allowed(connect: Callable[..., Any]) -> None:
    result = connect().check(PICTURE)

    assert (result.action, result.matches) == (Action.ALLOW, ())


def test_path_bytes_and_file_send_the_same_and_no_file_name(
    double: StaydownDouble, connect: Callable[..., Any], tmp_path: Path
) -> None:
    # Given a file whose name tells something
    path = tmp_path / "alice-private.jpg"
    path.write_bytes(PICTURE)
    with path.open("rb") as opened:
        opened.seek(500)

        # When
        for media in (path, str(path), PICTURE, bytearray(PICTURE), io.BytesIO(PICTURE), opened):
            connect().check(media)

    # Then
    assert [one.media for one in double.requests] == [PICTURE] * 6
    assert not any("alice" in str(one) for one in double.requests)


def test_fingerprints_are_sent_instead_of_the_picture(
    double: StaydownDouble, connect: Callable[..., Any]
) -> None:
    # Given
    code = bytes(range(32))
    double.decide("block", pdq_hex=code.hex())
    media = MediaFingerprints(
        "image", Digests("ab" * 32, "cd" * 16), 9, 9, (Fingerprint(Algorithm.PDQ, code, 90),)
    )

    # When
    result = connect().check(media, content_id="post-1")

    # Then
    assert result.action is Action.BLOCK
    assert double.requests[0].media is None
    assert double.requests[0].document is not None
    assert double.requests[0].document["content_id"] == "post-1"


def test_a_busy_server_is_asked_again_with_the_same_key_and_the_whole_file(
    double: StaydownDouble, connect: Callable[..., Any]
) -> None:
    # Given a server that is restarting
    double.next_replies = [Reply(503, headers={"Retry-After": "0"}), Reply(502)]

    # When
    result = connect().check(io.BytesIO(PICTURE))

    # Then
    assert result.action is Action.ALLOW
    assert [one.media for one in double.requests] == [PICTURE] * 3
    assert len({one.headers["idempotency-key"] for one in double.requests}) == 1


def test_two_calls_have_two_keys_and_a_given_key_is_used(
    double: StaydownDouble, connect: Callable[..., Any]
) -> None:
    connect().check(PICTURE)
    connect().check(PICTURE)
    connect().check(PICTURE, idempotency_key="mine")

    keys = [one.headers["idempotency-key"] for one in double.requests]
    assert len(set(keys)) == 3
    assert keys[2] == "mine"


def test_unreachable_raises_unless_something_else_was_declared(
    double: StaydownDouble, connect: Callable[..., Any]
) -> None:
    double.is_down = True

    with pytest.raises(Unreachable) as caught:
        connect(timeout_ms=300).check(PICTURE)
    assert caught.value.reason == "connection-failed"
    assert caught.value.attempts > 1


@pytest.mark.parametrize("call", ["check", "gate"])
@pytest.mark.parametrize("declared", ["allow", "hold"])
def test_a_declared_action_is_marked_and_logged(
    double: StaydownDouble,
    connect: Callable[..., Any],
    caplog: pytest.LogCaptureFixture,
    declared: str,
    call: str,
) -> None:
    # Given
    double.is_down = True

    # When
    with caplog.at_level(logging.WARNING, logger="staydown.client"):
        result = getattr(connect(timeout_ms=200, on_unreachable=declared), call)(PICTURE, content_id="post-1")

    # Then
    assert (result.action.value, result.degraded, result.check_id) == (declared, True, None)
    assert result.degraded_reason == "connection-failed"
    assert "upload was not checked" in caplog.text


def test_an_internal_server_error_counts_as_unreachable(
    double: StaydownDouble, connect: Callable[..., Any]
) -> None:
    double.next_replies = [Reply(500)]

    result = connect(on_unreachable="hold").check(PICTURE)

    assert (result.action, result.degraded_reason) == (Action.HOLD, "status-500")


def test_a_wrong_token_is_never_degraded_away(connect: Callable[..., Any]) -> None:
    with pytest.raises(NotAuthorised) as caught:
        connect(token="sdk_of_charlie", on_unreachable="allow").check(PICTURE)

    assert "sdk_of_charlie" not in str(caught.value)
    assert caught.value.problem.status == 401


def test_a_refused_request_names_the_problem(double: StaydownDouble, connect: Callable[..., Any]) -> None:
    problem = {"type": "urn:staydown:problem:unknown-format", "title": "Unknown format", "status": 422}
    double.next_replies = [Reply(422, problem)]

    with pytest.raises(RequestRefused) as caught:
        connect(on_unreachable="allow").check(PICTURE)
    assert caught.value.problem.slug == "unknown-format"


@pytest.mark.parametrize("status", [200, 302])
def test_a_stranger_in_between_is_not_taken_for_staydown(
    double: StaydownDouble, connect: Callable[..., Any], status: int
) -> None:
    double.next_replies = [Reply(status, {"welcome": "guest"}, {"Location": "https://elsewhere.test/"})]

    with pytest.raises(AnswerNotUnderstood):
        connect(on_unreachable="allow").check(PICTURE)
    assert len(double.requests) == 1


def test_an_endless_answer_is_cut_off(double: StaydownDouble, connect: Callable[..., Any]) -> None:
    double.next_replies = [Reply(200, {"action": "x" * 2_000_000})]

    with pytest.raises(AnswerNotUnderstood, match="too large"):
        connect().check(PICTURE)


def test_a_copy_is_read_and_reported_gone(double: StaydownDouble, connect: Callable[..., Any]) -> None:
    # Given
    copy_id = double.instruct(content_id="post-1", content_url="https://h.test/posts/1")

    # When
    copy = connect().copy(copy_id)
    reports = [connect().report_gone(copy_id) for _ in range(2)]

    # Then
    assert (copy.content_id, copy.content_url) == ("post-1", "https://h.test/posts/1")
    assert (copy.state, copy.kind) == ("instructed", "exact")
    assert [one.state for one in reports] == ["gone", "gone"]


def test_copies_are_never_degraded(double: StaydownDouble, connect: Callable[..., Any]) -> None:
    double.is_down = True

    with pytest.raises(Unreachable):
        connect(on_unreachable="allow", timeout_ms=200).report_gone("cpy_1")


@pytest.mark.parametrize("call", ["check", "gate"])
def test_declared_wish_goes_along_and_no_wish_without_one(
    double: StaydownDouble, connect: Callable[..., Any], call: str
) -> None:
    getattr(connect(on_unreachable="hold"), call)(PICTURE)
    getattr(connect(on_unreachable="allow"), call)(PICTURE)
    getattr(connect(), call)(PICTURE)

    wishes = [one.headers.get("staydown-if-unavailable") for one in double.requests]
    assert wishes == ["hold", "allow", None]


@pytest.mark.parametrize(("call", "status"), [("check", 200), ("gate", 202)])
def test_answer_of_a_server_that_could_not_check_is_degraded_and_logged(
    double: StaydownDouble,
    connect: Callable[..., Any],
    caplog: pytest.LogCaptureFixture,
    call: str,
    status: int,
) -> None:
    # Given a server that is too busy, and knows what was declared
    said = {"action": "hold", "matches": [], "check_id": None, "degraded": True, "degraded_reason": "busy"}
    double.next_replies = [Reply(status, said)]

    # When
    with caplog.at_level(logging.WARNING, logger="staydown.client"):
        result = getattr(connect(on_unreachable="hold"), call)(PICTURE, content_id="post-1")

    # Then
    assert (result.action, result.degraded, result.check_id) == (Action.HOLD, True, None)
    assert result.degraded_reason == "busy"
    assert "upload was not checked" in caplog.text


@pytest.mark.parametrize("call", ["check", "gate"])
def test_level_of_one_call_is_sent_as_a_form_part(
    double: StaydownDouble, connect: Callable[..., Any], call: str
) -> None:
    getattr(connect(), call)(PICTURE, level="deep")

    assert double.requests[0].fields == {"level": "deep"}


def test_level_that_there_is_not_or_beside_fingerprints_is_refused(
    double: StaydownDouble, connect: Callable[..., Any]
) -> None:
    for media, level in ((PICTURE, "deepest"), (some_fingerprints(1), "deep")):
        with pytest.raises(ClientMisconfigured):
            connect().check(media, level=level)
    assert double.requests == []


def test_one_call_may_have_a_budget_of_its_own(silent_server: str, client_class: Any) -> None:
    # Given a client that would wait for a minute
    client = client_class(silent_server, "sdk_any", timeout_ms=60_000, on_unreachable="allow")

    # When
    result = client.check(PICTURE, timeout_ms=200)

    # Then
    assert (result.degraded, result.degraded_reason) == (True, "timed-out")


def some_fingerprints(number: int) -> MediaFingerprints:
    code = number.to_bytes(32)
    return MediaFingerprints(
        "image", Digests(f"{number:064x}", f"{number:032x}"), 9, 9, (Fingerprint(Algorithm.PDQ, code, 90),)
    )


def test_batch_is_answered_in_order_in_few_requests(
    double: StaydownDouble, connect: Callable[..., Any]
) -> None:
    # Given the last of 2,001 is blocked
    double.decide("block", pdq_hex=(2000).to_bytes(32).hex())

    # When
    answers = list(connect().check_batch(some_fingerprints(number) for number in range(2001)))

    # Then
    assert [one.place for one in answers] == list(range(2001))
    assert [one.place for one in answers if one.checked().action is Action.BLOCK] == [2000]
    assert [one.path for one in double.requests] == ["/api/v1/check/batch"] * 3


def test_batch_that_nobody_answers_gives_each_upload_the_declared_result(
    double: StaydownDouble, connect: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    # Given
    double.is_down = True
    uploads = [Upload(some_fingerprints(number), content_id=f"post-{number}") for number in range(3)]

    # When
    answers = list(connect(timeout_ms=200, on_unreachable="hold").check_batch(uploads))

    # Then
    assert [(one.place, one.checked().action, one.checked().degraded) for one in answers] == [
        (place, Action.HOLD, True) for place in range(3)
    ]
    assert "post-2" in caplog.text
    with pytest.raises(Unreachable):
        list(connect(timeout_ms=200).check_batch(uploads))


def test_connection_is_used_again_for_the_next_upload(double: StaydownDouble) -> None:
    with double.serve() as url, Staydown(url, double.token) as staydown:
        for _ in range(5):
            staydown.check(PICTURE)

    assert (len(double.requests), double.connections) == (5, 1)


FORKING = """
import os, sys
from staydown.client import Staydown
staydown = Staydown(sys.argv[1], sys.argv[2])
for _ in range(3):
    staydown.check(b"picture of the parent")
children = []
for number in range(3):
    child = os.fork()
    if child == 0:
        right = all(staydown.check(b"picture %d" % number).action == "allow" for _ in range(20))
        os._exit(0 if right else 1)
    children.append(child)
assert all(staydown.check(b"blocked").action == "block" for _ in range(20))
assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0, 0, 0]
"""


def test_processes_after_a_fork_do_not_mix_their_answers(double: StaydownDouble) -> None:
    # Given a client whose connection is open, and four processes that ask by it at once
    double.decide("block", media=b"blocked")

    # When
    with double.serve() as url:
        done = subprocess.run(
            [sys.executable, "-c", FORKING, url, double.token], capture_output=True, text=True, check=False
        )

    # Then each has a connection of its own
    assert (done.returncode, done.stderr) == (0, "")
    assert double.connections == 4


def test_media_that_cannot_be_read_is_said_so(connect: Callable[..., Any], tmp_path: Path) -> None:
    for media in (tmp_path / "absent.jpg", io.StringIO("text"), 17):
        with pytest.raises(MediaNotReadable) as caught:
            connect().check(media)
        assert "absent" not in str(caught.value)


def test_settings_that_cannot_work_are_refused_before_anything_is_sent(
    double: StaydownDouble, connect: Callable[..., Any]
) -> None:
    for options in (
        {"on_unreachable": "guess"},
        {"timeout_ms": 0},
        {"token": ""},
        {"token": "sdk_a\r\nx: y"},
    ):
        with pytest.raises(ClientMisconfigured):
            connect(**options)
    assert double.requests == []


def test_the_token_is_in_no_representation(double: StaydownDouble) -> None:
    for kind in (Staydown, AsyncStaydown):
        assert double.token not in repr(kind(double.origin, double.token))


def test_over_loopback_with_real_sockets(double: StaydownDouble, client_class: Any, tmp_path: Path) -> None:
    # Given
    double.decide("hold", media=PICTURE)
    path = tmp_path / "picture"
    path.write_bytes(PICTURE)

    # When
    with double.serve() as url:
        result = client_class(url, double.token).check(path)

    # Then
    assert result.action is Action.HOLD
    assert double.requests[0].headers["user-agent"].startswith("staydown-python/")


@pytest.fixture
def silent_server() -> Iterator[str]:
    """A server that takes the request and says nothing for a while."""
    released = threading.Event()

    class Silent(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            released.wait(5)

        do_POST = do_GET  # noqa: N815 (the name is http.server's)

        def log_message(self, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Silent)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    released.set()
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_server_that_says_nothing_costs_no_more_than_the_budget(
    silent_server: str, client_class: Any
) -> None:
    started = time.monotonic()

    with pytest.raises(Unreachable) as caught:
        client_class(silent_server, "sdk_any", timeout_ms=400).copy("cpy_1")

    assert (caught.value.reason, caught.value.attempts) == ("timed-out", 1)
    assert time.monotonic() - started < 1.5
