"""The rule by which two videos match: distinct frames of the one are distinct frames of the other.

One common frame proves little (a black screen, a title, a logo), so it takes two. Pure functions; refuses to
judge order or speed: a video that was cut, looped, slowed down or put together anew still matches.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from staydown.fingerprint.terms import DERIVATIONS, MIN_QUALITY, Algorithm, Fingerprint
from staydown.fingerprint.video_terms import VideoReading, parse_frame_derivation
from staydown.matching.arrays import CODE_BYTES, Codes, check_codes, check_distance
from staydown.matching.bank_search import CodeHit
from staydown.matching.rules import DEFAULT_THRESHOLD_BITS
from staydown.matching.terms import Hits

DEFAULT_MIN_FRAMES = 2

# Codes that are compared at once, query times entry: 8 million distances take 16 MB.
_BLOCK = 1 << 23


@dataclass(frozen=True, slots=True)
class FrameCodes:
    """Codes of a video's frames, with their times: those that are sought, or those of an entry."""

    codes: Codes
    """(n, 32) uint8."""
    at_seconds: npt.NDArray[np.float64]
    """(n,) when the frame is shown; the codes of one frame have the same time."""
    derivations: tuple[str, ...]
    """n names of how each code was derived within its frame: "full", "fH", "cc88~fH", "strip"."""

    def __post_init__(self) -> None:
        if not len(check_codes(self.codes)) == len(self.at_seconds) == len(self.derivations):
            raise ValueError("there are as many times and derivations as codes")

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def frames(self) -> int:
        """How many frames the codes are of."""
        return len(np.unique(self.at_seconds))

    @classmethod
    def of(cls, video: VideoReading) -> FrameCodes:
        """The codes with enough detail of a video that was read."""
        return cls._of((frame.at_seconds, frame.fingerprint) for frame in video.frames)

    @classmethod
    def of_entry(cls, fingerprints: Iterable[Fingerprint]) -> FrameCodes:
        """The codes of frames among an entry's codes, which say their times in their derivations."""
        return cls._of(
            (found[0], Fingerprint(one.algorithm, one.code, one.quality, found[1]))
            for one in fingerprints
            if (found := parse_frame_derivation(one.derivation))
        )

    @classmethod
    def _of(cls, frames: Iterable[tuple[float, Fingerprint]]) -> FrameCodes:
        good = [
            (at_seconds, one)
            for at_seconds, one in frames
            if one.quality >= MIN_QUALITY and one.algorithm is Algorithm.PDQ
        ]
        packed = b"".join(one.code for _, one in good)
        return cls(
            np.frombuffer(packed, np.uint8).reshape(-1, CODE_BYTES),
            np.array([at_seconds for at_seconds, _ in good], np.float64),
            tuple(one.derivation for _, one in good),
        )


@dataclass(frozen=True, slots=True)
class VideoMatch:
    """Which part of a video is which part of an entry, from the first frame that matches to the last one.

    Frames are about a second apart, so the true ends lie up to a second outside.
    """

    query_begin_seconds: float
    query_end_seconds: float
    entry_begin_seconds: float
    entry_end_seconds: float
    frames: int
    """How many distinct frames of each side match."""
    turn: str
    """How the query is turned or mirrored, as most frames say: "full" if not at all, "fH" for a mirror."""
    distance_bits: int
    """Of the closest pair of frames, 0..256."""


@dataclass(frozen=True, slots=True)
class _Pair:
    """A code of the query near a code of the entry."""

    sought: int
    entry_seconds: float
    derivation: str
    distance_bits: int
    entry_code: Codes | None
    """(32,) uint8, or None where only its place is known."""


def match_frames(
    query: FrameCodes,
    entry: FrameCodes,
    *,
    max_distance_bits: int = DEFAULT_THRESHOLD_BITS,
    min_frames: int = DEFAULT_MIN_FRAMES,
) -> VideoMatch | None:
    """The match of two videos, or None.

    It takes `min_frames` pairs of frames within `max_distance_bits`, each frame in one pair only, and no two
    of either side near-duplicates of one another. A side that has but one frame in all is a still picture,
    and needs one pair, as pictures do. Raises DistanceOutOfRange.
    """
    needed = _needed(min_frames, query.frames, entry.frames)
    return _match(query, _near_pairs(query, entry, check_distance(max_distance_bits)), needed=needed)


