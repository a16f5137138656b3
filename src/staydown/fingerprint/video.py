"""Videos in, fingerprints of some of their frames out. Keeps no frame; refuses pictures and sound.

A video is registered with `fingerprint_video` and looked up with `query_video`: as with pictures, the one
side holds crops and mirrored codes, the other looks inside borders and interfaces.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from io import BytesIO
from typing import BinaryIO, Protocol

import numpy as np

from staydown.fingerprint.kernel import Method, certain_scan, check_sides, scan_strips
from staydown.fingerprint.media import Source, digest_file
from staydown.fingerprint.query import views_of
from staydown.fingerprint.registration import derived_fingerprints, needs_plane
from staydown.fingerprint.terms import MIN_QUALITY, Algorithm, Fingerprint, QueryLevel
from staydown.fingerprint.video_limits import DEFAULT_VIDEO_LIMITS, VideoLimits
from staydown.fingerprint.video_reader import Sample, VideoReader
from staydown.fingerprint.video_source import check_video_bytes, open_descriptor, open_file
from staydown.fingerprint.video_spread import Look, SpreadFrames
from staydown.fingerprint.video_terms import FrameFingerprint, VideoFingerprints, VideoReading
from staydown.fingerprint.views import DerivationSet


def _with_mirrored(*views: str) -> tuple[str, ...]:
    return tuple(name for view in views for name in (view, "fH" if view == "full" else f"{view}~fH"))


# What is registered of each frame, as DERIVATION_SETS is for pictures. Steps of 6 % find centred crops up to
# 26 % in two of a video's frames, though not in each (benchmarks/results/video.md); a picture needs finer
# ones.
FRAME_SETS: Mapping[str, DerivationSet] = {
    name: DerivationSet(name, {Algorithm.PDQ: derivations, Algorithm.PDQ512: ()})
    for name, derivations in {
        "plain": ("full",),
        "frames2": _with_mirrored("full"),
        "frames10": _with_mirrored("full", "cc94", "cc88", "cc82", "cc76"),
        "frames20": _with_mirrored(
            "full", "cc94", "cc88", "cc82", "cc76", "as1:1", "as4:5", "as9:16", "as4:3", "as16:9"
        ),
    }.items()
}
# 640 codes, 20 KB, for a video of 64 frames.
DEFAULT_FRAME_SET = "frames10"

Progress = Callable[[float], None]
"""Told now and then how much is done, 0..1. What it raises ends the work."""


def fingerprint_video(
    source: Source,
    *,
    limits: VideoLimits = DEFAULT_VIDEO_LIMITS,
    derive: str = DEFAULT_FRAME_SET,
    progress: Progress | None = None,
) -> VideoFingerprints:
    """What is registered of one video: its digests, and the codes of a derivation set of some of its frames.

    source: a path, bytes, or a seekable binary file; a file is never held whole.
    derive: a name in FRAME_SETS. For files from strangers use SandboxPool.video, which gives the same.
    Raises a NotFingerprintable, VideoUnavailable; OSError if the file cannot be opened; KeyError for an
    unknown set.
    """
    with _opened(source, limits=limits) as file:
        reading = registered_reading(file, limits=limits, derive=derive, progress=progress)
        file.seek(0)
        return VideoFingerprints.of(reading, digest_file(file))


def query_video(
    source: Source,
    *,
    limits: VideoLimits = DEFAULT_VIDEO_LIMITS,
    level: QueryLevel = QueryLevel.GEO9,
    progress: Progress | None = None,
) -> VideoFingerprints:
    """What one video is looked up by: its digests, and some frames with the codes of their parts.

    Each code's derivation is the name of the part: "full", "strip" and so on. Raises as `fingerprint_video`.
    """
    with _opened(source, limits=limits) as file:
        reading = sought_reading(file, limits=limits, level=level, progress=progress)
        file.seek(0)
        return VideoFingerprints.of(reading, digest_file(file))


def registered_reading(
    file: BinaryIO, *, limits: VideoLimits, derive: str, progress: Progress | None
) -> VideoReading:
    """`fingerprint_video` without the digests: the sandbox's work."""
    coder = _Registered(FRAME_SETS[derive])
    with closing(VideoReader(file, limits=limits, samples_per_second=limits.frames_per_second)) as reader:
        return _reading(reader, coder, most=limits.max_frames, progress=progress)


def sought_reading(
    file: BinaryIO, *, limits: VideoLimits, level: str, progress: Progress | None
) -> VideoReading:
    """`query_video` without the digests: the sandbox's work."""
    coder = _Sought(QueryLevel(level))
    with closing(
        VideoReader(file, limits=limits, samples_per_second=limits.query_frames_per_second)
    ) as reader:
        return _reading(reader, coder, most=limits.max_query_frames, progress=progress)


