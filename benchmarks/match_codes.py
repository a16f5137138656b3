"""The codes that matching is measured with: random ones, and real ones out of crops of the corpus's photos.

Refuses to call random codes real: real codes are skewed, correlated and near one another.
"""

from __future__ import annotations

import sys

import numpy as np

from benchmarks import corpus, packages
from staydown.fingerprint import MIN_QUALITY
from staydown.fingerprint.kernel import Rectangle, scan_strips
from staydown.matching.arrays import CODE_BYTES, Codes

FOLDER = packages.ROOT / "var" / "bench" / "match"
# A crop keeps at least this much of each side: half is what people still recognise as the picture.
LEAST_SIDE = 0.5
# The photos are reduced to this before they are cropped: their codes stay real, and making them is quick.
LONGEST = 800


def random_codes(count: int, *, seed: int) -> Codes:
    """(count, 32) uint8, each bit by chance."""
    return np.frombuffer(np.random.default_rng(seed).bytes(count * CODE_BYTES), np.uint8).reshape(
        -1, CODE_BYTES
    )


def real_codes(count: int) -> Codes:
    """(count, 32) uint8: as many crops of each photo of the corpus, in eight turns each, in random order.

    Kept in var/bench/match. Crops without enough detail are left out, as they are at registration.
    """
    path = FOLDER / f"real-{count}.npy"
    if not path.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".draft.npy")
        np.save(draft, _crops(count))
        draft.replace(path)
    return np.load(path)


def _crops(count: int) -> Codes:
    photos = corpus.pictures("photo")
    each = -(-count // (8 * len(photos)))
    chance = np.random.default_rng(4)
    made: list[Codes] = []
    for at, picture in enumerate(photos):
        if at % 100 == 0:
            print(f"crops of photo {at} of {len(photos)}", file=sys.stderr, flush=True)
        pixels = np.ascontiguousarray(corpus.pixels_of(picture, longest=LONGEST))
        height, width = pixels.shape[:2]
        scan, _ = scan_strips([pixels], width=width, height=height, keeps_plane=True)
        for _ in range(each):
            w, h = (int(side * chance.uniform(LEAST_SIDE, 1)) for side in (width, height))
            left, top = int(chance.integers(width - w + 1)), int(chance.integers(height - h + 1))
            turns = scan.view(Rectangle(left, top, w, h))
            if turns.quality >= MIN_QUALITY:
                made.append(np.frombuffer(turns.codes, np.uint8).reshape(-1, CODE_BYTES))
    codes = np.concatenate(made)
    while (
        len(codes) < count
    ):  # what was left out for its quality is made up by more of the others, a bit apart
        more = codes[: count - len(codes)].copy()
        more[np.arange(len(more)), chance.integers(0, CODE_BYTES, len(more))] ^= np.uint8(1)
        codes = np.concatenate([codes, more])
    return np.ascontiguousarray(chance.permutation(codes)[:count])
