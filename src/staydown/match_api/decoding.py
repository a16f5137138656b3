"""Pictures to fingerprints without blocking other requests: a bounded queue before the decoding processes.

Refuses a picture when the queue is full; nothing waits without bound.
"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

from staydown.fingerprint import NotFingerprintable, QueryFingerprints, SandboxPool, SandboxUnavailable
from staydown.match_api.errors import Refused
from staydown.match_api.refusals import busy, not_fingerprintable, unavailable
from staydown.match_api.settings import MatchApiSettings


class MediaDecoder:
    """Starts its processes with the first picture. `close` ends them; afterwards it refuses everything."""

    def __init__(self, settings: MatchApiSettings) -> None:
        self._settings = settings
        self._pool = SandboxPool(workers=settings.decode_workers, limits=settings.decode_limits)
        self._threads = ThreadPoolExecutor(settings.decode_workers, thread_name_prefix="decode")
        self._places = threading.Semaphore(settings.decode_workers + settings.max_waiting_files)

    async def query(self, media: bytes) -> QueryFingerprints:
        """What the picture is compared by. Raises Refused: no place, unreadable, no decoding process."""
        if not self._places.acquire(blocking=False):
            raise busy(
                "Too many pictures are waiting to be read; try again shortly.",
                retry_after_seconds=self._settings.retry_after_seconds,
            )
        try:
            work = self._threads.submit(self._pool.query, media, self._settings.query_level)
        except RuntimeError:  # closed
            self._places.release()
            raise self._unavailable() from None
        # The place comes free when the thread is done, even if the request was cancelled before.
        work.add_done_callback(lambda _: self._places.release())
        try:
            return await asyncio.wrap_future(work)
        except NotFingerprintable as error:
            raise not_fingerprintable(error) from None
        except SandboxUnavailable:
            raise self._unavailable() from None

    def _unavailable(self) -> Refused:
        return unavailable(
            "sandbox-unavailable",
            "Pictures cannot be read at the moment; checks by fingerprints work.",
            retry_after_seconds=self._settings.retry_after_seconds,
        )

    async def close(self) -> None:
        """Ends the processes; waits for a picture that is being read, at most as long as its time limit."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        await asyncio.to_thread(self._pool.close)
