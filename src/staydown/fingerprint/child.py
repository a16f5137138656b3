"""One decoding process as its parent sees it: started, asked, and ended without mercy when it misbehaves.

Refuses to wait longer than the limit, to believe an answer of the wrong form, and to hand on the parent's
environment.
"""

import dataclasses
import json
import os
import select
import signal
import subprocess
import sys
import time

from staydown.fingerprint.errors import DecoderCrashed, DecodeTimedOut, NotFingerprintable, SandboxUnavailable
from staydown.fingerprint.frames import (
    MAX_ANSWER_BYTES,
    PREFIX_BYTES,
    BrokenAnswer,
    PhotoAnswer,
    frame_prefix,
    unpack,
)
from staydown.fingerprint.limits import DecodeLimits

# Starting Python and its libraries takes 0.3 s when idle. On a machine so busy that this is exceeded,
# something else is wrong, and waiting would only hide it.
START_SECONDS = 60.0

_PIPE_PART_BYTES = 1 << 20


class DecodingProcess:
    """A started child. Not thread-safe: SandboxPool lends it to one thread at a time."""

    def __init__(self, limits: DecodeLimits) -> None:
        self._limits = limits
        self.files = 0
        """Pictures that it was given, so that the pool can replace it in time."""
        command = [sys.executable, "-P", "-m", "staydown.fingerprint.worker"]
        try:
            self._process = subprocess.Popen(
                [*command, json.dumps(dataclasses.asdict(limits))],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                close_fds=True,
                cwd="/",
                env=_child_environment(),
                start_new_session=True,
            )
        except OSError as error:
            raise SandboxUnavailable("The decoding process cannot be started.") from error
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._to_child = self._process.stdin.fileno()
        self._from_child = self._process.stdout.fileno()
        os.set_blocking(self._to_child, False)
        os.set_blocking(self._from_child, False)
        self._is_ready = False

    @property
    def process_id(self) -> int:
        """The child's process id, for logs and tests."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """False once the child has gone, for whatever reason: the machine may have run out of memory."""
        return self._process.poll() is None

    def fingerprint(self, data: bytes) -> PhotoAnswer | NotFingerprintable:
        """The child's answer, or the refusal it gave.

        Raises DecodeTimedOut or DecoderCrashed, after which this child is dead; SandboxUnavailable if it
        never started.
        """
        self._await_ready()
        self.files += 1
        deadline = time.monotonic() + self._limits.seconds
        try:
            self._send(frame_prefix(len(data)), deadline)
            self._send(data, deadline)
            return unpack(self._receive(deadline))
        except TimeoutError:
            self.end()
            raise DecodeTimedOut from None
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
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        return status

    def _await_ready(self) -> None:
        if self._is_ready:
            return
        try:
            self._receive(time.monotonic() + START_SECONDS)
        except (OSError, EOFError, BrokenAnswer) as error:
            self.end()
            raise SandboxUnavailable("The decoding process did not start.") from error
        self._is_ready = True

    def _send(self, data: bytes, deadline: float) -> None:
        rest = memoryview(data)
        while rest:
            _await(self._to_child, select.POLLOUT, deadline)
            try:
                rest = rest[os.write(self._to_child, rest[:_PIPE_PART_BYTES]) :]
            except BlockingIOError:  # a pipe that is nearly full may call itself writable
                time.sleep(0.001)

    def _receive(self, deadline: float) -> bytes:
        length = int.from_bytes(self._read(PREFIX_BYTES, deadline))
        if length > MAX_ANSWER_BYTES:
            raise BrokenAnswer
        return self._read(length, deadline)

    def _read(self, count: int, deadline: float) -> bytes:
        parts = bytearray()
        while len(parts) < count:
            _await(self._from_child, select.POLLIN, deadline)
            part = os.read(self._from_child, count - len(parts))
            if not part:
                raise EOFError
            parts += part
        return bytes(parts)


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
