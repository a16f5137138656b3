"""Whether the corners of two pictures agree under one perspective, and where one then lies in the other.

Refuses perspectives that no copy has: without that rule unrelated photographs agree in up to 8 corners
instead of 5. Equal input gives equal output: the random choices start from a fixed number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from staydown.matching.second_look_features import TURNS, Features, Turned, opencv
from staydown.matching.second_look_terms import MIN_INLIERS, Corner, Outline, SecondLook

# A pair of corners is kept if it is this much nearer than the second best: Lowe 2004, section 7.1, says 0.8.
_NEARER_THAN_SECOND = 0.8
# Of the 256 bits around a corner. Beyond 80 nearly all pairs that pass the ratio are chance.
_MOST_DISTANT_BITS = 80

# Fewer pairs than this cannot become MIN_INLIERS and are not worth the time.
_LEAST_PAIRS = 8

# Pixels at the size looked at by which agreeing corners may miss: corners of a smaller copy are that inexact.
# Recall was the same at 3 and at 6, and with 500 rounds as with 2,000.
_MISS_PIXELS = 4.0
_RANSAC_ROUNDS = 2000
_RANSAC_CONFIDENCE = 0.999
_SEED = 20_260

# One side of a picture may shrink four times as much as another: a photograph of a screen from the side.
_MOST_UNEVEN = 4.0
# How much smaller or larger a picture may lie in the other. ORB's pyramid reaches 3.6 times.
_MOST_SCALING = 6.0

# With so many agreeing corners no other turn of the picture is tried.
_SURE_INLIERS = 30

_Points = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Agreement:
    """Corners of a turned picture and of another that agree, and the perspective between them."""

    homography: _Points
    points_a: _Points
    points_b: _Points


def best_look(queries: Sequence[Features], candidate: Features) -> SecondLook:
    """The turn of the query that agrees best with the candidate.

    queries: the query's features, one for each of TURNS in that order.
    """
    best: tuple[_Agreement, Features, Turned] | None = None
    for turned, query in zip(TURNS, queries, strict=True):
        agreement = _agreement(query, candidate)
        if agreement is not None and (best is None or len(agreement.points_a) > len(best[0].points_a)):
            best = agreement, query, turned
            if len(agreement.points_a) >= _SURE_INLIERS:
                break
    inliers = len(best[0].points_a) if best else 0
    if best is None or inliers < MIN_INLIERS:
        # A perspective that so few corners agree on explains nothing.
        return SecondLook(inliers, queries[0].size, candidate.size)
    return _told(*best, candidate)


def _agreement(a: Features, b: Features) -> _Agreement | None:
    cv2 = opencv()
    pairs = _pairs(cv2, a.codes, b.codes)
    if len(pairs) < _LEAST_PAIRS:
        return None
    points_a, points_b = a.points[pairs[:, 0]], b.points[pairs[:, 1]]
    homography, agrees = cv2.findHomography(points_a, points_b, _ransac(cv2))
    if homography is None or not _is_plausible(homography, a):
        return None
    kept = agrees.ravel().astype(bool)
    return _Agreement(homography, points_a[kept].astype(np.float64), points_b[kept].astype(np.float64))


def _pairs(cv2: Any, codes_a: npt.NDArray[np.uint8], codes_b: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """(m, 2) int64: indices of corners whose codes are near, and clearly nearer than the second best.

    No corner is there twice: one of b that several of a chose stays with the nearest.
    """
    if len(codes_a) < 2 or len(codes_b) < 2:
        return np.empty((0, 2), np.int64)
    distances, nearest = cv2.batchDistance(codes_a, codes_b, cv2.CV_32S, normType=cv2.NORM_HAMMING, K=2)
    is_clear = distances[:, 0] < _NEARER_THAN_SECOND * distances[:, 1]
    of_a = np.flatnonzero(is_clear & (distances[:, 0] <= _MOST_DISTANT_BITS))
    of_b = nearest[of_a, 0]
    by_distance = np.lexsort((of_a, distances[of_a, 0]))
    _, first = np.unique(of_b[by_distance], return_index=True)
    kept = np.sort(by_distance[first])
    return np.stack([of_a[kept], of_b[kept]], axis=1)


def _ransac(cv2: Any) -> Any:
    """OpenCV's USAC_MAGSAC written out, so that the seed and the rounds are ours."""
    settings = cv2.UsacParams()
    settings.score = cv2.SCORE_METHOD_MAGSAC
    settings.sampler = cv2.SAMPLING_UNIFORM
    settings.loMethod = cv2.LOCAL_OPTIM_SIGMA
    settings.loIterations, settings.loSampleSize = 5, 50
    settings.threshold = _MISS_PIXELS
    settings.maxIterations = _RANSAC_ROUNDS
    settings.confidence = _RANSAC_CONFIDENCE
    settings.randomGeneratorState = _SEED
    settings.isParallel = False
    return settings


