"""Decides if a webhook is from Staydown and fresh (Standard Webhooks 1.0.0), before anything reads its body.

It keeps no memory: a replay within the tolerance is genuine, so the receiver must remember `WebhookEvent.id`.
"""

import base64
import binascii
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from standardwebhooks.webhooks import Webhook

from staydown.client.errors import WebhookRefused, WebhookSecretMalformed
from staydown.client.terms import WebhookEvent

# What the Standard Webhooks libraries use: room for clocks and retries in flight, small for whoever replays.
TOLERANCE = timedelta(minutes=5)
# The specification asks for less than 20 kB; ours are some hundred bytes.
LARGEST_BODY_BYTES = 64 * 1024
_SECRET_PREFIX = "whsec_"
# The specification's own limits for a symmetric key.
_SECRET_BYTES = range(24, 65)


def verify(
    secret: str | Sequence[str],
    headers: Mapping[str, str],
    body: bytes,
    *,
    tolerance: timedelta = TOLERANCE,
    now: datetime | None = None,
) -> WebhookEvent:
    """The event, if its signature is right and it is younger than `tolerance`.

    `body` is the request's raw bytes. Give several secrets while you rotate them. Comparisons take constant
    time. Raises WebhookRefused (answer 401) or WebhookSecretMalformed (your configuration is wrong).
    """
    signers = [_signer(one) for one in ([secret] if isinstance(secret, str) else secret)]
    given = {name.lower(): value for name, value in headers.items()}
    event_id, stamp, listed = (given.get(f"webhook-{part}", "") for part in ("id", "timestamp", "signature"))
    if not (event_id and stamp and listed):
        raise WebhookRefused("a webhook header is missing")
    if len(body) > LARGEST_BODY_BYTES:
        raise WebhookRefused("the body is too large")
    at = _checked_time(stamp, tolerance=tolerance, now=now or datetime.now(UTC))
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise WebhookRefused("the body is not UTF-8") from None
    expected = [signer.sign(event_id, at, text).encode() for signer in signers]
    offered = [one.encode() for one in listed.split(" ") if one.startswith("v1,")]
    # Every pair is compared, so that the time does not tell which one was nearly right.
    if not sum(hmac.compare_digest(ours, theirs) for ours in expected for theirs in offered):
        raise WebhookRefused("no signature fits")
    return _event(event_id, text, at)


def _signer(secret: str) -> Webhook:
    try:
        text = secret.removeprefix(_SECRET_PREFIX)
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise WebhookSecretMalformed("the webhook secret is not whsec_ and base64") from None
    if not secret.startswith(_SECRET_PREFIX) or len(key) not in _SECRET_BYTES:
        raise WebhookSecretMalformed("the webhook secret is not whsec_ and the base64 of 24 to 64 bytes")
    return Webhook(key)


def _checked_time(stamp: str, *, tolerance: timedelta, now: datetime) -> datetime:
    # Digits only: the library would also take 1e9 or 12.7, and sign something else than what was sent.
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 11) or stamp != str(int(stamp)):
        raise WebhookRefused("the timestamp is not a whole number of seconds")
    at = datetime.fromtimestamp(int(stamp), tz=UTC)
    if abs(now - at) > tolerance:
        raise WebhookRefused("the timestamp is too old or in the future")
    return at


def _event(event_id: str, text: str, at: datetime) -> WebhookEvent:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise WebhookRefused("the body is not JSON") from None
    kind = document.get("type") if isinstance(document, dict) else None
    data = document.get("data", {}) if isinstance(document, dict) else None
    if not isinstance(kind, str) or not isinstance(data, dict):
        raise WebhookRefused("the body is not a webhook payload")
    return WebhookEvent(id=event_id, type=kind, at=at, data=data)
