"""Delivers webhooks by Standard Webhooks 1.0.0: signed, thin, at least once, never following a redirect."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
from standardwebhooks import Webhook

from staydown.action.operations import claim_due_delivery
from staydown.action.rules import ANSWER_TIMEOUT_SECONDS
from staydown.action.terms import Delivery, DeliveryResult
from staydown.journeys.deliver_instruction import note_delivery


def deliver_due(*, transport: httpx.BaseTransport | None = None) -> int:
    """Sends every delivery that is due and notes what came of it. Returns how many were tried."""
    delivery = claim_due_delivery(now=datetime.now(UTC))
    if delivery is None:
        return 0  # most of the time; a client with its certificates is not made for nothing
    tried = 0
    with httpx.Client(
        timeout=ANSWER_TIMEOUT_SECONDS, follow_redirects=False, transport=transport, trust_env=False
    ) as client:
        while delivery is not None:
            note_delivery(delivery, _send(client, delivery), now=datetime.now(UTC))
            tried += 1
            delivery = claim_due_delivery(now=datetime.now(UTC))
    return tried


def _send(client: httpx.Client, delivery: Delivery) -> DeliveryResult:
    now = datetime.now(UTC)
    signature = Webhook(delivery.secret).sign(msg_id=delivery.message_id, timestamp=now, data=delivery.body)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Staydown",
        "webhook-id": delivery.message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signature,
    }
    try:
        # The status is the answer. A body is not read: it could be endless, or slower than the lease.
        with client.stream("POST", delivery.url, content=delivery.body, headers=headers) as answer:
            return DeliveryResult(status=answer.status_code, trouble="" if answer.is_success else "refused")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return DeliveryResult(status=0, trouble=type(error).__name__)
