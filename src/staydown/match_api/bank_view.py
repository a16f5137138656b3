"""The bank as the upload check sees it: it follows the bank journal, and never waits for large files.

Lives on one thread (the event loop): a refresh and a search never overlap. Refuses to answer from a bank that
it could not read to the end; a withdrawal may stand in the part that is missing. A new segment that cannot be
read is another matter: what it holds is known already, so the old ones keep serving.
"""

from __future__ import annotations

import asyncio
import logging
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from staydown.errors import StaydownError
from staydown.journal import BankFollower, BankSegmentMissing
from staydown.journal.bank_segment import BankSegment
from staydown.match_api.terms import Upload
from staydown.matching import Match
from staydown.matching.bank_search import CodeHit
from staydown.matching.find_video import hits_in_parts, video_matches

logger = logging.getLogger(__name__)

# A look is a system call, a tenth of a whole lookup on some machines. Between two looks a bank may be so old:
# under a thousandth of the second in which a change has to be in force.
LOOK_AGAIN_SECONDS = 0.0005
# New segments up to here are verified at once, in some milliseconds; larger ones on another thread.
OPENED_AT_ONCE_BYTES = 16 * 1024 * 1024
# A segment may be replaced between reading its name and opening it; more often than this in a row it is not.
TRIES = 5


class BankView:
    """Call `refresh`, then `find`. `trouble` says in a word why there is nothing to search, or is None."""

    def __init__(self, path: Path, *, max_distance_bits: int, retry_unreadable_seconds: float) -> None:
        self._path = path
        self._max_distance_bits = max_distance_bits
        self._retry_unreadable_seconds = retry_unreadable_seconds
        self._retry_at = 0.0
        self._opener = ThreadPoolExecutor(max_workers=1, thread_name_prefix="bank")
        self._opening: Future[dict[str, BankSegment]] | None = None
        self._open_again_at = 0.0
        self._look_again_at = 0.0
        self.trouble: str | None = "bank-missing"
        self._follower = self._new_follower()

    def close(self) -> None:
        """Closes the journal and forgets the bank; `refresh` begins anew."""
        if self._opening is not None:
            self._opening.cancel()
            self._opening = None
        self._follower.close()
        self._follower = self._new_follower()

    def _new_follower(self) -> BankFollower:
        return BankFollower(self._path, max_distance_bits=self._max_distance_bits)

    def counts(self) -> dict[str, int]:
        """How many entries and codes there are, and entries that could not be understood."""
        bank = self._follower.bank
        return {
            "entries": len(bank),
            "codes": bank.codes,
            "entries_left_out": len(self._follower.left_out),
        }

    def layers(self) -> dict[str, int]:
        """For operators: how the bank lies. `hidden` entries are overruled or withdrawn and not yet off the
        disk.
        """
        bank = self._follower.bank
        return {
            "segments": len(bank.layers),
            "entries_in_memory": len(bank.top),
            "entries_hidden": bank.hidden,
            "last_seq": self._follower.last_seq,
        }

    def lag_seconds(self) -> float:
        """For how long the bank has lacked something that is published; 0 if it lacks nothing."""
        return self._follower.lag_seconds(now=time.time())

    def refresh(self) -> None:
        """Takes in what the journal gained: one stat if nothing, and none if the last one was a moment ago. A
        bad journal sets `trouble`.
        """
        now = time.monotonic()
        if now < (self._retry_at if self.trouble == "bank-unreadable" else self._look_again_at):
            return
        self._look_again_at = now + LOOK_AGAIN_SECONDS
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
            self.trouble = None if self._follower.exists else "bank-missing"

    def _give_up(self) -> None:
        """Half a change may have been taken in, so the next try begins anew."""
        self.trouble = "bank-unreadable"
        self._retry_at = time.monotonic() + self._retry_unreadable_seconds
        self.close()

    def _take_in(self) -> None:
        for attempt in range(1, TRIES + 1):
            try:
                self._follower.poll()
                break
            except BankSegmentMissing:
                if attempt == TRIES:
                    raise
                self.close()
        if self._follower.is_behind():
            self._change_over()

    def _change_over(self) -> None:
        """Goes over to the segments of a new generation, when they are open."""
        is_opening = self._opening is not None and not self._opening.done()
        if is_opening or time.monotonic() < self._open_again_at:
            return
        opening, self._opening = self._opening, None
        try:
            opened = opening.result() if opening is not None else {}
            unopened = {name: size for name, size in self._follower.unopened().items() if name not in opened}
            if sum(unopened.values()) <= OPENED_AT_ONCE_BYTES:
                self._follower = self._follower.successor(opened)
            else:
                self._opening = self._opener.submit(self._follower.open_segments, list(unopened))
        except BankSegmentMissing:
            pass  # a still newer generation is there, and the next look finds it
        except (StaydownError, OSError) as error:
            logger.error("a new segment cannot be opened, the old ones keep serving: %s", error)
            self._open_again_at = time.monotonic() + self._retry_unreadable_seconds

    def find(self, upload: Upload, *, most: int | None = None) -> list[Match]:
        """Every entry that the upload matches, each once, or the strictest so many: the strictest first,
        exact before near, then the nearest code.
        """
        return self._follower.bank.find(upload.sought(), sha256=upload.sha256, md5=upload.md5, most=most)

    async def find_video(self, upload: Upload) -> list[Match]:
        """As `find`, for an upload with frames: the same video, a stretch of one, or a picture shown in it.

        Other requests get their turn between parts of the search; what they change counts at the end.
        """
        query = upload.frame_codes()
        while True:
            bank, hits = self._follower.bank, list[CodeHit]()
            for part in hits_in_parts(bank, query):
                hits += part
                await asyncio.sleep(0)
            if bank is self._follower.bank:
                return video_matches(bank, query, hits, sha256=upload.sha256, md5=upload.md5)
            # A new generation of the bank came meanwhile, which is rare: what was found is of the old one.
