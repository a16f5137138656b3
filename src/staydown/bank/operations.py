"""What can be done in the bank stage. All but the last run inside a journey's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import connection

from staydown.bank.models import ChangeRecord, CodeRecord, EntryRecord, SeenMatchRecord
from staydown.bank.queries import entry_term
from staydown.bank.terms import DEFAULT_BANK, Entry, SeenMatch, Source
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
            # A withdrawn entry matches nothing again, so neither its codes nor its digests are kept.
            record.codes.all().delete()
            record.sha256 = record.md5 = ""
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
            )
            for match in matches
            if match.entry_id in known
        ),
        ignore_conflicts=True,
    )
