"""What the forum is told by its environment."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path


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

    @property
    def media(self) -> Path:
        """Where the pictures lie."""
        return self.data / "media"

    def session_key(self) -> str:
        """The key that signs sessions; made on first use, readable by this account only."""
        path = self.data / "session.key"
        if not path.exists():
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_urlsafe(32))
        return path.read_text()
