"""An administrator connects a platform (its address, token and webhook endpoint) or replaces its token."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import transaction

from staydown.access.operations import add_platform, make_token, revoke_tokens
from staydown.access.queries import platform_by_name
from staydown.access.terms import NewToken, Scope
from staydown.action.operations import set_endpoint
from staydown.journeys.publishing import publish_tokens
from staydown.ledger.operations import load_or_create_signer


@dataclass(frozen=True, slots=True)
class ConnectedPlatform:
    """What the platform's engineer needs; both secrets are shown once."""

    token: NewToken
    webhook_secret: str


_PLATFORM_SCOPES = (Scope.CHECK, Scope.COPIES, Scope.NOTICES, Scope.ENTRIES)


def connect_platform(*, name: str, url_prefix: str, webhook_url: str, now: datetime) -> ConnectedPlatform:
    """Connects a platform with a token of every platform scope. Raises PlatformNameTaken."""
    with transaction.atomic():
        platform = add_platform(name=name, url_prefix=url_prefix, now=now)
        token = make_token(platform_id=platform.id, scopes=_PLATFORM_SCOPES, now=now)
        # 32 random bytes, inside the 24 to 64 that Standard Webhooks asks for.
        secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
        set_endpoint(platform_id=platform.id, url=webhook_url, secret=secret)
    publish_tokens(now=now)
    return ConnectedPlatform(token=token, webhook_secret=secret)


@dataclass(frozen=True, slots=True)
class EdgeAccess:
    """What a platform's engineer needs for an edge bank; the token's secret is shown once."""

    token: NewToken
    public_key: str


def give_edge_token(*, name: str, now: datetime) -> EdgeAccess:
    """Makes a token that may fetch the edge bank and nothing else. Raises PlatformNotFound.

    From then on the edge bank is published; `replace_token` revokes this one too.
    """
    token = give_token(name=name, scope=Scope.EDGE, now=now)
    signer = load_or_create_signer(Path(settings.STAYDOWN_LEDGER_KEY_PATH))
    return EdgeAccess(token=token, public_key=signer.vkey(settings.STAYDOWN_LEDGER_ORIGIN))


def give_token(*, name: str, scope: Scope, now: datetime) -> NewToken:
    """Makes one more token of the platform that may do one thing and nothing else. Raises PlatformNotFound.

    `replace_token` revokes this one too.
    """
    with transaction.atomic():
        token = make_token(platform_id=platform_by_name(name).id, scopes=(scope,), now=now)
    publish_tokens(now=now)
    return token


def replace_token(*, name: str, now: datetime) -> NewToken:
    """Makes a new token and revokes every older one of the platform. Raises PlatformNotFound."""
    with transaction.atomic():
        platform = platform_by_name(name)
        revoke_tokens(platform_id=platform.id, now=now)
        token = make_token(platform_id=platform.id, scopes=_PLATFORM_SCOPES, now=now)
    publish_tokens(now=now)
    return token