def match_hits(
    query: FrameCodes,
    hits: Iterable[CodeHit],
    *,
    min_frames: int = DEFAULT_MIN_FRAMES,
    still_entries: frozenset[str] = frozenset(),
) -> dict[str, VideoMatch]:
    """The matches of a video with the entries of a bank, by entry, from what a search for its codes found.

    hits: of `SearchedBank.hits` or `code_hits`; `sought` is the row in `query`. Hits on codes of no frame are
    left out. still_entries: those that have one frame only. Otherwise the rule is that of `match_frames`;
    that an entry's frames are no near-duplicates was seen to when it was registered.
    """
    pairs: defaultdict[str, list[_Pair]] = defaultdict(list)
    for hit in hits:
        if found := parse_frame_derivation(hit.derivation):
            pairs[hit.entry_id].append(_Pair(hit.sought, *found, hit.distance_bits, None))
    frames = query.frames
    matches = {
        entry_id: _match(
            query, found_pairs, needed=_needed(min_frames, frames, 1 if entry_id in still_entries else 2)
        )
        for entry_id, found_pairs in pairs.items()
    }
    return {entry_id: match for entry_id, match in matches.items() if match}


def code_hits(hits: Hits, places: Mapping[int, tuple[str, str]]) -> Iterator[CodeHit]:
    """What an `Index` found, for `match_hits`.

    places: the entry and the derivation ("@12.500~fH") of each id in the index. Raises KeyError for others.
    """
    columns = (hits.query.tolist(), hits.id.tolist(), hits.distance_bits.tolist())
    for sought, number, distance_bits in zip(*columns, strict=True):
        entry_id, derivation = places[number]
        yield CodeHit(sought, entry_id, derivation, distance_bits)


def _needed(min_frames: int, *frames: int) -> int:
    if min_frames < 1:
        raise ValueError("a match has at least one frame")
    return 1 if 1 in frames else min_frames


def _near_pairs(query: FrameCodes, entry: FrameCodes, max_distance_bits: int) -> Iterator[_Pair]:
    """Every code of the query with every near code of the entry, block by block."""
    if not len(query) or not len(entry):
        return
    theirs = np.ascontiguousarray(entry.codes).view(np.uint64)
    rows = max(1, _BLOCK // len(theirs))
    for first in range(0, len(query), rows):
        ours = np.ascontiguousarray(query.codes[first : first + rows]).view(np.uint64)
        distances = np.zeros((len(ours), len(theirs)), np.uint16)
        for word in range(ours.shape[1]):
            distances += np.bitwise_count(ours[:, word, None] ^ theirs[None, :, word])
        for row, column in np.argwhere(distances <= max_distance_bits).tolist():
            yield _Pair(
                first + row,
                float(entry.at_seconds[column]),
                entry.derivations[column],
                int(distances[row, column]),
                entry.codes[column],
            )


def _match(query: FrameCodes, pairs: Iterable[_Pair], *, needed: int) -> VideoMatch | None:
    chosen = _distinct(query, pairs)
    if len(chosen) < needed:
        return None
    query_seconds = [float(query.at_seconds[pair.sought]) for pair in chosen]
    entry_seconds = [pair.entry_seconds for pair in chosen]
    turns = Counter(_turn(pair.derivation) for pair in chosen)
    return VideoMatch(
        query_begin_seconds=min(query_seconds),
        query_end_seconds=max(query_seconds),
        entry_begin_seconds=min(entry_seconds),
        entry_end_seconds=max(entry_seconds),
        frames=len(chosen),
        turn=turns.most_common(1)[0][0],
        distance_bits=min(pair.distance_bits for pair in chosen),
    )


def _distinct(query: FrameCodes, pairs: Iterable[_Pair]) -> list[_Pair]:
    """The closest pairs of which no two share a frame, or a near-duplicate of it, on either side."""
    closest: dict[tuple[float, float], _Pair] = {}
    for pair in pairs:
        frames = float(query.at_seconds[pair.sought]), pair.entry_seconds
        known = closest.get(frames)
        if known is None or _order(pair) < _order(known):
            closest[frames] = pair
    chosen: list[_Pair] = []
    for pair in sorted(closest.values(), key=_order):
        if all(_is_another(query, pair, other) for other in chosen):
            chosen.append(pair)
    return chosen


def _order(pair: _Pair) -> tuple[int, int, float, str]:
    """Closest first. The order is total, so that the answer does not hang on how a search found them."""
    return pair.distance_bits, pair.sought, pair.entry_seconds, pair.derivation


def _is_another(query: FrameCodes, one: _Pair, other: _Pair) -> bool:
    if query.at_seconds[one.sought] == query.at_seconds[other.sought]:
        return False
    if one.entry_seconds == other.entry_seconds:
        return False
    if _is_near(query.codes[one.sought], query.codes[other.sought]):
        return False
    if one.entry_code is None or other.entry_code is None:
        return True
    return not _is_near(one.entry_code, other.entry_code)


def _is_near(one: Codes, other: Codes) -> bool:
    return int(np.bitwise_count(one ^ other).sum(dtype=np.uint16)) <= DEFAULT_THRESHOLD_BITS


def _turn(derivation: str) -> str:
    """The turn in a derivation: "fH" of "cc88~fH", "r90" of "r90", "full" of "cc88"."""
    last = derivation.rpartition("~")[2]
    return last if last in DERIVATIONS else DERIVATIONS[0]
