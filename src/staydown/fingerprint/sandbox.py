"""Media from strangers is decoded in processes that may fail: a bad file stops only itself.

Refuses to run more files at once than it has processes; a caller waits until one is free.
A process leaves the network where the kernel lets it (isolation.py). What this does not do: it sets no
system-call filter and no file-system view of its own.
"""

import queue
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from staydown.fingerprint.answers import unpack_photo, unpack_query, unpack_video
from staydown.fingerprint.child import WORKER, DecodingProcess, Progress
from staydown.fingerprint.decode import check_bytes
from staydown.fingerprint.errors import DecoderCrashed, DecodeTimedOut, NotFingerprintable, SandboxUnavailable
from staydown.fingerprint.frames import Request
from staydown.fingerprint.limits import DEFAULT_LIMITS, DecodeLimits
from staydown.fingerprint.media import digest_file, digests_of_bytes
from staydown.fingerprint.terms import Digests, MediaFingerprints, QueryFingerprints, QueryLevel
from staydown.fingerprint.video_limits import DEFAULT_VIDEO_LIMITS, VideoLimits
from staydown.fingerprint.video_source import (
    check_video_bytes,
    check_video_is_readable,
    open_descriptor,
    open_file,
)
from staydown.fingerprint.video_terms import VideoFingerprints

_Answer = TypeVar("_Answer")


