"""What can be done in the bank stage. Each runs inside a journey's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import connection
from django.db.models import Count, F

from staydown.bank import rules
from staydown.bank.errors import FloodIsOver
from staydown.bank.models import ChangeRecord, CodeRecord, EntryRecord, FloodRecord, SeenMatchRecord
from staydown.bank.queries import entry_term, flood_by_id
from staydown.bank.terms import (
    DEFAULT_BANK,
    Crowd,
    Entry,
    Flood,
    FloodAnswer,
    FloodDecision,
    FloodLimits,
    FloodReason,
    SeenMatch,
    Source,
)
from staydown.fingerprint import MIN_QUALITY, Digests, Fingerprint
from staydown.matching.terms import EntryState

# The key of the advisory lock under which changes are numbered (PostgreSQL only). Beside journeys/turn.py's,
# which are taken before it.
CHANGES_LOCK = 4_100


def add_entry(
    *,
    entry_id: str,
    digests: Digests,
    fingerprints: Sequence[Fingerprint],
    state: EntryState,
    now: datetime,
    registration_id: str | None = None,
    notice_number: str | None = None,
) -> Entry:
    """Adds an entry from a registration or from a request (exactly one of the two is given)."""
    record = EntryRecord.objects.create(
        public_id=entry_id,
        bank=DEFAULT_BANK,
        state=state,
        source=Source.REGISTRATION if registration_id else Source.NOTICE,
        registration_id=registration_id,
        notice_id=notice_number,
        sha256=digests.sha256,
        md5=digests.md5,
        created_at=now,
        state_changed_at=now,
    )
    CodeRecord.objects.bulk_create(
        CodeRecord(
            entry=record,
            algorithm=fingerprint.algorithm,
            derivation=fingerprint.derivation,
            quality=fingerprint.quality,
            code=fingerprint.code,
        )
        for fingerprint in fingerprints
        if fingerprint.quality >= MIN_QUALITY
    )
    _number_change(record)
    return entry_term(record)


def _number_change(record: EntryRecord) -> None:
    """Gives a change its place in the sequence; places are taken in the order of the commits.

    On PostgreSQL a number drawn first may be committed last, and whoever follows the sequence would have
    passed it by. So the number is drawn under a lock that is held until the transaction has ended. On SQLite
    the transaction itself is that lock.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [CHANGES_LOCK])
    ChangeRecord.objects.create(entry=record)


def set_state(*, entry_ids: Iterable[str], state: EntryState, now: datetime) -> int:
    """Moves entries to a state; those already there, or withdrawn, are left alone. Returns how many moved."""
    rows = EntryRecord.objects.select_for_update().filter(public_id__in=list(entry_ids))
    records = list(rows.exclude(state__in=[state, EntryState.WITHDRAWN]))
    for record in records:
        record.state = state
        record.state_changed_at = now
        if state is EntryState.WITHDRAWN:
            # A withdrawn entry matches nothing again, so neither its codes nor its digests are kept, nor what
            # tells which uploads were near it.
            record.codes.all().delete()
            record.sha256 = record.md5 = ""
            record.seen_matches.update(upload="")
            FloodRecord.objects.filter(entry=record, closed_at=None).update(closed_at=now)
        record.save(update_fields=["state", "state_changed_at", "sha256", "md5"])
        _number_change(record)
    return len(records)


def record_matches(matches: Iterable[SeenMatch]) -> None:
    """Records the matches of upload checks; one that is known already changes nothing."""
    matches = list(matches)
    wanted = {match.entry_id for match in matches}
    known = set(EntryRecord.objects.filter(public_id__in=wanted).values_list("public_id", flat=True))
    SeenMatchRecord.objects.bulk_create(
        (
            SeenMatchRecord(
                check_id=match.check_id,
                entry_id=match.entry_id,
                kind=match.kind,
                distance_bits=match.distance_bits,
                at=match.at,
                platform_id=match.platform_id,
                upload=match.upload,
            )
            for match in matches
            if match.entry_id in known
        ),
        ignore_conflicts=True,
    )


def forget_old_matches(*, now: datetime, most: int) -> int:
    """Keeps of matches that no baseline needs their number only; at most so many a call. Returns how many."""
    old = SeenMatchRecord.objects.filter(at__lt=now - rules.MATCHES_KEPT).order_by("at")
    numbers = list(old.values_list("pk", flat=True)[:most])
    rows = SeenMatchRecord.objects.filter(pk__in=numbers)
    for entry_id, count in rows.values_list("entry_id").annotate(count=Count("pk")).order_by("entry_id"):
        EntryRecord.objects.filter(public_id=entry_id).update(older_matches=F("older_matches") + count)
    rows.delete()
    return len(numbers)


def note_flood(*, flood_id: str, crowd: Crowd, limits: FloodLimits, now: datetime) -> Flood | None:
    """Records that an entry left its baseline, and pauses it if that is the answer.

    None if there is nothing to do any more: it is noted already, or a person changed its state meanwhile.
    """
    answer = rules.judge_flood(crowd, limits)
    entry = EntryRecord.objects.select_for_update().get(public_id=crowd.entry_id)
    noted = FloodRecord.objects.filter(entry=entry, closed_at=None).exists()
    if answer is None or noted or entry.state != crowd.state:
        return None
    record = FloodRecord.objects.create(
        public_id=flood_id,
        entry=entry,
        platform_id=crowd.platform_id,
        answer=answer,
        state_before=crowd.state,
        near=crowd.near,
        far=crowd.far,
        usual=rules.usual_near(crowd.earlier),
        found_at=now,
    )
    if answer is FloodAnswer.QUARANTINE:
        set_state(entry_ids=[entry.public_id], state=EntryState.QUARANTINED, now=now)
    return flood_by_id(record.public_id)


def decide_flood(
    *,
    flood_id: str,
    reviewer_id: int,
    decision: FloodDecision,
    reason: FloodReason | None,
    now: datetime,
) -> Flood:
    """Records a reviewer's decision and carries it out. Returns the flood as it was before.

    Put back: the entry has its former state again. Kept out: it is paused, also if the guard only told us.
    Raises FloodNotFound, FloodIsOver or FloodReasonDoesNotFit.
    """
    before = flood_by_id(flood_id)
    if before.closed_at is not None:
        raise FloodIsOver
    reason = rules.check_flood_reason(decision, reason)
    record = FloodRecord.objects.select_for_update().get(public_id=flood_id)
    record.decisions.create(reviewer_id=reviewer_id, decision=decision, reason=reason, decided_at=now)
    if decision is FloodDecision.KEEP_OUT:
        set_state(entry_ids=[before.entry_id], state=EntryState.QUARANTINED, now=now)
        return before
    if before.state is EntryState.QUARANTINED:
        set_state(entry_ids=[before.entry_id], state=before.state_before, now=now)
    record.closed_at = now
    record.save(update_fields=["closed_at"])
    return before
