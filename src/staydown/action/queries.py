"""What can be asked of the action stage."""

from __future__ import annotations

from collections.abc import Iterable

from staydown.action.errors import CopyNotFound
from staydown.action.models import CopyRecord, EndpointRecord
from staydown.action.terms import Copy, CopyKind, CopyState


def copy_term(record: CopyRecord) -> Copy:
    """The copy as other packages see it."""
    return Copy(
        id=record.public_id,
        notice_number=record.notice_id,
        platform_id=record.platform_id,
        content_id=record.content_id,
        content_url=record.content_url,
        kind=CopyKind(record.kind),
        state=CopyState(record.state),
        created_at=record.created_at,
        instructed_at=record.instructed_at,
        gone_at=record.gone_at,
    )


def copy_by_id(copy_id: str, *, platform_id: str) -> Copy:
    """One copy of this platform. Raises CopyNotFound, also for another platform's."""
    record = CopyRecord.objects.filter(public_id=copy_id, platform__public_id=platform_id).first()
    if record is None:
        raise CopyNotFound
    return copy_term(record)


def copies_of(notice_numbers: Iterable[str]) -> dict[str, tuple[Copy, ...]]:
    """Each request's copies, in the order they were found."""
    found: dict[str, list[Copy]] = {}
    for record in CopyRecord.objects.filter(notice_id__in=list(notice_numbers)).order_by("pk"):
        found.setdefault(record.notice_id, []).append(copy_term(record))
    return {number: tuple(copies) for number, copies in found.items()}


def has_endpoint(platform_id: str) -> bool:
    """Whether the platform can be told anything."""
    return EndpointRecord.objects.filter(platform__public_id=platform_id).exists()
