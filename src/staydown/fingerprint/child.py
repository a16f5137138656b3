"""One decoding process as its parent sees it: started, asked, and ended without mercy when it misbehaves.

Refuses to wait longer than the limit, to believe an answer of the wrong form, and to hand on the parent's
environment.
"""

import dataclasses
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from typing import TypeVar

from staydown.fingerprint.answers import unpack_progress
from staydown.fingerprint.errors import DecoderCrashed, DecodeTimedOut, SandboxUnavailable
from staydown.fingerprint.frames import (
    MAX_ANSWER_BYTES,
    PREFIX_BYTES,
    BrokenAnswer,
    Request,
    send_request,
)
from staydown.fingerprint.isolation import NETWORK_NAMESPACE, NONE
from staydown.fingerprint.limits import DecodeLimits
from staydown.fingerprint.video_limits import DEFAULT_VIDEO_LIMITS, VideoLimits

# Starting Python and its libraries takes 0.3 s when idle. On a machine so busy that this is exceeded,
# something else is wrong, and waiting would only hide it.
START_SECONDS = 60.0

WORKER = "staydown.fingerprint.worker"

_Answer = TypeVar("_Answer")
Progress = Callable[[float], None]
"""Told now and then how much of a video is done, 0..1. What it raises ends the work."""


class _CallerFailed(Exception):
    """The caller's own `progress` raised: no fault of the child, whatever the error is."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error


class DecodingProcess:
    """A started child. Not thread-safe: SandboxPool lends it to one thread at a time."""

    def __init__(
        self,
        limits: DecodeLimits,
        video_limits: VideoLimits = DEFAULT_VIDEO_LIMITS,
        *,
        worker: str = WORKER,
    ) -> None:
        self.files = 0
        self.isolation = NONE
        """What the child said of itself before it read anything: "network-namespace" or "none"."""
        """Files that it was given, so that the pool can replace it in time."""
        command = [sys.executable, "-P", "-m", worker]
        both = {"picture": dataclasses.asdict(limits), "video": dataclasses.asdict(video_limits)}
        # A socket, not a pipe, carries the requests: an open file can travel through it.
        self._requests, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._process = subprocess.Popen(
                [*command, json.dumps(both)],
                stdin=theirs.fileno(),
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                close_fds=True,
                cwd="/",
                env=_child_environment(),
                start_new_session=True,
            )
        except OSError as error:
            self._requests.close()
            raise SandboxUnavailable("The decoding process cannot be started.") from error
        finally:
            theirs.close()
        assert self._process.stdout is not None
        self._answers = self._process.stdout
        self._requests.setblocking(False)
        os.set_blocking(self._answers.fileno(), False)
        self._is_ready = False

    @property
    def process_id(self) -> int:
        """The child's process id, for logs and tests."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """False once the child has gone, for whatever reason: the machine may have run out of memory."""
        return self._process.poll() is None

    def ask(
        self,
        request: Request,
        *,
        unpack: Callable[[bytes], _Answer],
        seconds: float,
        progress: Progress | None = None,
        meanwhile: Callable[[], object] = lambda: None,
    ) -> _Answer:
        """What `unpack` makes of the child's answer. Calls `meanwhile` when the child has been asked.

        Raises DecodeTimedOut or DecoderCrashed, and what `progress` raises, after which this child is dead;
        SandboxUnavailable if it never started.
        """
        self._await_ready()
        self.files += 1
        deadline = time.monotonic() + seconds
        try:
            send_request(request, lambda part, beside: self._send(part, beside, deadline))
            meanwhile()
            while (fraction := unpack_progress(body := self._receive(deadline))) is not None:
                if progress is not None:
                    _tell(progress, fraction)
            return unpack(body)
        except TimeoutError:
            self.end()
            raise DecodeTimedOut from None
        except _CallerFailed as failed:
            self.end()
            raise failed.error from None
        except (OSError, EOFError, BrokenAnswer):
            status = self.end()
            if status == -signal.SIGXCPU:
                raise DecodeTimedOut from None
            raise DecoderCrashed from None
        except BaseException:
            self.end()  # an answer may be on its way; the next file must not get it
            raise

    def end(self) -> int:
        """Kills the child, if it still lives, and gives its exit status."""
        self._process.kill()
        status = self._process.wait()
        self._requests.close()
        self._answers.close()
        return status

    def _await_ready(self) -> None:
        if self._is_ready:
            return
        try:
            told = self._receive(time.monotonic() + START_SECONDS)
        except (OSError, EOFError, BrokenAnswer) as error:
            self.end()
            raise SandboxUnavailable("The decoding process did not start.") from error
        self.isolation = NETWORK_NAMESPACE if told == NETWORK_NAMESPACE.encode() else NONE
        self._is_ready = True

    def _send(self, part: memoryview, beside: int | None, deadline: float) -> int:
        _await(self._requests.fileno(), select.POLLOUT, deadline)
        try:
            if beside is None:
                return self._requests.send(part)
            return socket.send_fds(self._requests, [part], [beside])
        except BlockingIOError:  # a socket that is nearly full may call itself writable
            time.sleep(0.001)
            return 0

    def _receive(self, deadline: float) -> bytes:
        length = int.from_bytes(self._read(PREFIX_BYTES, deadline))
        if length > MAX_ANSWER_BYTES:
            raise BrokenAnswer
        return self._read(length, deadline)

    def _read(self, count: int, deadline: float) -> bytes:
        parts = bytearray()
        while len(parts) < count:
            _await(self._answers.fileno(), select.POLLIN, deadline)
            part = os.read(self._answers.fileno(), count - len(parts))
            if not part:
                raise EOFError
            parts += part
        return bytes(parts)


def _tell(progress: Progress, fraction: float) -> None:
    try:
        progress(fraction)
    except Exception as error:
        raise _CallerFailed(error) from error


def _await(descriptor: int, event: int, deadline: float) -> None:
    """Waits until the pipe is ready or broken; raises TimeoutError at the deadline."""
    poll = select.poll()
    poll.register(descriptor, event)
    remaining = deadline - time.monotonic()
    if remaining <= 0 or not poll.poll(remaining * 1000):
        raise TimeoutError


def _child_environment() -> dict[str, str]:
    """Only what Python needs: the parent's environment may hold keys and passwords."""
    return {
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "PYTHONDONTWRITEBYTECODE": "1",
        "LANG": "C.UTF-8",
        # One thread for the linear algebra that numpy brings and we do not use: each reserves address space.
        "OPENBLAS_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "2",
    }