class SandboxPool:
    """Decoding processes, started when first needed and kept. Thread-safe. `close` it, or use it with `with`.

    A process is replaced after a crash, a timeout, or `limits.files_per_process` files. A video keeps its
    process for minutes; give videos a pool of their own where pictures must not wait.
    worker: the module that its processes run, made with `worker.serve`.
    """

    def __init__(
        self,
        *,
        workers: int = 1,
        limits: DecodeLimits = DEFAULT_LIMITS,
        video_limits: VideoLimits = DEFAULT_VIDEO_LIMITS,
        worker: str = WORKER,
    ) -> None:
        if workers < 1:
            raise ValueError("a pool has at least one worker")
        self._limits = limits
        self._video_limits = video_limits
        self._worker = worker
        # Each place holds a living process or None. Last in, first out: what is warm is used first, and a
        # quiet platform never starts more than one.
        self._places: queue.LifoQueue[DecodingProcess | None] = queue.LifoQueue()
        self._workers = workers
        self._is_closed = False
        self._events = dict.fromkeys(("started", "timed_out", "crashed"), 0)
        self._closing = threading.Lock()
        self._noting = threading.Lock()
        for _ in range(workers):
            self._places.put(None)

    def fingerprint(self, data: bytes, derive: str = "crops32") -> MediaFingerprints:
        """As `fingerprint_image`, of a picture's bytes, with the codes of this derivation set.

        Raises the same errors, DecodeTimedOut and DecoderCrashed; SandboxUnavailable if no process can be
        started or the pool is closed.
        """
        check_bytes(len(data), limits=self._limits)
        request = Request({"do": "register", "set": derive}, data)
        (width, height, fingerprints), digests = self._ask_of_bytes(request, unpack_photo)
        return MediaFingerprints("image", digests, width, height, fingerprints)

    def query(self, data: bytes, level: QueryLevel = QueryLevel.GEO9) -> QueryFingerprints:
        """As `query_image`, of a picture's bytes. Raises as `fingerprint`."""
        check_bytes(len(data), limits=self._limits)
        request = Request({"do": "query", "level": QueryLevel(level).value}, data)
        (width, height, views), digests = self._ask_of_bytes(request, unpack_query)
        return QueryFingerprints("image", digests, width, height, views)

    def _ask_of_bytes(
        self, request: Request, unpack: Callable[[bytes], _Answer | NotFingerprintable]
    ) -> tuple[_Answer, Digests]:
        """The answer and the digests of the request's bytes.

        The digests are made here: exact matches then hold even if a hostile picture took its decoder over.
        """
        digests: list[Digests] = []
        answer = self.ask(
            request,
            unpack,
            seconds=self._limits.seconds,
            meanwhile=lambda: digests.append(digests_of_bytes(request.body)),
        )
        return answer, digests[0]

    def video(
        self, source: Path | str | bytes, progress: Progress | None = None, derive: str = "frames10"
    ) -> VideoFingerprints:
        """As `fingerprint_video`, of the file at a path or of bytes. A file is never held whole.

        progress: told now and then how much is done, 0..1, in this thread; what it raises ends the work.
        Raises as `fingerprint_video`, and as `fingerprint`.
        """
        return self._video({"do": "video", "set": derive}, source, progress)

    def query_video(
        self,
        source: Path | str | bytes,
        progress: Progress | None = None,
        level: QueryLevel = QueryLevel.GEO9,
    ) -> VideoFingerprints:
        """As `staydown.fingerprint.query_video`; otherwise as `video`."""
        return self._video({"do": "query-video", "level": QueryLevel(level).value}, source, progress)

    def ask(
        self,
        request: Request,
        unpack: Callable[[bytes], _Answer | NotFingerprintable],
        *,
        seconds: float,
        progress: Progress | None = None,
        meanwhile: Callable[[], object] = lambda: None,
    ) -> _Answer:
        """What a free process answers, read by `unpack`, which trusts nothing in it.

        `meanwhile` is called when the process has been asked, before its answer is waited for.
        Raises what the process refused with, and as `fingerprint`.
        """
        process = self._places.get()
        try:
            if self._is_closed:
                raise SandboxUnavailable("The pool of decoding processes is closed.")
            if process is not None and not process.is_alive:  # it died idle: not the fault of this file
                process.end()
                process = None
            if process is None:
                process = DecodingProcess(self._limits, self._video_limits, worker=self._worker)
                self._note("started")
            answer = process.ask(
                request, unpack=unpack, seconds=seconds, progress=progress, meanwhile=meanwhile
            )
        except BaseException as error:
            if isinstance(error, DecodeTimedOut | DecoderCrashed):
                self._note("timed_out" if isinstance(error, DecodeTimedOut) else "crashed")
            # Whatever happened, this process has ended itself or never was; its place starts a new one.
            process = None
            raise
        finally:
            self._give_back(process)
        if isinstance(answer, NotFingerprintable):
            raise answer
        return answer

    def close(self) -> None:
        """Ends all processes. Waits for files in work; callers that still wait get SandboxUnavailable."""
        with self._closing:
            if self._is_closed:
                return
            self._is_closed = True
            processes = [self._places.get() for _ in range(self._workers)]
            for process in processes:
                if process is not None:
                    process.end()
                self._places.put(None)

    def events(self) -> dict[str, int]:
        """How often, since this pool was made, a process was "started", "timed_out" or "crashed"."""
        with self._noting:
            return dict(self._events)

    def _note(self, event: str) -> None:
        with self._noting:
            self._events[event] += 1

    def _video(
        self, header: Mapping[str, str], source: Path | str | bytes, progress: Progress | None
    ) -> VideoFingerprints:
        check_video_is_readable()
        limits = self._video_limits
        if isinstance(source, bytes):
            check_video_bytes(len(source), most=limits.max_bytes_in_memory)
            digests = digests_of_bytes(source)
            request = Request(header, source)
            reading = self.ask(request, unpack_video, seconds=limits.seconds, progress=progress)
            return VideoFingerprints.of(reading, digests)
        with open_descriptor(source, limits=limits) as descriptor:
            digests = digest_file(open_file(descriptor))
            request = Request(header, descriptor=descriptor)
            reading = self.ask(request, unpack_video, seconds=limits.seconds, progress=progress)
            return VideoFingerprints.of(reading, digests)

    def _give_back(self, process: DecodingProcess | None) -> None:
        if process is not None and process.files >= self._limits.files_per_process:
            process.end()
            process = None
        self._places.put(process)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
