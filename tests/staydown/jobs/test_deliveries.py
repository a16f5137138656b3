"""Webhooks as a platform receives them: signed, thin, at least once, and never by way of somebody else."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from staydown.access.terms import Platform
from staydown.action import rules
from staydown.action.models import DeliveryRecord, EndpointRecord
from staydown.action.operations import claim_due_delivery
from staydown.action.queries import copies_of
from staydown.action.terms import Copy, CopyState
from staydown.jobs.deliveries import deliver_due
from staydown.journeys.deliver_instruction import confirm_copy_gone
from staydown.journeys.work_on_request import grant_request
from staydown.notices.terms import Notice
from tests.staydown.conftest import WEBHOOK_SECRET, a_claimed_request

POSTS = "http://127.0.0.1:8001/posts/"
Answer = Callable[[httpx.Request], httpx.Response]


class TheForum:
    """The platform's end: keeps what it was sent and answers as it is told to."""

    def __init__(self) -> None:
        self.heard: list[httpx.Request] = []
        self.answer: Answer = lambda request: httpx.Response(204)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.heard.append(request)
        return self.answer(request)

    def ids(self) -> list[str]:
        return [request.headers["webhook-id"] for request in self.heard]


@pytest.fixture
def platform() -> TheForum:
    return TheForum()


@pytest.fixture
def notice(forum: Platform, bob: int) -> Notice:
    """A granted request with one copy, which is due."""
    granted = a_claimed_request(f"{POSTS}1", reviewer_id=bob)
    grant_request(notice_number=granted.number, reviewer_id=bob, now=granted.received_at)
    return granted


def deliver(platform: TheForum) -> int:
    return deliver_due(transport=httpx.MockTransport(platform))


def the_copy(notice: Notice) -> Copy:
    [copy] = copies_of([notice.number])[notice.number]
    return copy


def the_delivery() -> DeliveryRecord:
    return DeliveryRecord.objects.get()


def make_due() -> None:
    DeliveryRecord.objects.update(next_attempt_at=datetime.now(UTC) - timedelta(seconds=1))


def test_nothing_due_sends_nothing(db: None, platform: TheForum) -> None:
    assert (deliver(platform), platform.heard) == (0, [])


def test_message_reaches_the_endpoint_signed_so_that_anybodys_library_verifies_it(
    notice: Notice, platform: TheForum
) -> None:
    # When the due message is delivered
    assert deliver(platform) == 1

    # Then the endpoint got a POST that Standard Webhooks' own library verifies
    [request] = platform.heard
    assert (request.method, str(request.url)) == ("POST", "http://127.0.0.1:8001/staydown")
    assert request.headers["content-type"] == "application/json"
    told = Webhook(WEBHOOK_SECRET).verify(request.content.decode(), dict(request.headers))
    assert told == {
        "type": "copy.instructed",
        "timestamp": notice.received_at.isoformat(),
        "data": {"copy_id": the_copy(notice).id, "content_id": None, "state": "instructed"},
    }

    # Then the copy is instructed, and the message is not sent again
    assert the_copy(notice).state is CopyState.INSTRUCTED
    assert (the_delivery().state, the_delivery().last_status) == ("delivered", 204)
    make_due()
    assert deliver(platform) == 0


@pytest.mark.parametrize("change", ["body", "webhook-id", "webhook-timestamp"])
def test_signature_covers_body_id_and_time(notice: Notice, platform: TheForum, change: str) -> None:
    deliver(platform)
    [request] = platform.heard
    headers, body = dict(request.headers), request.content.decode()

    if change == "body":
        body = body.replace("copy.instructed", "copy.restored")
    elif change == "webhook-id":
        headers[change] += "x"
    else:
        headers[change] = str(int(headers[change]) + 1)

    with pytest.raises(WebhookVerificationError):
        Webhook(WEBHOOK_SECRET).verify(body, headers)


def test_message_tells_no_address_no_name_and_no_fingerprint(notice: Notice, platform: TheForum) -> None:
    deliver(platform)

    [request] = platform.heard
    told = request.content.decode() + repr(request.headers)
    for secret in ("Alice", "alice@example.org", f"{POSTS}1", notice.case_number, notice.number):
        assert secret not in told


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_any_2xx_is_a_delivery(notice: Notice, platform: TheForum, status: int) -> None:
    platform.answer = lambda request: httpx.Response(status)

    deliver(platform)

    assert (the_delivery().state, the_delivery().last_status) == ("delivered", status)


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 404, 410, 429, 500, 503])
def test_any_other_answer_is_tried_again_a_second_later(
    notice: Notice, platform: TheForum, status: int
) -> None:
    # Given a platform that answers otherwise, maybe with another place to go to
    platform.answer = lambda request: httpx.Response(status, headers={"Location": "http://127.0.0.1:9/"})

    # When the message is delivered
    before = datetime.now(UTC)
    assert deliver(platform) == 1

    # Then nobody was followed, the copy waits, and the next attempt is a second away
    assert len(platform.heard) == 1
    row = the_delivery()
    assert (row.state, row.last_status, row.last_trouble) == ("waiting", status, "refused")
    assert before + timedelta(seconds=1) <= row.next_attempt_at <= datetime.now(UTC) + timedelta(seconds=1)
    assert the_copy(notice).state is CopyState.PENDING


@pytest.mark.parametrize(
    "error", [httpx.ConnectError, httpx.ConnectTimeout, httpx.ReadTimeout, httpx.RemoteProtocolError]
)
def test_no_answer_is_tried_again_and_named(
    notice: Notice, platform: TheForum, error: type[httpx.TransportError]
) -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise error("10.0.0.1 said no", request=request)

    platform.answer = fail

    deliver(platform)

    row = the_delivery()
    assert (row.state, row.last_status, row.last_trouble) == ("waiting", 0, error.__name__)


