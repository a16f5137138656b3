"""How much one video may cost. Every number has its reason beside it; a caller may set others."""

from dataclasses import dataclass

from staydown.fingerprint.limits import MEBIBYTE, MEGAPIXEL


@dataclass(frozen=True, slots=True)
class VideoLimits:
    """What reading one video may cost, and how much is kept of it."""

    max_frames: int = 64
    """Frames that are registered, spread over the video. Two that match are enough, and 64 leave one for
    every minute of an hour; more would make a bank of a million videos the largest thing a platform holds."""

    frames_per_second: int = 1
    """Frames that are looked at to be registered, beside key frames: as many as `vpdq` takes."""

    query_frames_per_second: int = 4
    """The same of a video that is looked up. A copy that was trimmed has its whole seconds elsewhere, and PDQ
    forgives a shift of 1 % of a side: at one frame a second a third of the trimmed copies were missed, at
    four a fourteenth (benchmarks/results/video.md). Only this side can be dense, because it is not kept."""

    max_query_frames: int = 512
    """Frames of a video that is looked up: two minutes in which no quarter of a second is like another. With
    some four codes each, a search among a million codes takes 0.2 s of one core."""

    max_pixels: int = 36 * MEGAPIXEL
    """Of one frame: 8K (7680 x 4320) passes."""

    max_duration_seconds: float = 4 * 3600.0
    """What is read of a video; the rest is left out. An endless stream ends here."""

    max_packets: int = 4_000_000
    """Four hours of 60 frames a second with three sound tracks have three million. A file of packets that
    lead nowhere ends here."""

    max_bytes: int = 16 * 1024 * MEBIBYTE
    """Four hours at 8 Mbit/s are 14 GiB."""

    max_bytes_in_memory: int = 256 * MEBIBYTE
    """A video that is given as bytes, not as a path: it is held twice while a child reads it."""

    seconds: float = 1800.0
    """Wall time for one video in the sandbox. Two hours of 720p take 540 seconds of one core to register and
    1,100 to look up (benchmarks/results/video.md), and a busy machine gives less than a core."""

    threads: int = 2
    """Decoding threads. More would let one video take the machine from all others."""


DEFAULT_VIDEO_LIMITS = VideoLimits()
