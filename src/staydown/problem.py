"""One error shape for every API: RFC 9457 problem details. Pure; the doors turn it into an answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

CONTENT_TYPE = "application/problem+json"


@dataclass(frozen=True)
class Problem:
    """What went wrong, for a program (`slug`) and for a person (`title`, `detail`)."""

    status: int
    slug: str
    title: str
    detail: str
    members: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """The members of the problem object, extension members last."""
        return {
            "type": f"urn:staydown:problem:{self.slug}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            **self.members,
        }
