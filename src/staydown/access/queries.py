"""What can be asked of the access stage."""

from __future__ import annotations

import hashlib
from datetime import datetime

from django.db.models import Q

from staydown.access.errors import (
    IdempotencyKeyReused,
    PlatformNotFound,
    ScopeMissing,
    TokenNotRecognised,
)
from staydown.access.models import ApiToken, IdempotentCall, PlatformRecord, ReceiptVerifier
from staydown.access.terms import KeyKind, MarkedCall, Platform, Scope, TokenHolder


def platform_term(record: PlatformRecord) -> Platform:
    """The platform as other packages see it."""
    return Platform(id=record.public_id, name=record.name, url_prefix=record.url_prefix)


def keys_of(number: str) -> dict[KeyKind, datetime]:
    """Which keys a case has, and since when."""
    rows = ReceiptVerifier.objects.filter(number=number).values_list("kind", "created_at")
    return {KeyKind(kind): made_at for kind, made_at in rows}


def platforms() -> tuple[Platform, ...]:
    """Every platform that this installation serves, by name."""
    return tuple(platform_term(record) for record in PlatformRecord.objects.order_by("name"))


def platform_by_name(name: str) -> Platform:
    """The platform of that name. Raises PlatformNotFound."""
    record = PlatformRecord.objects.filter(name=name).first()
    if record is None:
        raise PlatformNotFound
    return platform_term(record)


def live_tokens(*, now: datetime) -> list[dict[str, object]]:
    """Rows for the upload check's key file: digests of the tokens that are good now."""
    rows = ApiToken.objects.select_related("platform").filter(
        Q(expires_at=None) | Q(expires_at__gt=now), revoked_at=None
    )
    return [
        {
            "digest": row.digest,
            "platform": row.platform.public_id,
            "scopes": row.scopes,
            "expires_at": row.expires_at.isoformat() if row.expires_at else None,
        }
        for row in rows.order_by("pk")
    ]


def holder_of_token(secret: str, *, scope: Scope, now: datetime) -> TokenHolder:
    """Who a bearer token speaks for.

    Raises TokenNotRecognised if it is unknown, revoked or expired, ScopeMissing if it may not do this.
    """
    digest = hashlib.sha256(secret.encode()).hexdigest()
    row = ApiToken.objects.select_related("platform").filter(digest=digest, revoked_at=None).first()
    if row is None or (row.expires_at is not None and row.expires_at <= now):
        raise TokenNotRecognised
    scopes = frozenset(Scope(name) for name in row.scopes)
    if scope not in scopes:
        raise ScopeMissing(scope)
    return TokenHolder(platform=platform_term(row.platform), scopes=scopes)


def made_by_earlier_call(call: MarkedCall) -> str | None:
    """The number of what the same call made before; None if it is new.

    Raises IdempotencyKeyReused if the key came with another body.
    """
    row = IdempotentCall.objects.filter(
        platform__public_id=call.platform_id, route=call.route, key=call.key
    ).first()
    if row is None:
        return None
    if row.body_sha256 != call.body_sha256:
        raise IdempotencyKeyReused
    return row.made
