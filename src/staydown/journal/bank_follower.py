"""Follows the bank journal and keeps the bank: segments mapped, what is newer in memory over them.

Changes take effect with the next look, also while a generation with new segments waits to be opened. Refuses
to go on over a journal that it could not read to its end; a withdrawal may stand in the part that is missing.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from staydown.journal.bank_journal import BankJournalReader, Generation, Reset
from staydown.journal.bank_records import apply_bank_record, claimed_entry_id
from staydown.journal.bank_segment import BankSegment, read_manifest
from staydown.journal.errors import BankRecordNotUnderstood
from staydown.matching.layered_bank import LayeredBank
from staydown.matching.rules import DEFAULT_THRESHOLD_BITS

logger = logging.getLogger(__name__)

SEGMENTS_FOLDER = "bank.segments"


def segments_folder(journal: Path) -> Path:
    """Where the segments lie that a bank journal names."""
    return journal.with_name(SEGMENTS_FOLDER)


class BankFollower:
    """Call `poll`; search `bank`. One thread at a time; segments may be opened on another (`open_segments`).

    Entries are never shown half-changed: a search between two polls sees what the first one found.
    """

    def __init__(self, path: Path, *, max_distance_bits: int = DEFAULT_THRESHOLD_BITS) -> None:
        self._path = path
        self._folder = segments_folder(path)
        self._max_distance_bits = max_distance_bits
        self._reader = BankJournalReader(path)
        self._generation: Generation | None = None
        self._open: dict[str, BankSegment] = {}
        self.bank = LayeredBank((), max_distance_bits=max_distance_bits)
        self.left_out: set[str] = set()
        """Entries whose newest record was not understood."""
        self.last_seq = 0
        """Every change up to this number is in the bank."""

    @property
    def exists(self) -> bool:
        """Whether there was a journal at the last poll."""
        return self._reader.exists

    @property
    def segments(self) -> tuple[BankSegment, ...]:
        """The segments of the bank as it is, from the oldest to the newest."""
        return tuple(self._open.values())

    @property
    def generation(self) -> Generation | None:
        """The generation of the journal that was read last."""
        return self._generation

    def close(self) -> None:
        """Closes the journal and the segments."""
        self._reader.close()
        for segment in self._open.values():
            segment.close()

    def poll(self) -> bool:
        """Takes in what is new: one stat if nothing is. Returns whether anything was.

        Raises JournalError, OSError; then nothing may be searched until a new follower has begun anew.
        """
        has_news = False
        while news := self._reader.poll():
            has_news = True
            for record in news:
                if isinstance(record, Reset):
                    self._take_generation(record.generation)
                else:
                    self._take_record(record)
        if has_news:
            self.bank.settle()
        return has_news

    def lag_seconds(self, *, now: float) -> float:
        """For how long the journal has had something that the bank lacks; 0 if the bank has everything.

        now: seconds since the epoch, as files have them.
        """
        written_at = self._reader.unread_since()
        return 0.0 if written_at is None else max(0.0, now - written_at)

    def unopened(self) -> dict[str, int]:
        """Segments of the newest generation that are not open, and the bytes of their files.

        The bank is complete without them: they hold what it has in older segments and in memory. Raises
        BankSegmentMissing, BankSegmentDamaged.
        """
        names = self._generation.segments if self._generation else ()
        return {
            name: sum(facts["size_bytes"] for facts in read_manifest(self._folder / name).files.values())
            for name in names
            if name not in self._open
        }

    def open_segments(self, names: Iterable[str]) -> dict[str, BankSegment]:
        """Opens and verifies these segments, for `successor`. On any thread.

        Raises BankSegmentMissing, BankSegmentDamaged, OSError.
        """
        return {name: BankSegment(self._folder / name) for name in names}

    def is_behind(self) -> bool:
        """Whether the newest generation has other segments than the bank."""
        return self._generation is not None and self._generation.segments != tuple(self._open)

    def successor(self, opened: Mapping[str, BankSegment]) -> BankFollower:
        """A follower over the segments of the newest generation, to be used in place of this one from now on.

        opened: of `open_segments`; whatever else is missing is opened here. Segments that both have are
        shared. Raises as `poll`; then this one stays in use.
        """
        fresh = BankFollower(self._path, max_distance_bits=self._max_distance_bits)
        fresh._open = {**self._open, **opened}
        try:
            fresh.poll()
        except BaseException:
            fresh._reader.close()
            raise
        self._reader.close()
        return fresh

    def _take_generation(self, generation: Generation) -> None:
        before, self._generation = self._generation, generation
        if before and before.lineage == generation.lineage and generation.after <= self.last_seq:
            return  # all that the new segments tell is known here; the records behind them follow
        known = {**self._open, **self.open_segments(set(generation.segments) - set(self._open))}
        self._open = {name: known[name] for name in generation.segments}
        layers = self.segments
        for place, segment in enumerate(layers):
            for number in segment.gone():
                for older in layers[:place]:
                    older.hide(number)
        self.bank = LayeredBank(layers, max_distance_bits=self._max_distance_bits)
        self.left_out = set()
        self.last_seq = generation.after

    def _take_record(self, record: Mapping[str, Any]) -> None:
        """One bad record must not stop every check: the entry is left out, and told in the log."""
        if record["seq"] <= self.last_seq:
            return
        try:
            entry_id = apply_bank_record(record, self.bank)
        except BankRecordNotUnderstood:
            logger.error("bank journal record %s is not understood and is left out", record.get("seq"))
            entry_id = claimed_entry_id(record)
            self.bank.drop(entry_id)
            self.left_out.add(entry_id)
        else:
            self.left_out.discard(entry_id)
        self.last_seq = record["seq"]
