"""The second look for files from strangers: each is decoded in a process that may fail.

What comes back from there is checked and compared in this process. Refuses to keep corners or pixels longer
than a call. As everything in the second look it ranks and explains; it never decides.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

from staydown.fingerprint import DEFAULT_LIMITS, DecodeLimits, SandboxPool
from staydown.fingerprint.frames import Request
from staydown.fingerprint.kernel import Pixels
from staydown.fingerprint.media import Source, read_source
from staydown.matching.second_look import Progress, ranked
from staydown.matching.second_look_answers import unpack_features, unpack_pixels
from staydown.matching.second_look_features import TURNS, Features, Fit, opencv
from staydown.matching.second_look_geometry import best_look
from staydown.matching.second_look_terms import Name, RankedCandidate, SecondLook

WORKER = "staydown.matching.second_look_worker"

# Candidates in work for each process: one being read, one waiting, so that no process is idle.
_IN_WORK_PER_WORKER = 2


class SecondLookPool:
    """Decoding processes for second looks, started when first needed. Thread-safe. `close` it, or use `with`.

    Raises OpenCvMissing at once where OpenCV is not installed.
    """

    def __init__(self, *, workers: int = 1, limits: DecodeLimits = DEFAULT_LIMITS) -> None:
        opencv()
        self._workers = workers
        self._limits = limits
        self._pool = SandboxPool(workers=workers, limits=limits, worker=WORKER)

    def look(self, a: Source, b: Source) -> SecondLook:
        """As `second_look`, of two files or their bytes.

        Raises the same errors, DecodeTimedOut and DecoderCrashed; SandboxUnavailable if no process can be
        started or the pool is closed.
        """
        return best_look(self._features(a, turns=len(TURNS)), self._features(b, turns=1)[0])

    def rank(
        self, picture: Source, candidates: Iterable[tuple[Name, Source]], *, progress: Progress | None = None
    ) -> tuple[RankedCandidate[Name], ...]:
        """As `rank_candidates`, of files or their bytes, as many at a time as there are processes.

        Raises as `look`, but for a candidate that cannot be read: its place says why.
        """
        query = self._features(picture, turns=len(TURNS))
        with ThreadPoolExecutor(self._workers) as threads:
            return ranked(
                query,
                self._in_work(candidates, threads),
                look_at=lambda features: features.result(),
                progress=progress,
            )

    def pixels(self, picture: Source, *, fit: Fit = "longer", side: int) -> Pixels:
        """(height, width, 3) uint8: a small copy, of at most MOST_SMALL_PIXELS.

        For showing it to a reviewer who asked for it, and for a learned descriptor. Raises as `look`.
        """
        data = read_source(picture, limits=self._limits)
        request = Request({"do": "pixels", "fit": fit, "side": side}, data)
        return self._pool.ask(request, unpack_pixels, seconds=self._limits.seconds)

    def close(self) -> None:
        """Ends all processes. Calls that still wait get SandboxUnavailable."""
        self._pool.close()

    def _candidate(self, picture: Source) -> Features:
        return self._features(picture, turns=1)[0]

    def _features(self, picture: Source, *, turns: int) -> tuple[Features, ...]:
        request = Request({"do": "features", "turns": turns}, read_source(picture, limits=self._limits))
        return self._pool.ask(
            request, lambda body: unpack_features(body, count=turns), seconds=self._limits.seconds
        )

    def _in_work(
        self, candidates: Iterable[tuple[Name, Source]], threads: ThreadPoolExecutor
    ) -> Iterator[tuple[Name, Future[Features]]]:
        """The candidates in their order, a few of them read ahead."""
        waiting: deque[tuple[Name, Future[Features]]] = deque()
        try:
            for name, given in candidates:
                waiting.append((name, threads.submit(self._candidate, given)))
                if len(waiting) > _IN_WORK_PER_WORKER * self._workers:
                    yield waiting.popleft()
            while waiting:
                yield waiting.popleft()
        finally:
            for _, future in waiting:
                future.cancel()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
