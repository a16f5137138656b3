"""What can be done in the action stage: tell a platform, and note what it did."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from django.db.models import F

from staydown.action import rules
from staydown.action.errors import CopyNotFound, NoEndpoint
from staydown.action.models import CopyRecord, DeliveryRecord, EndpointRecord
from staydown.action.queries import copy_term
from staydown.action.terms import (
    Copy,
    CopyAction,
    CopyState,
    CopyToRemove,
    Delivery,
    DeliveryResult,
    DeliveryState,
)


def set_endpoint(*, platform_id: str, url: str, secret: str) -> None:
    """Sets where a platform hears from us and the secret (`whsec_...`) that signs it."""
    EndpointRecord.objects.update_or_create(
        platform__public_id=platform_id,
        defaults={"platform_id": platform_id, "url": url, "secret": secret},
    )


def instruct_copies(
    *,
    notice_number: str,
    platform_id: str,
    copies: Sequence[CopyToRemove],
    copy_ids: Sequence[str],
    message_ids: Sequence[str],
    now: datetime,
) -> tuple[Copy, ...]:
    """Records the copies and puts one message a copy into the outbox, in the caller's transaction.

    Raises NoEndpoint if the platform cannot be told.
    """
    endpoint = EndpointRecord.objects.filter(platform__public_id=platform_id).first()
    if endpoint is None:
        raise NoEndpoint
    records = []
    for wanted, copy_id, message_id in zip(copies, copy_ids, message_ids, strict=True):
        record = CopyRecord.objects.create(
            public_id=copy_id,
            notice_id=notice_number,
            platform_id=platform_id,
            content_id=wanted.content_id,
            content_url=wanted.content_url,
            kind=wanted.kind,
            state=CopyState.PENDING,
            created_at=now,
        )
        DeliveryRecord.objects.create(
            endpoint=endpoint,
            copy=record,
            message_id=message_id,
            body=_body("copy.instructed", record, now=now),
            state=DeliveryState.WAITING,
            next_attempt_at=now,
            created_at=now,
        )
        records.append(copy_term(record))
    return tuple(records)


def _body(event: str, record: CopyRecord, *, now: datetime) -> str:
    """A thin payload: ids and states, never an address, a name or a fingerprint."""
    return json.dumps(
        {
            "type": event,
            "timestamp": now.isoformat(),
            "data": {
                "copy_id": record.public_id,
                "content_id": record.content_id,
                "state": CopyState.INSTRUCTED.value,
            },
        },
        separators=(",", ":"),
    )


def claim_due_delivery(*, now: datetime) -> Delivery | None:
    """Claims the delivery that has waited longest, for as long as a lease lasts; None if nothing is due.

    The claim is one conditional UPDATE: whoever comes second changes no row and looks again. A worker
    that dies leaves a lease that ends, and the message is sent again (at least once).
    """
    while True:
        record = (
            DeliveryRecord.objects.select_related("endpoint", "copy")
            .filter(state=DeliveryState.WAITING, next_attempt_at__lte=now)
            .order_by("next_attempt_at", "pk")
            .first()
        )
        if record is None:
            return None
        claimed = DeliveryRecord.objects.filter(
            pk=record.pk, state=DeliveryState.WAITING, attempts=record.attempts
        ).update(attempts=F("attempts") + 1, next_attempt_at=now + rules.LEASE)
        if claimed:
            return Delivery(
                id=record.pk,
                message_id=record.message_id,
                url=record.endpoint.url,
                secret=record.endpoint.secret,
                body=record.body,
                attempt=record.attempts + 1,
                copy_id=record.copy.public_id if record.copy else None,
            )


def record_delivery(delivery: Delivery, result: DeliveryResult, *, now: datetime) -> DeliveryState | None:
    """Notes what came of an attempt and says where the delivery stands.

    None if another worker has claimed it since (the lease had ended): then nothing is changed.
    """
    if result.delivered:
        state, next_attempt_at = DeliveryState.DELIVERED, now
    else:
        again = rules.next_attempt_at(attempt=delivery.attempt, now=now)
        state = DeliveryState.WAITING if again else DeliveryState.DEAD
        next_attempt_at = again or now
    changed = DeliveryRecord.objects.filter(
        pk=delivery.id, attempts=delivery.attempt, state=DeliveryState.WAITING
    ).update(
        state=state, next_attempt_at=next_attempt_at, last_status=result.status, last_trouble=result.trouble
    )
    return state if changed else None


def change_copy(
    *, copy_id: str, action: CopyAction, now: datetime, platform_id: str | None = None
) -> tuple[Copy, bool]:
    """Moves a copy along the table; returns it and whether anything changed.

    Raises CopyNotFound (also when `platform_id` is given and is not the copy's), or CopyTransitionRefused.
    """
    rows = CopyRecord.objects.select_for_update().filter(public_id=copy_id)
    if platform_id is not None:
        rows = rows.filter(platform__public_id=platform_id)
    record = rows.first()
    if record is None:
        raise CopyNotFound
    before = CopyState(record.state)
    after = rules.state_after(before, action)
    if after is before:
        return copy_term(record), False
    record.state = after
    if after is CopyState.INSTRUCTED:
        record.instructed_at = now
    if after is CopyState.GONE:
        record.gone_at = now
    record.save(update_fields=["state", "instructed_at", "gone_at"])
    return copy_term(record), True
