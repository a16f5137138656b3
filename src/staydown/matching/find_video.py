"""Which entries of a bank a video matches: the same file, the same stretch of a video, or a picture in it.

Refuses to search long at a time: the codes of a video are hundreds, so they are sought in parts, between
which others may have their turn. Pure; the rule is that of video.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from staydown.fingerprint.terms import CODE_BYTES, MIN_QUALITY, Algorithm, Fingerprint
from staydown.fingerprint.video_terms import FrameFingerprint, frame_derivation, parse_frame_derivation
from staydown.matching.bank_search import CodeHit, SearchedBank
from staydown.matching.terms import Match, MatchKind, Stretch
from staydown.matching.video import FrameCodes, VideoMatch, match_hits

# As many codes as are sought before others get their turn: ten milliseconds in a bank of 100,000 entries.
CODES_AT_ONCE = 50

# Where a still picture counts as a frame: the only one, at the start.
_STILL_SECONDS = 0.0


def codes_of_frames(frames: Iterable[FrameFingerprint]) -> FrameCodes:
    """The codes with enough detail among these, as they are sought."""
    good = [
        frame
        for frame in frames
        if frame.fingerprint.quality >= MIN_QUALITY and frame.fingerprint.algorithm is Algorithm.PDQ
    ]
    packed = b"".join(frame.fingerprint.code for frame in good)
    return FrameCodes(
        np.frombuffer(packed, np.uint8).reshape(-1, CODE_BYTES),
        np.array([frame.at_seconds for frame in good], np.float64),
        tuple(frame.fingerprint.derivation for frame in good),
    )


def find_video(
    bank: SearchedBank, query: FrameCodes, *, sha256: str | None = None, md5: str | None = None
) -> list[Match]:
    """Every entry that a video matches, each once: exact before near. Digests are lower-case."""
    hits = [hit for part in hits_in_parts(bank, query) for hit in part]
    return video_matches(bank, query, hits, sha256=sha256, md5=md5)


def hits_in_parts(bank: SearchedBank, query: FrameCodes) -> Iterator[list[CodeHit]]:
    """What lies near each code of the video, part by part. The bank may change between two parts."""
    for first in range(0, len(query), CODES_AT_ONCE):
        rows = query.codes[first : first + CODES_AT_ONCE]
        sought = [Fingerprint(Algorithm.PDQ, row.tobytes(), 100) for row in rows]
        yield [replace(hit, sought=first + hit.sought) for hit in bank.hits(sought)]


def video_matches(
    bank: SearchedBank,
    query: FrameCodes,
    hits: Iterable[CodeHit],
    *,
    sha256: str | None = None,
    md5: str | None = None,
) -> list[Match]:
    """What these hits amount to, of the entries that are still in the bank.

    A picture, registered as such, is a video of one frame: one frame that shows it is enough.
    """
    exact = dict.fromkeys(bank.exact(sha256=sha256, md5=md5))
    live = [hit for hit in hits if hit.entry_id in bank and hit.entry_id not in exact]
    framed = [replace(hit, derivation=_as_frame(hit.derivation)) for hit in live]
    stills = frozenset(entry_id for entry_id in {hit.entry_id for hit in live} if _is_still(bank, entry_id))
    found = match_hits(query, framed, still_entries=stills)
    nearest: dict[str, CodeHit] = {}
    for hit in live:
        known = nearest.setdefault(hit.entry_id, hit)
        if (hit.distance_bits, hit.sought) < (known.distance_bits, known.sought):
            nearest[hit.entry_id] = hit
    near = (
        replace(
            bank.match(
                entry_id,
                MatchKind.NEAR,
                distance_bits=nearest[entry_id].distance_bits,
                derivation=nearest[entry_id].derivation,
                view=query.derivations[nearest[entry_id].sought],
            ),
            stretch=_stretch(match, is_still=entry_id in stills),
        )
        for entry_id, match in found.items()
    )
    return [*(bank.match(entry_id, MatchKind.EXACT) for entry_id in exact), *near]


def _as_frame(derivation: str) -> str:
    return derivation if derivation.startswith("@") else frame_derivation(_STILL_SECONDS, derivation)


def _is_still(bank: SearchedBank, entry_id: str) -> bool:
    """Whether all codes of an entry are of one frame."""
    times = {
        frame[0] if (frame := parse_frame_derivation(name)) else _STILL_SECONDS
        for names in bank.row_of(entry_id).derivations.values()
        for name in names
    }
    return len(times) == 1


def _stretch(match: VideoMatch, *, is_still: bool) -> Stretch:
    return Stretch(
        upload_seconds=(match.query_begin_seconds, match.query_end_seconds),
        entry_seconds=None if is_still else (match.entry_begin_seconds, match.entry_end_seconds),
        frames=match.frames,
    )
