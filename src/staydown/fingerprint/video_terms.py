"""What is kept of a video: digests, and fingerprints of some of its frames with their times. No picture.

Refuses to say which of two frames is which by anything but its time.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Literal

from staydown.fingerprint.errors import MalformedFingerprint
from staydown.fingerprint.terms import MIN_QUALITY, Digests, Fingerprint

# "@12.500", "@12.500~fH", "@12.500~cc88~fH": seconds from the start of the video, then how the code was
# derived from that frame.
_FRAME_DERIVATION = re.compile(r"@(\d{1,9}\.\d{3})(?:~(.+))?")


def frame_derivation(at_seconds: float, derivation: str = "full") -> str:
    """The derivation of a frame's code among an entry's codes: "@12.500" or "@12.500~fH"."""
    return f"@{at_seconds:.3f}" if derivation == "full" else f"@{at_seconds:.3f}~{derivation}"


def parse_frame_derivation(name: str) -> tuple[float, str] | None:
    """Seconds and the derivation within the frame, or None if the name is not of a video's frame."""
    found = _FRAME_DERIVATION.fullmatch(name)
    return (float(found[1]), found[2] or "full") if found else None


@dataclass(frozen=True, slots=True)
class FrameFingerprint:
    """One code of one frame. Raises MalformedFingerprint for a time before the start or without end."""

    at_seconds: float
    """When the frame is shown, from the start of the video."""
    fingerprint: Fingerprint
    """Its derivation is within the frame: "full", "fH", or a view of it."""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.at_seconds) and 0 <= self.at_seconds < 1e9):
            raise MalformedFingerprint("A frame is shown at or after the start of its video.")


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoReading:
    """What a video's frames gave: codes with their times, and what the file turned out to be."""

    duration_seconds: float
    """From the first frame to the end of the last one that could be read."""
    width: int
    """Pixels of the first frame, upright."""
    height: int
    frames: tuple[FrameFingerprint, ...]
    """Ordered by time; one for each code, so a time is there several times. Maybe none: then the digests
    serve."""
    looked_at: int
    """How many frames were looked at; near-duplicates and flat ones among them are not kept."""
    broke_off: bool
    """The file is cut short or damaged. What could be read is here."""

    def registrable(self) -> tuple[Fingerprint, ...]:
        """The codes with enough detail, each with its time in its derivation: "@12.500", "@12.500~fH"."""
        return tuple(
            replace(
                frame.fingerprint,
                derivation=frame_derivation(frame.at_seconds, frame.fingerprint.derivation),
            )
            for frame in self.frames
            if frame.fingerprint.quality >= MIN_QUALITY
        )

    def by_time(self) -> Mapping[float, tuple[Fingerprint, ...]]:
        """The codes of each frame, in order of time."""
        found: dict[float, list[Fingerprint]] = {}
        for frame in self.frames:
            found.setdefault(frame.at_seconds, []).append(frame.fingerprint)
        return {at_seconds: tuple(codes) for at_seconds, codes in found.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoFingerprints(VideoReading):
    """All that is kept of a video: no frame, no name."""

    digests: Digests
    media: Literal["video"] = "video"

    @classmethod
    def of(cls, reading: VideoReading, digests: Digests) -> VideoFingerprints:
        """The reading of a file and that file's digests."""
        return cls(digests=digests, **{field.name: getattr(reading, field.name) for field in fields(reading)})
