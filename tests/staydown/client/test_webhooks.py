"""A webhook is acted upon only if it is signed by our secret, fresh, and whole."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks.webhooks import Webhook

from staydown.client import WebhookRefused, WebhookSecretMalformed, webhooks
from tests.doubles.staydown_server import WEBHOOK_SECRET, StaydownDouble

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
OTHER_SECRET = "whsec_" + base64.b64encode(b"x" * 24).decode()


@pytest.fixture
def double() -> StaydownDouble:
    return StaydownDouble()


def test_a_genuine_webhook_becomes_an_event(double: StaydownDouble) -> None:
    copy_id = double.instruct(content_id="post-1")
    headers, body = double.webhook("copy.instructed", copy_id=copy_id, event_id="msg_1", at=NOW)

    event = webhooks.verify(WEBHOOK_SECRET, headers, body, now=NOW)

    assert (event.id, event.type, event.at) == ("msg_1", "copy.instructed", NOW)
    assert event.data == {"copy_id": copy_id, "content_id": "post-1", "state": "instructed"}


def test_a_replay_keeps_its_id_so_that_the_receiver_can_tell(double: StaydownDouble) -> None:
    headers, body = double.webhook("ping", event_id="msg_1", at=NOW)

    first = webhooks.verify(WEBHOOK_SECRET, headers, body, now=NOW)
    again = webhooks.verify(WEBHOOK_SECRET, headers, body, now=NOW + timedelta(minutes=4))

    assert first.id == again.id == "msg_1"


def test_two_secrets_are_accepted_during_a_rotation(double: StaydownDouble) -> None:
    headers, body = double.webhook("ping", at=NOW)

    assert webhooks.verify([OTHER_SECRET, WEBHOOK_SECRET], headers, body, now=NOW).type == "ping"


def test_two_signatures_are_accepted_during_a_rotation(double: StaydownDouble) -> None:
    headers, body = double.webhook("ping", at=NOW)
    other = Webhook(OTHER_SECRET).sign(headers["webhook-id"], NOW, body.decode())
    headers["webhook-signature"] = f"v1a,AAAA {other} {headers['webhook-signature']}"

    assert webhooks.verify(WEBHOOK_SECRET, headers, body, now=NOW).type == "ping"


def test_header_names_are_read_in_any_case(double: StaydownDouble) -> None:
    headers, body = double.webhook("ping", at=NOW)

    assert (
        webhooks.verify(WEBHOOK_SECRET, {k.title(): v for k, v in headers.items()}, body, now=NOW).type
        == "ping"
    )


@pytest.mark.parametrize("age", [timedelta(minutes=5, seconds=1), -timedelta(minutes=5, seconds=1)])
def test_a_webhook_that_is_too_old_or_from_the_future_is_refused(
    double: StaydownDouble, age: timedelta
) -> None:
    headers, body = double.webhook("ping", at=NOW - age)

    with pytest.raises(WebhookRefused, match="too old or in the future"):
        webhooks.verify(WEBHOOK_SECRET, headers, body, now=NOW)


def test_the_tolerance_can_be_set(double: StaydownDouble) -> None:
    headers, body = double.webhook("ping", at=NOW - timedelta(seconds=31))

    with pytest.raises(WebhookRefused):
        webhooks.verify(WEBHOOK_SECRET, headers, body, tolerance=timedelta(seconds=30), now=NOW)


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-id": "msg_other"},
        {"webhook-id": ""},
        {"webhook-timestamp": str(int(NOW.timestamp()) + 1)},
        {"webhook-timestamp": f"{int(NOW.timestamp())}.0"},
        {"webhook-timestamp": "1e9"},
        {"webhook-timestamp": "nan"},
        {"webhook-timestamp": "9" * 400},
        {"webhook-timestamp": "٣"},
        {"webhook-signature": ""},
        {"webhook-signature": "v1"},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "v1,not base64"},
        {"webhook-signature": "v1,ünicode"},
        {"webhook-signature": "v2,AAAA"},
    ],
)
def test_a_changed_header_is_refused(double: StaydownDouble, change: dict[str, str]) -> None:
    headers, body = double.webhook("ping", at=NOW)

    with pytest.raises(WebhookRefused):
        webhooks.verify(WEBHOOK_SECRET, headers | change, body, now=NOW)


def test_a_changed_body_or_another_secret_is_refused(double: StaydownDouble) -> None:
    headers, body = double.webhook("ping", at=NOW)

    with pytest.raises(WebhookRefused, match="no signature fits"):
        webhooks.verify(WEBHOOK_SECRET, headers, body + b" ", now=NOW)
    with pytest.raises(WebhookRefused, match="no signature fits"):
        webhooks.verify(OTHER_SECRET, headers, body, now=NOW)


@pytest.mark.parametrize("body", ["", "[]", "null", "{}", '{"type":7}', '{"type":"ping","data":[]}', "{"])
def test_a_signed_body_that_is_no_payload_is_refused(body: str) -> None:
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(NOW.timestamp())),
        "webhook-signature": Webhook(WEBHOOK_SECRET).sign("msg_1", NOW, body),
    }

    with pytest.raises(WebhookRefused, match="the body"):
        webhooks.verify(WEBHOOK_SECRET, headers, body.encode(), now=NOW)


def test_a_huge_or_undecodable_body_is_refused(double: StaydownDouble) -> None:
    headers, _ = double.webhook("ping", at=NOW)

    for body in (b"x" * 100_000, b"\xff\xff"):
        with pytest.raises(WebhookRefused, match="the body"):
            webhooks.verify(WEBHOOK_SECRET, headers, body, now=NOW)


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "whsec_!!!", "whsec_c2hvcnQ=", WEBHOOK_SECRET.removeprefix("whsec_")]
)
def test_a_secret_that_protects_nothing_is_refused(double: StaydownDouble, secret: str) -> None:
    headers, body = double.webhook("ping", at=NOW)

    with pytest.raises(WebhookSecretMalformed):
        webhooks.verify(secret, headers, body, now=NOW)


def test_no_secret_at_all_accepts_nothing(double: StaydownDouble) -> None:
    headers, body = double.webhook("ping", at=NOW)

    with pytest.raises(WebhookRefused):
        webhooks.verify([], headers, body, now=NOW)
