"""What the forum is told by its environment."""

from __future__ import annotations

import contextlib
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from staydown.client import WebhookRefused, webhooks


@dataclass(frozen=True)
class ForumSettings:
    """One forum: its folder, its own address, and how it reaches Staydown."""

    data: Path
    public_url: str
    staydown_url: str
    staydown_token: str
    webhook_secret: str

    @classmethod
    def from_environment(cls, data: Path, *, port: int) -> ForumSettings:
        """Reads PUBLIC_URL, STAYDOWN_URL, STAYDOWN_TOKEN, STAYDOWN_WEBHOOK_SECRET. Raises KeyError."""
        return cls(
            data=data,
            public_url=os.environ.get("PUBLIC_URL", f"http://127.0.0.1:{port}").rstrip("/"),
            staydown_url=os.environ["STAYDOWN_URL"].rstrip("/"),
            staydown_token=os.environ["STAYDOWN_TOKEN"],
            webhook_secret=os.environ["STAYDOWN_WEBHOOK_SECRET"],
        )

    def check(self) -> None:
        """Raises WebhookSecretMalformed now rather than at the first removal."""
        with contextlib.suppress(WebhookRefused):
            webhooks.verify(self.webhook_secret, {}, b"")

    def session_key(self) -> str:
        """The key that signs sessions; made on first use, readable by this account only."""
        path = self.data / "session.key"
        if not path.exists():
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_urlsafe(32))
        return path.read_text()
