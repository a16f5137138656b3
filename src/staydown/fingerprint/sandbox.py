"""Pictures from strangers are decoded in processes that may fail: a bad file stops only itself.

Refuses to run more files at once than it has processes; a caller waits until one is free.
What it does not do: it sets no system-call filter and no file-system view of its own.
"""

import queue
import threading
from types import TracebackType
from typing import Self

from staydown.fingerprint.child import DecodingProcess
from staydown.fingerprint.decode import check_bytes
from staydown.fingerprint.errors import NotFingerprintable, SandboxUnavailable
from staydown.fingerprint.limits import DEFAULT_LIMITS, DecodeLimits
from staydown.fingerprint.media import digests_of_bytes
from staydown.fingerprint.terms import MediaFingerprints


class SandboxPool:
    """Decoding processes, started when first needed and kept. Thread-safe. `close` it, or use it with `with`.

    A process is replaced after a crash, a timeout, or `limits.files_per_process` files.
    """

    def __init__(self, *, workers: int = 1, limits: DecodeLimits = DEFAULT_LIMITS) -> None:
        if workers < 1:
            raise ValueError("a pool has at least one worker")
        self._limits = limits
        # Each place holds a living process or None. Last in, first out: what is warm is used first, and a
        # quiet platform never starts more than one.
        self._places: queue.LifoQueue[DecodingProcess | None] = queue.LifoQueue()
        self._workers = workers
        self._is_closed = False
        self._closing = threading.Lock()
        for _ in range(workers):
            self._places.put(None)

    def fingerprint(self, data: bytes) -> MediaFingerprints:
        """As `fingerprint_image`, of a picture's bytes.

        Raises the same errors, DecodeTimedOut and DecoderCrashed; SandboxUnavailable if no process can be
        started or the pool is closed.
        """
        check_bytes(len(data), limits=self._limits)
        # Digests are made here: exact matches then hold even if a hostile picture took its decoder over.
        digests = digests_of_bytes(data)
        process = self._places.get()
        try:
            if self._is_closed:
                raise SandboxUnavailable("The pool of decoding processes is closed.")
            if process is not None and not process.is_alive:  # it died idle: not the fault of this file
                process.end()
                process = None
            if process is None:
                process = DecodingProcess(self._limits)
            answer = process.fingerprint(data)
        except BaseException:
            # Whatever happened, this process has ended itself or never was; its place starts a new one.
            process = None
            raise
        finally:
            self._give_back(process)
        if isinstance(answer, NotFingerprintable):
            raise answer
        width, height, fingerprints = answer
        return MediaFingerprints("image", digests, width, height, fingerprints)

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
