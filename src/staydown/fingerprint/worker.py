"""The child of the sandbox: takes away its own means, then reads one file after another from a socket.

Started as `python -m staydown.fingerprint.worker LIMITS`. Refuses to write files, to leave a core dump, to
reach the network where the kernel lets it leave, to use more memory or time than its limits. What it answers
is checked by its parent: a child is not trusted.
"""

import importlib
import io
import json
import os
import resource
import socket
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, BinaryIO, cast

from PIL import Image

from staydown.fingerprint.answers import pack_photo, pack_progress, pack_query, pack_refusal, pack_video
from staydown.fingerprint.errors import DecoderCrashed, NotFingerprintable
from staydown.fingerprint.frames import Request, receive_request, write_frame
from staydown.fingerprint.isolation import leave_the_network
from staydown.fingerprint.limits import DecodeLimits
from staydown.fingerprint.video_limits import VideoLimits
from staydown.fingerprint.video_source import open_file

OPEN_FILES = 32  # the pipe, the socket, a video, and whatever a library opens while it is first used

Limits = tuple[DecodeLimits, VideoLimits]
Handler = Callable[[Request, Limits, BinaryIO], bytes]
"""One thing a child can do: its answer to a request. It may write progress to the answers first."""


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


def _when_needed(module: str, name: str) -> Callable[..., Any]:
    """A function of this package, imported when it is first asked for: most children see only pictures."""
    return cast(Callable[..., Any], getattr(importlib.import_module(f"staydown.fingerprint.{module}"), name))


def _register(request: Request, limits: Limits, _answers: BinaryIO) -> bytes:
    codes = _when_needed("media", "photo_fingerprints")
    return pack_photo(codes(request.body, limits=limits[0], derive=request.header["set"]))


def _query(request: Request, limits: Limits, _answers: BinaryIO) -> bytes:
    views = _when_needed("query", "query_answer")
    return pack_query(views(request.body, limits=limits[0], level=request.header["level"]))


def _video(request: Request, limits: Limits, answers: BinaryIO) -> bytes:
    read = _when_needed("video", "registered_reading")
    with _video_file(request) as file:
        derive = request.header["set"]
        return pack_video(read(file, limits=limits[1], derive=derive, progress=_teller(answers)))


def _query_video(request: Request, limits: Limits, answers: BinaryIO) -> bytes:
    read = _when_needed("video", "sought_reading")
    with _video_file(request) as file:
        level = request.header["level"]
        return pack_video(read(file, limits=limits[1], level=level, progress=_teller(answers)))


def _video_file(request: Request) -> BinaryIO:
    return io.BytesIO(request.body) if request.descriptor is None else open_file(request.descriptor)


def _teller(answers: BinaryIO) -> Callable[[float], None]:
    """Tells the parent each whole percent once."""
    told = [-1]

    def tell(fraction: float) -> None:
        if int(fraction * 100) > told[0]:
            told[0] = int(fraction * 100)
            write_frame(answers, pack_progress(fraction))

    return tell


_HANDLERS: Mapping[str, Handler] = {
    "register": _register,
    "query": _query,
    "video": _video,
    "query-video": _query_video,
}
_VIDEOS = frozenset({"video", "query-video"})


def _seconds(request: Request, limits: Limits) -> float:
    """CPU time for a request: each thread of a video has its own share."""
    is_video = request.header["do"] in _VIDEOS
    return limits[1].seconds * limits[1].threads if is_video else limits[0].seconds


def _answer(request: Request, limits: Limits, answers: BinaryIO, handlers: Mapping[str, Handler]) -> bytes:
    try:
        return handlers[request.header["do"]](request, limits, answers)
    except NotFingerprintable as refusal:
        return pack_refusal(refusal)
    except MemoryError:  # outside the decoder: the kernel or the answer
        return pack_refusal(DecoderCrashed("Reading the file needs more memory than is allowed."))
    finally:
        if request.descriptor is not None:
            with suppress(OSError):
                os.close(request.descriptor)


def serve(handlers: Mapping[str, Handler]) -> None:
    """Serves files until the parent closes the socket. A handler is found by the request's "do"."""
    both = json.loads(sys.argv[1])
    limits = DecodeLimits(**both["picture"]), VideoLimits(**both["video"])
    # Both move to descriptors of our own: a library that prints must not speak in our name.
    requests, answers = socket.socket(fileno=os.dup(0)), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    # In this process our own limit stands alone; it is checked before any pixel.
    Image.MAX_IMAGE_PIXELS = None
    isolation = leave_the_network()
    _take_away_means(limits[0])
    write_frame(answers, isolation.encode())
    while (request := receive_request(requests)) is not None:
        _allow_seconds(_seconds(request, limits))
        write_frame(answers, _answer(request, limits, answers, handlers))
        del request


if __name__ == "__main__":
    serve(_HANDLERS)
