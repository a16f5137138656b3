"""What can be asked of the bank stage."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from django.db.models import Count, Exists, F, Max, OuterRef, Q, QuerySet
from django.db.models.functions import TruncHour

from staydown.bank import rules
from staydown.bank.errors import EntryNotFound, FloodNotFound
from staydown.bank.models import ChangeRecord, EntryRecord, FloodRecord, SeenMatchRecord
from staydown.bank.terms import (
    Crowd,
    Entry,
    Flood,
    FloodAnswer,
    FloodChoice,
    FloodDecision,
    FloodLimits,
    FloodReason,
    HourOfMatches,
    Source,
)
from staydown.fingerprint import Algorithm, Digests, Fingerprint
from staydown.matching import MatchKind, verdict
from staydown.matching.terms import Action, EntryState


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


def acting_entries() -> Iterator[Entry]:
    """The entries of which a match does anything, as the action rule says; read in pieces, oldest first."""
    acting = [state for state in EntryState if verdict(state, MatchKind.NEAR).action is not Action.ALLOW]
    # Five hundred entries with their codes are some ten MB.
    for record in _rows().filter(state__in=acting).iterator(chunk_size=500):
        yield entry_term(record)


def match_counts(entry_ids: Iterable[str]) -> dict[str, int]:
    """How many checks each entry has matched; entries without a match are left out."""
    rows = EntryRecord.objects.filter(public_id__in=list(entry_ids)).annotate(
        count=F("older_matches") + Count("seen_matches")
    )
    return dict(rows.filter(count__gt=0).values_list("public_id", "count"))


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


# --- floods

_FILES = Count("upload", distinct=True)


def crowds(limits: FloodLimits, *, now: datetime) -> tuple[Crowd, ...]:
    """The entries that many different files came near within the last hour, platform by platform.

    Left out: entries that do nothing now (withdrawn, disputed, paused), and those whose flood is open.
    """
    open_floods = FloodRecord.objects.filter(entry_id=OuterRef("entry_id"), closed_at=None)
    far = Count("upload", distinct=True, filter=Q(distance_bits__gt=limits.far_bits))
    rows = (
        _near()
        .filter(at__gt=now - rules.HOUR, at__lte=now, entry__state__in=rules.WATCHED)
        .filter(~Exists(open_floods))
        .values_list("entry_id", "platform_id", "entry__state", "entry__created_at")
        .annotate(files=_FILES, far=far)
        .filter(files__gte=limits.floor)
        .order_by("entry_id", "platform_id")
    )
    return tuple(
        Crowd(
            entry_id=entry_id,
            platform_id=platform_id,
            state=EntryState(state),
            near=near,
            far=far,
            earlier=_earlier(
                entry_id, platform_id, created_at, now.replace(minute=0, second=0, microsecond=0)
            ),
            put_back_at_near=_put_back_at(entry_id),
        )
        for entry_id, platform_id, state, created_at, near, far in rows
    )


def _near() -> QuerySet[SeenMatchRecord]:
    return SeenMatchRecord.objects.filter(kind=MatchKind.NEAR).exclude(upload="")


@lru_cache(maxsize=1_000)
def _earlier(entry_id: str, platform_id: str, created_at: datetime, hour: datetime) -> tuple[int, ...]:
    """An entry's baseline, which is made of whole hours and so is the same until the next hour begins.

    Reading a busy entry's week can take seconds on SQLite, so it is done once an hour.
    """
    counts = _near_by_hour(entry_id, platform_id, now=hour)
    return rules.earlier_hours(counts, created_at=created_at, now=hour)


def _near_by_hour(entry_id: str, platform_id: str, *, now: datetime) -> dict[datetime, int]:
    rows = _near().filter(
        entry__public_id=entry_id, platform__public_id=platform_id, at__gt=now - rules.MATCHES_KEPT
    )
    hours = rows.annotate(hour=TruncHour("at", tzinfo=UTC)).values_list("hour").annotate(files=_FILES)
    return dict(hours.order_by("hour"))


def _put_back_at(entry_id: str) -> int | None:
    rows = FloodRecord.objects.filter(entry__public_id=entry_id, decisions__decision=FloodDecision.PUT_BACK)
    largest: int | None = rows.aggregate(largest=Max("near"))["largest"]
    return largest


def matches_by_hour(entry_id: str, *, since: datetime, hours: int) -> tuple[HourOfMatches, ...]:
    """Different files near an entry, and exact matches, in each clock hour from `since` on, with zeros."""
    first = since.replace(minute=0, second=0, microsecond=0)
    rows = SeenMatchRecord.objects.filter(
        entry__public_id=entry_id, at__gte=first, at__lt=first + timedelta(hours=hours)
    )
    counted = {
        hour: (near, exact)
        for hour, near, exact in rows.annotate(hour=TruncHour("at", tzinfo=UTC))
        .values_list("hour")
        .annotate(
            near=Count("upload", distinct=True, filter=Q(kind=MatchKind.NEAR)),
            exact=Count("pk", filter=Q(kind=MatchKind.EXACT)),
        )
        .order_by("hour")
    }
    starts = [first + timedelta(hours=number) for number in range(hours)]
    return tuple(HourOfMatches(start, *counted.get(start, (0, 0))) for start in starts)


def flood_term(record: FloodRecord) -> Flood:
    """The flood as other packages see it."""
    return Flood(
        id=record.public_id,
        entry_id=record.entry_id,
        bank=record.entry.bank,
        state=EntryState(record.entry.state),
        state_before=EntryState(record.state_before),
        platform_id=record.platform_id,
        answer=FloodAnswer(record.answer),
        near=record.near,
        far=record.far,
        usual=record.usual,
        found_at=record.found_at,
        closed_at=record.closed_at,
        choices=tuple(
            FloodChoice(
                decision=FloodDecision(row.decision),
                reason=FloodReason(row.reason),
                reviewer_name=row.reviewer.get_username(),
                decided_at=row.decided_at,
            )
            for row in record.decisions.all()
        ),
    )


def _floods() -> QuerySet[FloodRecord]:
    return FloodRecord.objects.select_related("entry").prefetch_related("decisions__reviewer")


def flood_by_id(flood_id: str) -> Flood:
    """One flood. Raises FloodNotFound."""
    record = _floods().filter(public_id=flood_id).first()
    if record is None:
        raise FloodNotFound
    return flood_term(record)


def open_floods() -> tuple[Flood, ...]:
    """The floods that are not over: those that wait for a person first, of each the newest first."""
    found = [flood_term(record) for record in _floods().filter(closed_at=None).order_by("-found_at", "-pk")]
    return tuple(sorted(found, key=lambda flood: not flood.waits))


def floods_waiting() -> int:
    """How many floods wait for a person."""
    return FloodRecord.objects.filter(closed_at=None, decisions=None).count()


def open_floods_of(entry_ids: Iterable[str]) -> dict[str, Flood]:
    """The open floods of these entries, by entry."""
    rows = _floods().filter(entry_id__in=list(entry_ids), closed_at=None)
    return {record.entry_id: flood_term(record) for record in rows}