class _Coder(Protocol):
    """Turns frames into codes."""

    def look(self, sample: Sample) -> tuple[Look, Callable[[], tuple[Fingerprint, ...]]] | None:
        """What the frame is compared by, and its codes once it is kept; None if it has too little detail."""


class _Registered:
    """The codes of a derivation set. Exact, because they are what partners are sent."""

    def __init__(self, derivation_set: DerivationSet) -> None:
        self._set = derivation_set
        self._needs_plane = needs_plane(derivation_set)

    def look(self, sample: Sample) -> tuple[Look, Callable[[], tuple[Fingerprint, ...]]] | None:
        """As _Coder."""
        height, width = sample.pixels.shape[:2]
        scan, codes = scan_strips([sample.pixels], width=width, height=height, keeps_plane=self._needs_plane)
        if codes.pdq.quality < MIN_QUALITY:
            return None

        def fingerprints() -> tuple[Fingerprint, ...]:
            derived = derived_fingerprints(scan, codes, self._set, width=width, height=height)
            found = [one for one in derived if one.algorithm is Algorithm.PDQ and one.quality >= MIN_QUALITY]
            if sample.stored_turn != "full":  # what tools see that ignore how the phone was held
                turned = codes.pdq.code(sample.stored_turn)
                found.append(Fingerprint(Algorithm.PDQ, turned, codes.pdq.quality, sample.stored_turn))
            return tuple(found)

        return _look(codes.pdq.code()), fingerprints


class _Sought:
    """The codes of the parts that a query looks at."""

    def __init__(self, level: QueryLevel) -> None:
        self._level = level

    def look(self, sample: Sample) -> tuple[Look, Callable[[], tuple[Fingerprint, ...]]] | None:
        """As _Coder. A frame inside a border counts as another when what is inside changes."""
        height, width = sample.pixels.shape[:2]
        scan, codes = certain_scan(
            lambda: [sample.pixels],
            width=width,
            height=height,
            method=Method.FAST,
            keeps_plane=self._level is not QueryLevel.PLAIN,
        )
        found = {
            view.name: view.fingerprint
            for view in views_of(scan, codes, width=width, height=height, level=self._level)
            if view.fingerprint.derivation == "full" and view.fingerprint.algorithm is Algorithm.PDQ
        }
        if all(one.quality < MIN_QUALITY for one in found.values()):
            return None
        whole = found["full"]
        compared = [found.get(name, whole).code for name in ("full", "strip", "interface")]
        named = tuple(
            Fingerprint(one.algorithm, one.code, one.quality, name)
            for name, one in found.items()
            if one.quality >= MIN_QUALITY
        )
        return _look(*compared), lambda: named


def _look(*codes: bytes) -> Look:
    return np.frombuffer(b"".join(codes), np.uint8).reshape(len(codes), -1)


def _reading(reader: VideoReader, coder: _Coder, *, most: int, progress: Progress | None) -> VideoReading:
    kept: SpreadFrames[tuple[Fingerprint, ...]] = SpreadFrames(most=most)
    size, looked_at, done = (0, 0), 0, 0.0
    for sample in reader.samples():
        height, width = sample.pixels.shape[:2]
        check_sides(width, height)
        size = size if looked_at else (width, height)
        looked_at += 1
        if found := coder.look(sample):
            look, fingerprints = found
            if kept.wants(sample.at_seconds, look):
                kept.keep(sample.at_seconds, look, fingerprints())
        if progress is not None:
            done = max(done, reader.share_read)
            progress(done)
    if progress is not None:
        progress(1.0)
    return VideoReading(
        duration_seconds=reader.end_seconds,
        width=size[0],
        height=size[1],
        frames=tuple(
            FrameFingerprint(at_seconds, fingerprint)
            for at_seconds, fingerprints in kept.frames()
            for fingerprint in fingerprints
        ),
        looked_at=looked_at,
        broke_off=reader.broke_off,
    )


@contextmanager
def _opened(source: Source, *, limits: VideoLimits) -> Iterator[BinaryIO]:
    """The source as a seekable file of a checked size. Raises EmptyFile, FileTooLarge, NotAFile, OSError."""
    if isinstance(source, str | os.PathLike):
        with open_descriptor(source, limits=limits) as descriptor:
            yield open_file(descriptor)
        return
    if isinstance(source, bytes):
        check_video_bytes(len(source), most=limits.max_bytes_in_memory)
        yield BytesIO(source)
        return
    check_video_bytes(source.seek(0, os.SEEK_END), most=limits.max_bytes)
    source.seek(0)
    yield source
