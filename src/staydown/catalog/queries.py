"""What can be asked of the catalog stage."""

from __future__ import annotations

from staydown.catalog.models import ContentRecord, JournalPosition
from staydown.catalog.terms import Content
from staydown.fingerprint import Algorithm, Digests, Fingerprint


def content_term(record: ContentRecord) -> Content:
    """The content as other packages see it."""
    return Content(
        platform_id=record.platform_id,
        content_id=record.content_id,
        content_url=record.content_url,
        digests=Digests(sha256=record.sha256, md5=record.md5),
        fingerprints=tuple(
            Fingerprint.from_hex(
                digits, algorithm=Algorithm(algorithm), quality=quality, derivation=derivation
            )
            for algorithm, derivation, quality, digits in record.codes
        ),
        checked_at=record.checked_at,
        action=record.action,
        removed_at=record.removed_at,
    )


def content_at(*, platform_id: str, url: str) -> Content | None:
    """What the platform hosts at this address, as far as upload checks told us; None if nothing."""
    record = (
        ContentRecord.objects.filter(platform__public_id=platform_id, content_url=url, removed_at=None)
        .order_by("-checked_at")
        .first()
    )
    return content_term(record) if record else None


def exact_copies_of(content: Content) -> tuple[Content, ...]:
    """The other items of the same platform that are this very file and are still there."""
    rows = ContentRecord.objects.filter(
        platform__public_id=content.platform_id, sha256=content.digests.sha256, removed_at=None
    ).exclude(content_id=content.content_id)
    return tuple(content_term(record) for record in rows.order_by("pk"))


def journal_positions() -> dict[str, int]:
    """How far each check journal has been read, in bytes."""
    return dict(JournalPosition.objects.values_list("file_name", "offset_bytes"))
