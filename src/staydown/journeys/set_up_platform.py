"""An administrator connects a platform: its address, its token, its webhook endpoint."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from staydown.access.operations import add_platform, make_token
from staydown.access.terms import NewToken, Scope
from staydown.action.operations import set_endpoint
from staydown.journeys.publishing import publish_tokens


@dataclass(frozen=True, slots=True)
class ConnectedPlatform:
    """What the platform's engineer needs; both secrets are shown once."""

    token: NewToken
    webhook_secret: str


def connect_platform(*, name: str, url_prefix: str, webhook_url: str, now: datetime) -> ConnectedPlatform:
    """Connects a platform with a token of every platform scope. Raises PlatformNameTaken."""
    with transaction.atomic():
        platform = add_platform(name=name, url_prefix=url_prefix, now=now)
        token = make_token(
            platform_id=platform.id, scopes=(Scope.CHECK, Scope.COPIES, Scope.NOTICES, Scope.ENTRIES), now=now
        )
        # 32 random bytes, inside the 24 to 64 that Standard Webhooks asks for.
        secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
        set_endpoint(platform_id=platform.id, url=webhook_url, secret=secret)
    publish_tokens(now=now)
    return ConnectedPlatform(token=token, webhook_secret=secret)
