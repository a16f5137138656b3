"""The bank in memory, following the bank journal.

Lives on one thread (the event loop): a refresh and a search never overlap. Refuses to answer from a bank that
it could not read to the end; a withdrawal may stand in the part that is missing.
Known: a refresh runs on the event loop, so a new generation of a large bank holds requests up while it loads.
"""

from __future__ import annotations

import asyncio
import logging
import time
from pathlib import Path
from typing import Any

from staydown.errors import StaydownError
from staydown.journal import (
    BankJournalReader,
    BankRecordNotUnderstood,
    Reset,
    apply_bank_record,
    claimed_entry_id,
)
from staydown.match_api.terms import Upload
from staydown.matching import Match
from staydown.matching.find_video import hits_in_parts, video_matches
from staydown.matching.held_bank import CodeHit, HeldBank

logger = logging.getLogger(__name__)


class BankView:
    """Call `refresh`, then `find`. `trouble` says in a word why there is nothing to search, or is None."""

    def __init__(self, path: Path, *, max_distance_bits: int, retry_unreadable_seconds: float) -> None:
        self._path = path
        self._max_distance_bits = max_distance_bits
        self._retry_unreadable_seconds = retry_unreadable_seconds
        self._retry_at = 0.0
        self.trouble: str | None = "bank-missing"
        self._reader = BankJournalReader(path)
        self._forget()

    def close(self) -> None:
        """Closes the journal and forgets the bank; `refresh` begins anew."""
        self._reader.close()
        self._reader = BankJournalReader(self._path)
        self._forget()

    def _forget(self) -> None:
        self._held = HeldBank(max_distance_bits=self._max_distance_bits)
        self._left_out: set[str] = set()

    def counts(self) -> dict[str, int]:
        """How many entries and codes there are, and entries that could not be understood."""
        return {
            "entries": len(self._held),
            "codes": self._held.codes,
            "entries_left_out": len(self._left_out),
        }

    def refresh(self) -> None:
        """Takes in what the journal gained: one stat if nothing. A bad journal sets `trouble`."""
        if self.trouble == "bank-unreadable" and time.monotonic() < self._retry_at:
            return
        try:
            self._take_in()
        except (StaydownError, OSError, ValueError) as error:
            if self.trouble != "bank-unreadable":
                logger.error("the bank journal cannot be read: %s", error)
            self._give_up()
        except Exception:
            self._give_up()
            raise
        else:
            self.trouble = None if self._reader.exists else "bank-missing"

    def _give_up(self) -> None:
        """Half a change may have been taken in, so the next try begins anew."""
        self.trouble = "bank-unreadable"
        self._retry_at = time.monotonic() + self._retry_unreadable_seconds
        self.close()

    def _take_in(self) -> None:
        has_news = False
        while news := self._reader.poll():
            has_news = True
            for record in news:
                if isinstance(record, Reset):
                    self._forget()
                else:
                    self._apply(record)
        if has_news:
            self._held.settle()

    def _apply(self, record: dict[str, Any]) -> None:
        """One bad record must not stop every check: the entry is left out, told in the log and in /readyz."""
        try:
            entry_id = apply_bank_record(record, self._held)
        except BankRecordNotUnderstood:
            logger.error("bank journal record %s is not understood and is left out", record.get("seq"))
            entry_id = claimed_entry_id(record)
            self._held.drop(entry_id)
            self._left_out.add(entry_id)
        else:
            self._left_out.discard(entry_id)

    def find(self, upload: Upload) -> list[Match]:
        """Every entry that the upload matches, each once: exact before near, then the nearest code."""
        return self._held.find(upload.sought(), sha256=upload.sha256, md5=upload.md5)

    async def find_video(self, upload: Upload) -> list[Match]:
        """As `find`, for an upload with frames: the same video, a stretch of one, or a picture shown in it.

        Other requests get their turn between parts of the search; what they change counts at the end.
        """
        query = upload.frame_codes()
        while True:
            held, hits = self._held, list[CodeHit]()
            for part in hits_in_parts(held, query):
                hits += part
                await asyncio.sleep(0)
            if held is self._held:
                return video_matches(held, query, hits, sha256=upload.sha256, md5=upload.md5)
            # A new generation of the bank came meanwhile, which is rare: what was found is of the old one.
