"""How much of a picture a simple decoder recovers from its codes: ridge regression from bits to 32 x 32 luma.

A lower bound, to compare sets with each other; published attacks use trained networks and recover more. It
exists so that no set is made the default that gives away more than the page on leakage says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from benchmarks import codes, corpus, edits
from benchmarks.corpus import Picture
from benchmarks.screens import Pixels, padded
from staydown.fingerprint import DERIVATION_SETS, Algorithm
from staydown.fingerprint.views import split_derivation

Bits = npt.NDArray[np.float32]

SIDE = 32  # of the luma to recover
CROPS_PER_PHOTO = 8  # training pictures made of each training photo by cropping and mirroring
LONGEST = 512
# Tried on a part of the training photos; the best is used.
PENALTIES = (30.0, 100.0, 300.0, 1000.0, 3000.0, 10000.0)


def _set(name: str) -> Callable[[Pixels], Bits]:
    """Bits of a set in its order: worse for the person than the shuffled form that leaves for partners."""
    names = [split_derivation(one) for one in DERIVATION_SETS[name].derivations[Algorithm.PDQ]]
    views = list(dict.fromkeys(view for view, _ in names))

    def bits(pixels: Pixels) -> Bits:
        found, *_ = codes.codes_of_views(pixels, views)
        rows = [found[views.index(view), codes.TURNS.index(turn)] for view, turn in names]
        return np.unpackbits(np.concatenate(rows)).astype(np.float32) * 2 - 1

    return bits


def _with_padded_view(pixels: Pixels) -> Bits:
    """The whole and one view with a black border of 12 %: what no set of ours holds, and why."""
    bar = round(min(pixels.shape[:2]) * 0.12)
    both = [
        codes.codes_of_views(one, ["full"])[0][0, 0]
        for one in (pixels, padded(pixels, bar, bar, bar, bar, (0, 0, 0)))
    ]
    return np.unpackbits(np.concatenate(both)).astype(np.float32) * 2 - 1


KINDS: dict[str, Callable[[Pixels], Bits]] = {
    "plain": _set("plain"),
    "turns8": _set("turns8"),
    "crops32": _set("crops32"),
    "crops64": _set("crops64"),
    "plain and one padded view (never registered)": _with_padded_view,
}


def luma(pixels: Pixels) -> Bits:
    """(1024,) float32: the 32 x 32 luma with mean 0 and deviation 1."""
    grey = cv2.resize(
        cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2GRAY),
        (SIDE, SIDE),
        interpolation=cv2.INTER_AREA,
    )
    flat = grey.astype(np.float32).ravel()
    return (flat - flat.mean()) / max(float(flat.std()), 1.0)


def variants(picture: Picture, count: int) -> list[Pixels]:
    """The photo, and `count` - 1 random crops and mirror images of it."""
    pixels = corpus.pixels_of(picture, longest=LONGEST)
    rng = np.random.default_rng(int(picture.sha256[:12], 16))
    made = [pixels]
    for _ in range(count - 1):
        sides = rng.uniform(0, 0.2, 4)
        part = edits.crop(pixels, *(float(side) for side in sides))
        made.append(part[:, ::-1] if rng.random() < 0.5 else part)
    return [np.ascontiguousarray(one) for one in made]


def correlation(truth: Bits, guess: Bits) -> float:
    """Mean over pictures of the correlation between the rows."""
    a, b = (rows - rows.mean(axis=1, keepdims=True) for rows in (truth, guess))
    return float(
        np.mean(np.sum(a * b, axis=1) / np.sqrt(np.sum(a * a, axis=1) * np.sum(b * b, axis=1) + 1e-9))
    )


def ridge(bits: Bits, target: Bits, penalty: float) -> Callable[[Bits], Bits]:
    """A decoder fitted by ridge regression in its dual form, (n, bits) to (n, 1024)."""
    mean = target.mean(axis=0)
    weights = np.linalg.solve(bits @ bits.T + penalty * np.eye(len(bits), dtype=np.float32), target - mean)
    inner = bits.T @ weights
    return lambda asked: asked @ inner + mean


def measure(train: Sequence[Picture], test: Sequence[Picture]) -> dict[str, Any]:
    """Correlation on the test photos for each kind of code."""
    training = [one for picture in train for one in variants(picture, CROPS_PER_PHOTO)]
    testing = [variants(picture, 1)[0] for picture in test]
    held_out = len(training) // CROPS_PER_PHOTO // 5 * CROPS_PER_PHOTO
    wanted, truth = np.stack([luma(one) for one in training]), np.stack([luma(one) for one in testing])
    sets: dict[str, Any] = {}
    for name, kind in KINDS.items():
        bits = np.stack([kind(one) for one in training])
        tried = {
            penalty: correlation(
                wanted[:held_out],
                ridge(bits[held_out:], wanted[held_out:], penalty * bits.shape[1] / 256)(bits[:held_out]),
            )
            for penalty in PENALTIES
        }
        best = max(tried, key=lambda penalty: tried[penalty])
        decoder = ridge(bits, wanted, best * bits.shape[1] / 256)
        guess = decoder(np.stack([kind(one) for one in testing]))
        sets[name] = {
            "bits": bits.shape[1],
            "correlation": round(correlation(truth, guess), 4),
            "penalty": best,
        }
    return {"train_pictures": len(training), "test_pictures": len(testing), "sets": sets}
