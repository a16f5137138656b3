"""Media to fingerprints without blocking other requests: a bounded queue before the decoding processes.

Videos have a queue and processes of their own. Refuses media when its queue is full; nothing waits without
bound.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from staydown.fingerprint import (
    NotFingerprintable,
    QueryFingerprints,
    QueryLevel,
    SandboxPool,
    SandboxUnavailable,
    isolation,
)
from staydown.fingerprint.errors import VideoUnavailable
from staydown.fingerprint.formats import HEAD_BYTES, is_video
from staydown.fingerprint.media import digests_of_bytes
from staydown.fingerprint.video_source import check_video_is_readable
from staydown.fingerprint.video_terms import VideoFingerprints
from staydown.match_api.errors import Refused
from staydown.match_api.meter import Meter
from staydown.match_api.refusals import busy, not_fingerprintable, unavailable
from staydown.match_api.settings import MatchApiSettings

_Found = TypeVar("_Found")


class MediaDecoder:
    """Starts its processes with the first media. `close` ends them; afterwards it refuses everything."""

    def __init__(self, settings: MatchApiSettings, *, meter: Meter) -> None:
        self._pictures = _Queue(
            settings,
            "pictures",
            workers=settings.decode_workers,
            most_waiting=settings.max_waiting_files,
            meter=meter,
        )
        self._videos = _Queue(
            settings,
            "videos",
            workers=settings.video_workers,
            most_waiting=settings.max_waiting_videos,
            meter=meter,
        )
        self._isolation: str | None = None

    async def isolation(self) -> str:
        """Whether decoding processes leave the network on this machine: "network-namespace" or "none"."""
        if self._isolation is None:
            self._isolation = await asyncio.to_thread(_probed_isolation)
        return self._isolation

    @property
    def reads_videos(self) -> bool:
        """Whether videos are compared by their frames, not by their digests only."""
        try:
            check_video_is_readable()
        except VideoUnavailable:
            return False
        return True

    @property
    def compares_videos_by(self) -> str:
        """ "frames", or "digests" where PyAV is not installed."""
        return "frames" if self.reads_videos else "digests"

    async def query(self, media: bytes, level: QueryLevel) -> QueryFingerprints | VideoFingerprints:
        """What the media is compared by. Raises Refused: no place, unreadable, no decoding process."""
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

    def __init__(
        self, settings: MatchApiSettings, what: str, *, workers: int, most_waiting: int, meter: Meter
    ) -> None:
        self._what = what
        self._workers = workers
        self._meter = meter
        self._retry_after_seconds = settings.retry_after_seconds
        self._pool = SandboxPool(
            workers=workers, limits=settings.decode_limits, video_limits=settings.video_limits
        )
        self._told = self._pool.events()
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix=f"decode-{what}")
        # Media that is read or waits for it; also that of a request that was cancelled meanwhile.
        self._inside, self._most_inside = 0, workers + most_waiting

    async def run(self, work: Callable[[SandboxPool], _Found]) -> _Found:
        """What the work gives, once there is a process for it. Raises Refused."""
        if self._inside >= self._most_inside:
            self._meter.add(f"pool {self._what} full")
            raise busy(
                f"Too many {self._what} are waiting to be read; try again shortly.",
                retry_after_seconds=self._retry_after_seconds,
            )
        try:
            done = asyncio.get_running_loop().run_in_executor(self._threads, work, self._pool)
        except RuntimeError:  # closed
            raise self._unavailable() from None
        self._count(1)
        # The place comes free when the thread is done, even if the request was cancelled before.
        done.add_done_callback(self._come_free)
        try:
            return await asyncio.shield(done)
        except NotFingerprintable as error:
            raise not_fingerprintable(error) from None
        except SandboxUnavailable:
            raise self._unavailable() from None

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        await asyncio.to_thread(self._pool.close)

    def _come_free(self, done: asyncio.Future[_Found]) -> None:
        if not done.cancelled():
            done.exception()  # nobody may be waiting for it any more
        self._count(-1)

    def _count(self, change: int) -> None:
        self._inside += change
        self._meter.put(f"pool {self._what} busy", min(self._inside, self._workers))
        self._meter.put(f"pool {self._what} waiting", max(0, self._inside - self._workers))
        told, self._told = self._told, self._pool.events()
        for event, times in self._told.items():
            self._meter.add(f"pool {self._what} {event}", times - told[event])

    def _unavailable(self) -> Refused:
        return unavailable(
            "sandbox-unavailable",
            f"The {self._what} cannot be read at the moment; checks by fingerprints work.",
            retry_after_seconds=self._retry_after_seconds,
        )


def _probed_isolation() -> str:
    """What a process of its own finds out: this one has threads, and wants to keep its network."""
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-S", isolation.__file__], capture_output=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return isolation.NONE
    is_isolated = done.stdout.strip() == isolation.NETWORK_NAMESPACE.encode()
    return isolation.NETWORK_NAMESPACE if is_isolated else isolation.NONE
