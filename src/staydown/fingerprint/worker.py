"""The child of the sandbox: takes away its own means, then reads one picture after another from a pipe.

Started as `python -m staydown.fingerprint.worker LIMITS`. Refuses to write files, to leave a core dump, to
use more memory or time than its limits. What it answers is checked by its parent: a child is not trusted.
"""

import json
import os
import resource
import sys

from PIL import Image

from staydown.fingerprint.errors import DecoderCrashed, NotFingerprintable
from staydown.fingerprint.frames import pack_photo, pack_refusal, read_frame, write_frame
from staydown.fingerprint.limits import DecodeLimits
from staydown.fingerprint.media import photo_fingerprints

OPEN_FILES = 32  # the two pipes, and whatever a library opens while it is first used


def _limit(kind: int, value: int) -> None:
    """Sets a limit for good, or as near as the limit that is already set allows."""
    _, hard = resource.getrlimit(kind)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(kind, (value, value))


def _take_away_means(limits: DecodeLimits) -> None:
    _limit(resource.RLIMIT_AS, limits.memory_bytes)
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_CORE, 0)  # a core dump would hold the picture
    _limit(resource.RLIMIT_NOFILE, OPEN_FILES)


def _allow_seconds(seconds: float) -> None:
    """CPU time for one more file: the soft limit counts from the start of the process, so it moves on."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = int(used.ru_utime + used.ru_stime + seconds) + 2  # whole seconds, one of them begun
    if hard != resource.RLIM_INFINITY:
        soft = min(soft, hard)
    resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def _answer(data: bytes, limits: DecodeLimits) -> bytes:
    try:
        return pack_photo(photo_fingerprints(data, limits=limits))
    except NotFingerprintable as refusal:
        return pack_refusal(refusal)
    except MemoryError:  # outside the decoder: the kernel or the answer
        return pack_refusal(DecoderCrashed("Reading the picture needs more memory than is allowed."))


def main() -> None:
    """Serves pictures until the parent closes the pipe."""
    limits = DecodeLimits(**json.loads(sys.argv[1]))
    # The pipes move to descriptors of our own: a library that prints must not speak in our name.
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    Image.MAX_IMAGE_PIXELS = (
        None  # in this process our own limit stands alone; it is checked before any pixel
    )
    _take_away_means(limits)
    write_frame(answers, b"ready")
    while (data := read_frame(requests)) is not None:
        _allow_seconds(limits.seconds)
        write_frame(answers, _answer(data, limits))
        del data


if __name__ == "__main__":
    main()
