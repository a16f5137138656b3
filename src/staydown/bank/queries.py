"""What can be asked of the bank stage."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Count, Max, QuerySet

from staydown.bank.errors import EntryNotFound
from staydown.bank.models import ChangeRecord, EntryRecord, SeenMatchRecord
from staydown.bank.terms import Entry, Source
from staydown.fingerprint import Algorithm, Digests, Fingerprint
from staydown.matching.terms import EntryState


def entry_term(record: EntryRecord) -> Entry:
    """The entry as other packages see it."""
    return Entry(
        id=record.public_id,
        bank=record.bank,
        state=EntryState(record.state),
        source=Source(record.source),
        registration_id=record.registration_id,
        notice_number=record.notice_id,
        digests=Digests(sha256=record.sha256, md5=record.md5),
        fingerprints=tuple(
            Fingerprint(
                algorithm=Algorithm(row.algorithm),
                code=bytes(row.code),
                quality=row.quality,
                derivation=row.derivation,
            )
            for row in record.codes.all()
        ),
        created_at=record.created_at,
        state_changed_at=record.state_changed_at,
    )


def _rows() -> QuerySet[EntryRecord]:
    return EntryRecord.objects.prefetch_related("codes").order_by("pk")


def entry_by_id(entry_id: str) -> Entry:
    """One entry. Raises EntryNotFound."""
    record = _rows().filter(public_id=entry_id).first()
    if record is None:
        raise EntryNotFound
    return entry_term(record)


def entries_of(
    *, registration_ids: Iterable[str] = (), notice_numbers: Iterable[str] = ()
) -> tuple[Entry, ...]:
    """The entries that came from these registrations and requests."""
    by_registration = _rows().filter(registration_id__in=list(registration_ids))
    by_notice = _rows().filter(notice_id__in=list(notice_numbers))
    return tuple(entry_term(record) for rows in (by_registration, by_notice) for record in rows)


def entries_with_digest(sha256: str) -> tuple[Entry, ...]:
    """The entries that name this very file."""
    return tuple(entry_term(record) for record in _rows().filter(sha256=sha256))


def match_counts(entry_ids: Iterable[str]) -> dict[str, int]:
    """How many checks each entry has matched; entries without a match are left out."""
    rows = SeenMatchRecord.objects.filter(entry_id__in=list(entry_ids)).values("entry_id")
    return {str(row["entry_id"]): row["count"] for row in rows.annotate(count=Count("pk"))}


def last_change() -> int:
    """The newest sequence number; 0 when nothing ever changed."""
    return ChangeRecord.objects.aggregate(newest=Max("seq"))["newest"] or 0


def journal_records(*, after: int, most: int) -> list[dict[str, Any]]:
    """What the upload check must learn of the next so many changes after a sequence number, in their order.

    Each entry is told once, as it is now, even if that is the work of a later change, which tells it again.
    """
    changes = ChangeRecord.objects.filter(seq__gt=after).order_by("seq")[:most]
    newest = dict(changes.values_list("entry_id", "seq"))
    records = []
    for record in _rows().filter(pk__in=newest):
        entry = entry_term(record)
        if entry.state is EntryState.WITHDRAWN:
            body: dict[str, Any] = {"op": "drop", "entry_id": entry.id}
        else:
            body = {"op": "put", "entry": _journal_entry(entry)}
        records.append({"seq": newest[record.pk], **body})
    return sorted(records, key=lambda body: int(body["seq"]))


def _journal_entry(entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "bank": entry.bank,
        "state": entry.state.value,
        "sha256": entry.digests.sha256,
        "md5": entry.digests.md5,
        "codes": [
            [code.algorithm.value, code.derivation, code.quality, code.hex] for code in entry.fingerprints
        ],
    }