def _sides(features: Features) -> tuple[float, float]:
    """Width and height at the size looked at."""
    return features.width / features.scale, features.height / features.scale


def _frame(features: Features) -> _Points:
    """(4, 2): the corners of the picture, from the top left clockwise, at the size looked at."""
    width, height = _sides(features)
    # The middle of the first pixel is (0, 0), so that the edge lies half a pixel before it.
    corners = [(0.0, 0.0), (width, 0.0), (width, height), (0.0, height)]
    return np.array(corners, np.float64) - np.float64(0.5)


def _projected(homography: _Points, points: _Points) -> _Points | None:
    """The points as the perspective shows them; None if one of them lies behind the viewer or at infinity."""
    lifted = np.column_stack([points, np.ones(len(points))]) @ homography.T
    depth = lifted[:, 2]
    if not np.isfinite(lifted).all() or depth.min() <= 1e-6 * np.abs(homography).max():
        return None
    flat: _Points = lifted[:, :2] / depth[:, None]
    return flat


def _is_plausible(homography: _Points, a: Features) -> bool:
    """Whether a copy can lie like this: not turned inside out, neither too uneven nor too small or large."""
    outline = _projected(homography, _frame(a))
    if outline is None:
        return False
    edges = np.roll(outline, -1, axis=0) - outline
    onward = np.roll(edges, -1, axis=0)
    if (edges[:, 0] * onward[:, 1] - edges[:, 1] * onward[:, 0] <= 0).any():  # not convex, or mirrored
        return False
    width, height = _sides(a)
    scaling = np.hypot(edges[:, 0], edges[:, 1]) / np.array([width, height, width, height])
    if scaling.max() > _MOST_UNEVEN * scaling.min():
        return False
    mean = float(np.sqrt(scaling.min() * scaling.max()))
    return 1 / _MOST_SCALING <= mean <= _MOST_SCALING


def _told(agreement: _Agreement, a: Features, turned: Turned, b: Features) -> SecondLook:
    cv2 = opencv()
    frame_a, frame_b = _frame(a), _frame(b)
    outline = cast(_Points, _projected(agreement.homography, frame_a))  # plausible, hence not None
    inside_b = _common(cv2, outline, frame_b)
    back = (
        _projected(np.linalg.inv(agreement.homography).astype(np.float64), inside_b)
        if len(inside_b) >= 3
        else None
    )
    hull_a, hull_b = _hull(cv2, agreement.points_a), _hull(cv2, agreement.points_b)
    area_a, area_b = _area(cv2, frame_a), _area(cv2, frame_b)
    if turned.mirrored:  # told in pixels of a as it is
        width, _ = _sides(a)
        outline = outline[[1, 0, 3, 2]]
        hull_a = np.column_stack([width - 1 - hull_a[:, 0], hull_a[:, 1]])
    return SecondLook(
        inliers=len(agreement.points_a),
        size_a=a.size,
        size_b=b.size,
        outline=cast(Outline, _corners(outline, b)),
        mirrored=turned.mirrored,
        inverted=turned.inverted,
        covered_share_a=_share(0.0 if back is None else _area(cv2, back), area_a),
        covered_share_b=_share(_area(cv2, inside_b), area_b),
        agreeing_a=_corners(hull_a, a),
        agreeing_b=_corners(hull_b, b),
        agreeing_share_a=_share(_area(cv2, hull_a), area_a),
        agreeing_share_b=_share(_area(cv2, hull_b), area_b),
    )


def _common(cv2: Any, one: _Points, other: _Points) -> _Points:
    """The convex polygon that two convex ones share, (n, 2); empty if they do not touch."""
    _, shared = cv2.intersectConvexConvex(one.astype(np.float32), other.astype(np.float32))
    return np.empty((0, 2)) if shared is None else shared.reshape(-1, 2).astype(np.float64)


def _hull(cv2: Any, points: _Points) -> _Points:
    hull: _Points = cv2.convexHull(points.astype(np.float32)).reshape(-1, 2).astype(np.float64)
    return hull


def _area(cv2: Any, polygon: _Points) -> float:
    return abs(float(cv2.contourArea(polygon.astype(np.float32)))) if len(polygon) >= 3 else 0.0


def _share(part: float, whole: float) -> float:
    return round(min(1.0, part / whole), 4)


def _corners(polygon: _Points, features: Features) -> tuple[Corner, ...]:
    """In pixels of the full-size picture, to a tenth: the corners are not known better."""
    full = (polygon + 0.5) * features.scale
    return tuple((round(float(x), 1), round(float(y), 1)) for x, y in full)
