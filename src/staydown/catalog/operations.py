"""What can be done in the catalog stage. Each runs inside a journey's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from staydown.catalog import rules
from staydown.catalog.models import ContentRecord, JournalPosition
from staydown.catalog.terms import CheckedUpload


def list_content(check: CheckedUpload) -> bool:
    """Lists what a check tells of, or brings it up to date. False if the check does not tell enough."""
    if not rules.is_listable(check) or check.digests is None or check.content_url is None:
        return False
    ContentRecord.objects.update_or_create(
        platform__public_id=check.platform_id,
        content_id=check.content_id,
        defaults={
            "platform_id": check.platform_id,
            "content_url": check.content_url,
            "sha256": check.digests.sha256,
            "md5": check.digests.md5,
            "codes": [
                [code.algorithm.value, code.derivation, code.quality, code.hex] for code in check.fingerprints
            ],
            "check_id": check.check_id,
            "checked_at": check.at,
            "action": check.action,
            "removed_at": None,
        },
    )
    return True


def mark_removed(*, platform_id: str, content_id: str, now: datetime) -> None:
    """Notes that the platform removed an item; its fingerprints and digests leave with it."""
    ContentRecord.objects.filter(platform__public_id=platform_id, content_id=content_id).update(
        removed_at=now, codes=[], sha256="", md5=""
    )


def forget_positions(file_names: Iterable[str]) -> None:
    """Forgets the positions in check journals that are gone."""
    JournalPosition.objects.filter(file_name__in=list(file_names)).delete()


def save_positions(positions: Mapping[str, int]) -> None:
    """Remembers how far each check journal was read."""
    for file_name, offset_bytes in positions.items():
        JournalPosition.objects.update_or_create(file_name=file_name, defaults={"offset_bytes": offset_bytes})
