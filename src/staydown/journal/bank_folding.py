"""Folds the bank journal into segments, and segments into larger ones.

So followers hold little in memory, start quickly, and what a person withdrew leaves the files. Refuses to
work beside another process that folds. May be killed at any instant: the journal names old files or new ones.
"""

from __future__ import annotations

import fcntl
import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from staydown.journal.bank_follower import BankFollower, segments_folder
from staydown.journal.bank_journal import BankJournalReader, BankJournalWriter, Generation, Reset
from staydown.journal.bank_records import DroppedEntry, claimed_entry_id, read_bank_record
from staydown.journal.bank_segment import BankSegment
from staydown.journal.errors import BankRecordNotUnderstood
from staydown.journal.segment_writing import delete_unnamed, merge_segments, write_segment
from staydown.matching.bank_search import HeldEntry

logger = logging.getLogger(__name__)

# Records behind the segments before they are folded: some 10 MB in each follower, read in 0.1 s.
FOLD_AT_RECORDS = 1000
# Records that become one segment: with 33 codes each some 200 MB while it is made.
MOST_AT_ONCE = 20_000
# Segments are merged so that each has over four times the codes of the next: with 50 million codes there are
# some six, and each code is written anew some six times while the bank grows to that.
GROWTH = 4
# A segment with hidden entries is written anew when so many seconds have passed for each of its codes: a
# million codes after 17 minutes, 50 million after 14 hours. Writing takes some microseconds a code, so this
# costs under a hundredth of a core, and what was withdrawn is off the disk within a day.
SECONDS_A_CODE = 0.001
SHORTEST_WAIT = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Folded:
    """What one call did."""

    records: int = 0
    """Records of the journal that went into a segment."""
    merged: int = 0
    """Segments that were replaced by fewer, or by ones without hidden entries."""


class BankFolder:
    """Keeps the segments open from call to call, so that a call that finds nothing to do costs next to
    nothing.
    """

    def __init__(self, journal: Path, *, fold_at_records: int = FOLD_AT_RECORDS) -> None:
        self._journal = journal
        self._folder = segments_folder(journal)
        self._fold_at_records = fold_at_records
        self._follower = BankFollower(journal)

    def fold(self, *, now: datetime) -> Folded:
        """Folds and merges what is due. Does nothing if there is no journal or another process is folding.

        Raises JournalError (a segment that is damaged, BankSegmentDamaged, is named), OSError: a full disk
        leaves everything as it was.
        """
        if not self._journal.exists():
            return Folded()
        with self._alone() as is_alone:
            if not is_alone:
                return Folded()
            records = merged = 0
            while count := self._fold_journal(now=now):
                records += count
            while count := self._merge(now=now):
                merged += count
            generation = self._follower.generation
            if (records or merged) and generation is not None:
                delete_unnamed(self._folder, named=generation.segments)
            return Folded(records, merged)

    def forget(self) -> None:
        """Opens everything anew at the next call."""
        self._follower.close()
        self._follower = BankFollower(self._journal)

    def _fold_journal(self, *, now: datetime) -> int:
        self._catch_up()
        if not self._has_enough():
            return 0
        segments, count, last_seq = list(self._follower.segments), 0, 0
        records = self._records()
        while part := list(islice(records, MOST_AT_ONCE)):
            changes = _newest_changes(part)
            entries = [(seq, change) for seq, change in changes if isinstance(change, HeldEntry)]
            gone = {
                number
                for segment in segments
                for _, change in changes
                if (number := segment.stored_number_of(change.id)) is not None
            }
            if entries or gone:
                seqs = part[0]["seq"], part[-1]["seq"]
                name = write_segment(self._folder, entries=entries, gone=sorted(gone), seqs=seqs, now=now)
                segments.append(BankSegment(self._folder / name))
            count, last_seq = count + len(part), part[-1]["seq"]
        self._name([segment.name for segment in segments], after=last_seq)
        return count

    def _has_enough(self) -> bool:
        """Whether there are many records, or some that say what is no more."""
        seen = set[str]()
        for count, record in enumerate(self._records(), start=1):
            entry_id = claimed_entry_id(record)
            if count >= self._fold_at_records or record.get("op") == "drop" or entry_id in seen:
                return True
            seen.add(entry_id)
        return False

    def _merge(self, *, now: datetime) -> int:
        self._catch_up()
        segments = self._follower.segments
        first, end = due_for_merging(segments, now=now)
        due = segments[first:end]
        if not due:
            return 0
        # What it overrules among itself is settled by leaving it out; only older segments need to be told.
        gone = {number for segment in due for number in segment.gone()}
        gone = {number for number in gone if any(older.stores(number) for older in segments[:first])}
        name = merge_segments(self._folder, due, gone=sorted(gone), now=now)
        named = [segment.name for segment in segments]
        generation = self._follower.generation or Generation("")
        self._name([*named[:first], name, *named[end:]], after=generation.after)
        return len(due)

    def _name(self, segments: Sequence[str], *, after: int) -> None:
        """Makes the segments the bank's, by a new generation of the journal."""
        with BankJournalWriter(self._journal) as journal:
            generation = self._follower.generation
            if generation is None or journal.generation.lineage != generation.lineage:
                return  # begun anew by somebody else meanwhile; what was written is named by nobody
            journal.refold(after=after, segments=segments)

    def _catch_up(self) -> None:
        self._follower.poll()
        if self._follower.is_behind():
            self._follower = self._follower.successor({})

    def _records(self) -> Iterator[dict[str, Any]]:
        """The records behind the segments, oldest first."""
        reader = BankJournalReader(self._journal)
        try:
            while news := reader.poll():
                yield from (record for record in news if not isinstance(record, Reset))
        finally:
            reader.close()

    @contextmanager
    def _alone(self) -> Iterator[bool]:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(self._journal.with_suffix(".folding"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True
        finally:
            os.close(lock)  # closing releases the lock


def due_for_merging(segments: Sequence[BankSegment], *, now: datetime) -> tuple[int, int]:
    """The neighbours that should become one, as a slice; an empty one if all is well."""
    if not segments:
        return 0, 0
    first, codes = len(segments) - 1, segments[-1].codes
    while first > 0 and segments[first - 1].codes <= GROWTH * codes:
        first -= 1
        codes += segments[first].codes
    if first < len(segments) - 1:
        return first, len(segments)
    for place, segment in enumerate(segments):
        wait = max(SHORTEST_WAIT, timedelta(seconds=SECONDS_A_CODE * segment.manifest.codes))
        if segment.hidden and now - datetime.fromisoformat(segment.manifest.made_at) >= wait:
            return place, place + 1
    return 0, 0


def _newest_changes(records: Sequence[dict[str, Any]]) -> list[tuple[int, HeldEntry | DroppedEntry]]:
    """The last change of each entry, by sequence number. What is not understood drops its entry, as it does
    for whoever follows the journal.
    """
    newest: dict[str, tuple[int, HeldEntry | DroppedEntry]] = {}
    for record in records:
        try:
            change = read_bank_record(record)
        except BankRecordNotUnderstood:
            logger.error("bank journal record %s is not understood and is left out", record["seq"])
            change = DroppedEntry(claimed_entry_id(record))
        newest[change.id] = record["seq"], change
    return sorted(newest.values(), key=lambda found: found[0])