@pytest.mark.parametrize("url", ["http://[::1", "ftp://127.0.0.1/", "staydown", "http://forum\u2100example/"])
def test_endpoint_that_is_no_address_is_an_attempt_that_failed(notice: Notice, url: str) -> None:
    # Given a platform whose endpoint was mistyped
    EndpointRecord.objects.update(url=url)

    # When its message is delivered, then the attempt is noted like any that failed
    assert deliver_due() == 1
    row = the_delivery()
    assert (row.state, row.attempts, row.last_status) == ("waiting", 1, 0)
    assert row.last_trouble in ("InvalidURL", "UnsupportedProtocol")


def test_answers_body_is_never_read(notice: Notice, platform: TheForum) -> None:
    # Given a platform that answers and then sends for ever
    class Endless(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            raise AssertionError("somebody reads the body")

    platform.answer = lambda request: httpx.Response(200, stream=Endless())

    # Then its status is all that counts
    assert deliver(platform) == 1
    assert the_delivery().state == "delivered"


def test_platform_that_recovers_gets_the_same_message_again(notice: Notice, platform: TheForum) -> None:
    # Given a platform that is down for one attempt
    platform.answer = lambda request: httpx.Response(503)
    deliver(platform)

    # When it is back and the time has come
    platform.answer = lambda request: httpx.Response(200)
    make_due()
    deliver(platform)

    # Then it can tell that this is the same message, with a signature of its own time
    assert len(set(platform.ids())) == 1
    first, second = platform.heard
    assert first.content == second.content
    Webhook(WEBHOOK_SECRET).verify(second.content.decode(), dict(second.headers))
    assert the_copy(notice).state is CopyState.INSTRUCTED


def test_message_of_a_worker_that_died_is_sent_again_when_its_lease_ends(
    notice: Notice, platform: TheForum
) -> None:
    # Given a worker that claimed and was killed
    assert claim_due_delivery(now=datetime.now(UTC)) is not None
    assert deliver(platform) == 0

    # When its lease has ended, then another one sends
    DeliveryRecord.objects.update(next_attempt_at=datetime.now(UTC))
    assert deliver(platform) == 1
    assert (the_delivery().state, the_delivery().attempts) == ("delivered", 2)


def test_worker_that_is_overtaken_while_it_waits_for_an_answer_notes_nothing(
    notice: Notice, platform: TheForum
) -> None:
    # Given a platform that is so slow with its refusal that another worker claims and delivers meanwhile
    def slow(request: httpx.Request) -> httpx.Response:
        platform.answer = lambda request: httpx.Response(200)
        make_due()
        assert deliver(platform) == 1
        return httpx.Response(500)

    platform.answer = slow

    # Then the platform heard twice, and what the second worker noted stands
    assert deliver(platform) == 1
    assert len(platform.heard) == 2
    assert (the_delivery().state, the_delivery().last_status) == ("delivered", 200)
    assert the_copy(notice).state is CopyState.INSTRUCTED


def test_copy_is_failed_after_the_last_attempt_and_nothing_is_sent_any_more(
    notice: Notice, platform: TheForum
) -> None:
    # Given a platform that never hears
    platform.answer = lambda request: httpx.Response(500)
    for _ in rules.RETRY_AFTER:
        assert deliver(platform) == 1
        make_due()
        assert the_copy(notice).state is CopyState.PENDING

    # When the last attempt fails, then the copy is failed, for a person to see to
    assert deliver(platform) == 1
    make_due()
    assert deliver(platform) == 0
    assert the_delivery().state == "dead"
    assert the_copy(notice).state is CopyState.FAILED
    assert len(platform.heard) == len(rules.RETRY_AFTER) + 1


def test_platform_may_confirm_inside_its_answer(notice: Notice, platform: TheForum, forum: Platform) -> None:
    # Given a platform that removes at once
    def remove(request: httpx.Request) -> httpx.Response:
        copy_id = json.loads(request.content)["data"]["copy_id"]
        confirm_copy_gone(copy_id=copy_id, platform_id=forum.id, now=datetime.now(UTC))
        return httpx.Response(200)

    platform.answer = remove

    # Then the copy is gone and stays so
    deliver(platform)
    assert the_copy(notice).state is CopyState.GONE
    assert the_delivery().state == "delivered"


def test_one_refused_message_does_not_keep_the_others_waiting(
    forum: Platform, bob: int, platform: TheForum
) -> None:
    # Given three copies, and a platform that refuses the first
    notice = a_claimed_request(*[f"{POSTS}{n}" for n in range(3)], reviewer_id=bob)
    grant_request(notice_number=notice.number, reviewer_id=bob, now=notice.received_at)
    platform.answer = lambda request: httpx.Response(500 if len(platform.heard) == 1 else 200)

    # Then one pass tries all three
    assert deliver(platform) == 3
    states = [copy.state for copy in copies_of([notice.number])[notice.number]]
    assert states == [CopyState.PENDING, CopyState.INSTRUCTED, CopyState.INSTRUCTED]


def test_environment_cannot_send_messages_through_a_proxy(
    notice: Notice, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a proxy in the environment
    seen: list[bool] = []
    client = httpx.Client

    def watched(**given: object) -> httpx.Client:
        seen.append(bool(given["trust_env"]) or bool(given["follow_redirects"]))
        return client(**{**given, "transport": httpx.MockTransport(lambda request: httpx.Response(200))})

    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setattr(httpx, "Client", watched)

    # Then the client does not look there
    assert deliver_due() == 1
    assert seen == [False]
