"""Compares two pictures that a platform holds, corner by corner: the same picture, at least in part?

It ranks and explains, for a person or for a search among candidates. It never decides: a result is no ground
to remove or block anything, and nothing here makes an action of it.

For files from strangers use second_look_pool.SecondLookPool, which decodes in a process that may fail.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import BinaryIO, TypeVar

import numpy as np

from staydown.fingerprint import DEFAULT_LIMITS, DecodeLimits, NotFingerprintable, decode_picture
from staydown.fingerprint.decode import DecodedPicture
from staydown.fingerprint.kernel import Pixels
from staydown.fingerprint.media import read_source
from staydown.matching.second_look_features import TURNS, Features, features_of
from staydown.matching.second_look_geometry import best_look
from staydown.matching.second_look_terms import Name, RankedCandidate, SecondLook

Picture = Path | str | bytes | BinaryIO | DecodedPicture | Pixels
"""A file, its bytes, or a decoded picture; pixels are (height, width[, 1 | 3]) uint8."""

Progress = Callable[[int], None]
"""Told how many candidates were looked at. What it raises ends the work."""

Given = TypeVar("Given")


def second_look(a: Picture, b: Picture, *, limits: DecodeLimits = DEFAULT_LIMITS) -> SecondLook:
    """How much of picture a is found in picture b, also mirrored or as a negative, in this process.

    Raises a NotFingerprintable if one of them cannot be read; OSError if a file cannot be opened; WrongShape
    or WrongType for pixels of another form; OpenCvMissing.
    """
    return best_look(query_features(a, limits=limits), look_features(b, limits=limits))


def rank_candidates(
    picture: Picture,
    candidates: Iterable[tuple[Name, Picture]],
    *,
    limits: DecodeLimits = DEFAULT_LIMITS,
    progress: Progress | None = None,
) -> tuple[RankedCandidate[Name], ...]:
    """The candidates, best first, then those that could not be read. Equal ones stay in their order.

    candidates: what the caller calls each, and the picture. Each is opened when its turn comes.
    Raises as `second_look`, but for a candidate that cannot be read: its place says why.
    """
    query = query_features(picture, limits=limits)
    return ranked(
        query, candidates, look_at=lambda given: look_features(given, limits=limits), progress=progress
    )


def look_features(picture: Picture, *, limits: DecodeLimits = DEFAULT_LIMITS) -> Features:
    """The corners of a picture as it is, for a candidate. Raises as `second_look`."""
    return features_of(opened(picture, limits=limits), turns=TURNS[:1])[0]


def query_features(picture: Picture, *, limits: DecodeLimits = DEFAULT_LIMITS) -> tuple[Features, ...]:
    """The corners of a picture for each of TURNS, for what is looked for. Raises as `second_look`."""
    return features_of(opened(picture, limits=limits), turns=TURNS)


def ranked(
    query: Sequence[Features],
    candidates: Iterable[tuple[Name, Given]],
    *,
    look_at: Callable[[Given], Features],
    progress: Progress | None = None,
) -> tuple[RankedCandidate[Name], ...]:
    """As `rank_candidates`, from features. What `look_at` refuses with is kept."""
    found: list[RankedCandidate[Name]] = []
    for name, given in candidates:
        try:
            found.append(RankedCandidate(name, best_look(query, look_at(given))))
        except (NotFingerprintable, OSError) as refusal:
            found.append(RankedCandidate(name, None, refusal))
        if progress is not None:
            progress(len(found))
    found.sort(key=lambda candidate: -1 if candidate.look is None else candidate.look.inliers, reverse=True)
    return tuple(found)


def opened(picture: Picture, *, limits: DecodeLimits) -> DecodedPicture | Pixels:
    """The picture decoded, reduced where its format allows. Raises a NotFingerprintable or OSError."""
    if isinstance(picture, DecodedPicture | np.ndarray):
        return picture
    return decode_picture(read_source(picture, limits=limits), limits=limits, reduce=True)
