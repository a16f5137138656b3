"""Words of the catalog stage."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from staydown.fingerprint import Digests, Fingerprint


@dataclass(frozen=True, slots=True)
class CheckedMatch:
    """A match as an upload check reported it."""

    entry_id: str
    kind: str
    distance_bits: int


@dataclass(frozen=True, slots=True)
class CheckedUpload:
    """One upload check as it stands in the check journal."""

    check_id: str
    at: datetime
    platform_id: str
    content_id: str | None
    content_url: str | None
    digests: Digests | None
    fingerprints: tuple[Fingerprint, ...]
    action: str
    matches: tuple[CheckedMatch, ...]


@dataclass(frozen=True, slots=True)
class Content:
    """Something that a platform hosts, known to us by its address and its fingerprints only."""

    platform_id: str
    content_id: str
    content_url: str
    digests: Digests
    fingerprints: tuple[Fingerprint, ...]
    checked_at: datetime
    action: str
    removed_at: datetime | None
