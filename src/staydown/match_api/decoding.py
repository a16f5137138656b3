"""Media to fingerprints without blocking other requests: a bounded queue before the decoding processes.

Videos have a queue and processes of their own. Refuses media when its queue is full; nothing waits without
bound.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from staydown.fingerprint import NotFingerprintable, QueryFingerprints, SandboxPool, SandboxUnavailable
from staydown.fingerprint.errors import VideoUnavailable
from staydown.fingerprint.formats import HEAD_BYTES, is_video
from staydown.fingerprint.media import digests_of_bytes
from staydown.fingerprint.video_source import check_video_is_readable
from staydown.fingerprint.video_terms import VideoFingerprints
from staydown.match_api.errors import Refused
from staydown.match_api.refusals import busy, not_fingerprintable, unavailable
from staydown.match_api.settings import MatchApiSettings

_Found = TypeVar("_Found")


class MediaDecoder:
    """Starts its processes with the first media. `close` ends them; afterwards it refuses everything."""

    def __init__(self, settings: MatchApiSettings) -> None:
        self._settings = settings
        self._pictures = _Queue(
            settings, "pictures", workers=settings.decode_workers, most_waiting=settings.max_waiting_files
        )
        self._videos = _Queue(
            settings, "videos", workers=settings.video_workers, most_waiting=settings.max_waiting_videos
        )

    @property
    def reads_videos(self) -> bool:
        """Whether videos are compared by their frames, not by their digests only."""
        try:
            check_video_is_readable()
        except VideoUnavailable:
            return False
        return True

    async def query(self, media: bytes) -> QueryFingerprints | VideoFingerprints:
        """What the media is compared by. Raises Refused: no place, unreadable, no decoding process."""
        level = self._settings.query_level
        if not is_video(media[:HEAD_BYTES]):
            return await self._pictures.run(lambda pool: pool.query(media, level))
        if not self.reads_videos:
            digests = await asyncio.to_thread(digests_of_bytes, media)
            return QueryFingerprints("video", digests, 0, 0, ())
        return await self._videos.run(lambda pool: pool.query_video(media, level=level))

    async def close(self) -> None:
        """Ends the processes; waits for media that is being read, at most as long as its time limit."""
        await asyncio.gather(self._pictures.close(), self._videos.close())


class _Queue:
    """A pool of decoding processes, and a bounded number of media that wait for one."""

    def __init__(self, settings: MatchApiSettings, what: str, *, workers: int, most_waiting: int) -> None:
        self._what = what
        self._retry_after_seconds = settings.retry_after_seconds
        self._pool = SandboxPool(
            workers=workers, limits=settings.decode_limits, video_limits=settings.video_limits
        )
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix=f"decode-{what}")
        self._places = threading.Semaphore(workers + most_waiting)

    async def run(self, work: Callable[[SandboxPool], _Found]) -> _Found:
        """What the work gives, once there is a process for it. Raises Refused."""
        if not self._places.acquire(blocking=False):
            raise busy(
                f"Too many {self._what} are waiting to be read; try again shortly.",
                retry_after_seconds=self._retry_after_seconds,
            )
        try:
            done = self._threads.submit(work, self._pool)
        except RuntimeError:  # closed
            self._places.release()
            raise self._unavailable() from None
        # The place comes free when the thread is done, even if the request was cancelled before.
        done.add_done_callback(lambda _: self._places.release())
        try:
            return await asyncio.wrap_future(done)
        except NotFingerprintable as error:
            raise not_fingerprintable(error) from None
        except SandboxUnavailable:
            raise self._unavailable() from None

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        await asyncio.to_thread(self._pool.close)

    def _unavailable(self) -> Refused:
        return unavailable(
            "sandbox-unavailable",
            f"The {self._what} cannot be read at the moment; checks by fingerprints work.",
            retry_after_seconds=self._retry_after_seconds,
        )
