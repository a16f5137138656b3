"""vPDQ in and out: how others write the codes of a video's frames. Refuses text that is not of these forms.

Four forms are in use, all made of PDQ codes with a quality and a time. `vpdq`'s C++ tools write lines of
frame number, quality, code, seconds; its Python command writes code, quality, seconds; ThreatExchange keeps a
JSON list of the latter; its older files hold a JSON object by frame number. All are read; the first
(`to_lines`) and the third (`to_signal`) are written. Sources: vpdq 0.2.5 (cpp/vpdq/cpp/io/vpdqio.cpp,
python/vpdq.pyx), threatexchange 1.2.17 (extensions/vpdq/vpdq_util.py); what these write is in
tests/vectors/vpdq.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from staydown.fingerprint.errors import MalformedFingerprint
from staydown.fingerprint.terms import CODE_BYTES, MIN_QUALITY, Fingerprint
from staydown.fingerprint.video_limits import DEFAULT_VIDEO_LIMITS
from staydown.fingerprint.video_spread import SpreadFrames
from staydown.fingerprint.video_terms import FrameFingerprint, VideoReading

# Four hours at ten frames a second. Longer texts are not read: somebody else's file must not fill our memory.
MAX_FEATURES = 150_000
_MAX_CHARACTERS = 160 * MAX_FEATURES

_TURNS_OF_STORAGE = ("r90", "r180", "r270")


@dataclass(frozen=True, slots=True)
class VpdqFeature:
    """One frame in vPDQ: what `vpdq` calls a feature."""

    fingerprint: Fingerprint
    at_seconds: float
    frame_number: int
    """Its position in the list where the text does not say."""


def features_of(video: VideoReading, *, derivations: Collection[str] = ("full",)) -> tuple[VpdqFeature, ...]:
    """A video's codes as vPDQ has them, in order of time.

    derivations: which codes of each frame; add "fH" for partners that would not find a mirrored copy. The
    code of a frame as it is stored is always added where that is turned, because `vpdq` ignores how a phone
    was held. A feature's number is its position in the list: the frames between are not known.
    """
    chosen = [
        frame
        for frame in video.frames
        if frame.fingerprint.derivation in derivations or frame.fingerprint.derivation in _TURNS_OF_STORAGE
    ]
    return tuple(
        VpdqFeature(Fingerprint(code.algorithm, code.code, code.quality), frame.at_seconds, number)
        for number, frame in enumerate(chosen)
        for code in [frame.fingerprint]
    )


def to_lines(features: Iterable[VpdqFeature]) -> str:
    """As `vpdq`'s C++ tools write it: frame number, quality, code, seconds, one line a frame."""
    return "".join(
        f"{one.frame_number},{one.fingerprint.quality},{one.fingerprint.hex},{one.at_seconds:.3f}\n"
        for one in features
    )


def to_signal(features: Iterable[VpdqFeature]) -> str:
    """As ThreatExchange keeps a vPDQ signal: a JSON list of "code,quality,seconds".

    Seconds have three decimals. ThreatExchange itself writes three digits (123.456 becomes "1.23e+02"), and
    reads both.
    """
    return json.dumps(
        [f"{one.fingerprint.hex},{one.fingerprint.quality},{one.at_seconds:.3f}" for one in features]
    )


def from_text(text: str) -> tuple[VpdqFeature, ...]:
    """The features in any of the four forms, in the order of the text.

    Raises MalformedFingerprint, which says the number of the feature and nothing of its content.
    """
    if len(text) > _MAX_CHARACTERS:
        raise MalformedFingerprint(f"A video has at most {MAX_FEATURES} vPDQ features.")
    features: list[VpdqFeature] = []
    for fields in _features(text):
        if len(features) == MAX_FEATURES:
            raise MalformedFingerprint(f"A video has at most {MAX_FEATURES} vPDQ features.")
        features.append(_feature(fields, number=len(features)))
    return tuple(features)


def distinct_frames(
    features: Iterable[VpdqFeature], *, max_frames: int = DEFAULT_VIDEO_LIMITS.max_frames
) -> tuple[FrameFingerprint, ...]:
    """What we would keep of these frames: with enough detail, none like another, few, spread over the video.

    Sorted by time; the features may come in any order.
    """
    kept: SpreadFrames[Fingerprint] = SpreadFrames(most=max_frames)
    for one in sorted(features, key=lambda feature: feature.at_seconds):
        look = np.frombuffer(one.fingerprint.code, np.uint8).reshape(1, CODE_BYTES)
        if one.fingerprint.quality >= MIN_QUALITY and kept.wants(one.at_seconds, look):
            kept.keep(one.at_seconds, look, one.fingerprint)
    return tuple(FrameFingerprint(at_seconds, code) for at_seconds, code in kept.frames())


def _features(text: str) -> Iterator[list[Any]]:
    """Frame number (or None), quality, code and seconds of each feature, not yet checked."""
    stripped = text.lstrip()
    if not stripped.startswith(("[", "{")):
        yield from (_cells(line) for line in text.splitlines() if line.strip())
        return
    try:
        found = json.loads(stripped)
    except (ValueError, RecursionError) as error:
        raise MalformedFingerprint("This is no vPDQ: it begins as JSON and is none.") from error
    if isinstance(found, dict):
        for number, feature in found.items():
            fields = feature if isinstance(feature, dict) else {}
            yield [number, fields.get("quality"), fields.get("hash"), fields.get("timestamp")]
        return
    yield from (_cells(line) if isinstance(line, str) else [] for line in found)


def _cells(line: str) -> list[Any]:
    cells = line.strip().split(",")
    if len(cells) == 3:
        code, quality, seconds = cells
        return [None, quality, code, seconds]
    return list(cells)


def _feature(fields: list[Any], *, number: int) -> VpdqFeature:
    try:
        frame_number, quality, code, seconds = fields
        at_seconds = float(seconds)
        if not math.isfinite(at_seconds):
            raise ValueError
        fingerprint = Fingerprint.from_hex(str(code).strip(), quality=int(quality))
        FrameFingerprint(at_seconds, fingerprint)  # checks the time
        return VpdqFeature(fingerprint, at_seconds, number if frame_number is None else int(frame_number))
    except (ValueError, TypeError, MalformedFingerprint):
        raise MalformedFingerprint(f"Feature {number + 1} is not of vPDQ's form.") from None
