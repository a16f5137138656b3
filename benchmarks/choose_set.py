"""Chooses which crops are registered: greedy, on the training half of the photos only, against geo9 queries.

`python -m benchmarks.choose_set` prints what it found; with `--write` it replaces crops32 and crops64 in
data/fingerprint/derivations.json. Candidates are what views.py can name: crops and turns. Views with borders
or rotated corners are not among them, however much they would find, because they give the picture away.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from benchmarks import codes, corpus, edits, packages, recall
from benchmarks.codes import TURNS, VIEWS, Registered, Uploads
from benchmarks.corpus import Picture
from benchmarks.recall import THRESHOLD_BITS
from staydown.fingerprint import MIN_QUALITY, QueryLevel

FILE = packages.ROOT / "data" / "fingerprint" / "derivations.json"
# Always registered: the whole in the turns that people make. Free in a bank of any size that matters.
ALWAYS = ("full", "fH", "r90", "r180", "r270", "fV")
# Three uploads a photo and family are too few to place a grid of crops: where parameters are what the set
# must cover, so many more are drawn of each training photo, at a size that makes them quick.
DRAWN = (
    "crop centred", "crop one side", "crop two opposite sides", "crop to aspect, centred",
    "crop to aspect, offset", "flip and crop",
)  # fmt: skip
DRAWS = 12
DRAWN_LONGEST = 560
# The crop-only list of an earlier study with other photos, which stands unless ours is clearly better.
PUBLISHED = (
    "full", "cc98~fH", "cc88~fH", "r270", "r90", "r180", "tb-13", "cc94~fH", "as4:5", "as1:1", "as4:3",
    "as9:16", "tb-25", "cc90", "as3:4", "cc74", "cc82", "as3:2", "cc62", "fH", "cc70", "cc96", "lr-19",
    "cc58",
    "cc66", "tb-31", "cc78", "lr-10", "lr-31", "cc86", "tb-37", "fV",
)  # fmt: skip
# A list of our own replaces the published one only if it is better on photos that chose neither, in all but
# this part of the samples drawn from them.
DOUBT = 0.025
SAMPLES = 2000

Matched = npt.NDArray[np.bool_]


def crop_draws(picture: Picture) -> Uploads:
    """Plain query codes of further uploads of a training photo, in the families that a set must cover."""
    pixels = corpus.pixels_of(picture, longest=DRAWN_LONGEST)
    held: list[tuple[codes.Codes, npt.NDArray[np.int16]]] = []
    families = [family for family in DRAWN for _ in range(DRAWS)]
    for place, family in enumerate(families):
        jpeg = edits.upload(pixels, picture.identity, family, 1000 + place).jpeg
        held.append(codes.query_codes(jpeg, level=QueryLevel.PLAIN))
    return Uploads(picture, tuple(families), np.stack([c for c, _ in held]), np.stack([q for _, q in held]))


def candidate_names() -> list[str]:
    """Every view in every turn, in the order of `matched`."""
    return [_name(view, turn) for view in VIEWS for turn in TURNS]


def _name(view: str, turn: str) -> str:
    if view == "full":
        return turn
    return view if turn == "full" else f"{view}~{turn}"


def matched(photo: Registered, uploads: Uploads, level: str = "geo9") -> Matched:
    """(uploads, candidates): whether the upload comes within the threshold of that code of its own photo."""
    usable = np.repeat(photo.quality >= MIN_QUALITY, len(TURNS))
    sought = uploads.sought(level)
    sought[:, 1] = False
    near = np.zeros((len(sought), len(usable)), bool)
    bank = photo.codes.reshape(-1, 32)
    for place in np.flatnonzero(sought.any(axis=0)):
        within = recall.distances(uploads.codes[:, place], bank) <= THRESHOLD_BITS
        near |= within & sought[:, place, None]
    return near & usable


def weights(families: npt.NDArray[np.str_]) -> npt.NDArray[np.float64]:
    """Weight of each upload, so that all families together weigh 1 and each the same."""
    names, number, counts = np.unique(families, return_inverse=True, return_counts=True)
    return 1 / (len(names) * counts[number])


def greedy(found: Matched, weight: npt.NDArray[np.float64], begin: Sequence[int], size: int) -> list[int]:
    """Candidates by how much recall each adds to those before it, starting from `begin`."""
    chosen = list(begin)
    covered = found[:, chosen].any(axis=1)
    while len(chosen) < size:
        gain = (weight * ~covered) @ found
        gain[chosen] = -1
        best = int(np.argmax(gain))
        chosen.append(best)
        covered |= found[:, best]
    return chosen


def recall_of(found: Matched, weight: npt.NDArray[np.float64], chosen: Sequence[int]) -> float:
    """The mean recall over families with these candidates."""
    return float(weight @ found[:, list(chosen)].any(axis=1))


def difference(
    parts: Sequence[Matched],
    families: Sequence[npt.NDArray[np.str_]],
    one: Sequence[int],
    other: Sequence[int],
) -> tuple[float, float]:
    """How much more recall `one` has than `other` here, and the least in all but DOUBT of samples."""
    names = np.unique(np.concatenate(families))
    gains, counts = np.zeros((len(parts), len(names))), np.zeros((len(parts), len(names)))
    for row, (found, family) in enumerate(zip(parts, families, strict=True)):
        better = found[:, list(one)].any(axis=1).astype(float) - found[:, list(other)].any(axis=1)
        for column, name in enumerate(names):
            gains[row, column], counts[row, column] = better[family == name].sum(), np.sum(family == name)
    rng = np.random.default_rng(1)
    drawn = rng.integers(0, len(parts), (SAMPLES, len(parts)))
    samples = (gains[drawn].sum(axis=1) / counts[drawn].sum(axis=1)).mean(axis=1)
    return float((gains.sum(axis=0) / counts.sum(axis=0)).mean()), float(np.quantile(samples, DOUBT))


def main() -> None:
    """Choose on two thirds of the training photos, compare on the last third, then choose on all of them."""
    train = corpus.pictures("photo", "train")
    photos, uploads = codes.all_registered(train), codes.all_uploads(train)
    names = candidate_names()
    draws = codes.all_of(crop_draws, train, "draws")
    parts, families = [], []
    for photo, *both in zip(photos, uploads, draws, strict=True):
        parts.append(np.concatenate([matched(photo, made) for made in both]))
        families.append(np.array([family for made in both for family in made.families]))
    always = [names.index(name) for name in ALWAYS]
    published = [names.index(name) for name in PUBLISHED]

    validation = [place % 3 == 2 for place in range(len(parts))]
    choosing = np.concatenate([part for part, held in zip(parts, validation, strict=True) if not held])
    choosing_weight = weights(
        np.concatenate([part for part, held in zip(families, validation, strict=True) if not held])
    )
    checking = np.concatenate([part for part, held in zip(parts, validation, strict=True) if held])
    checking_weight = weights(
        np.concatenate([part for part, held in zip(families, validation, strict=True) if held])
    )
    own = greedy(choosing, choosing_weight, always, 64)
    extended = greedy(choosing, choosing_weight, published, 64)
    for label, chosen in (
        ("published 32", published),
        ("own 32", own[:32]),
        ("published 32 extended to 64", extended),
        ("own 64", own),
    ):
        print(
            f"{label}: {recall_of(choosing, choosing_weight, chosen):.4f} where chosen,"
            f" {recall_of(checking, checking_weight, chosen):.4f} on validation"
        )
    held_out = [place for place, held in enumerate(validation) if held]
    gain, least = difference(
        [parts[place] for place in held_out], [families[place] for place in held_out], own[:32], published
    )
    is_clear = least > 0
    everything, every_weight = np.concatenate(parts), weights(np.concatenate(families))
    begin = greedy(everything, every_weight, always, 32) if is_clear else published
    final = [names[place] for place in greedy(everything, every_weight, begin, 64)]
    print(
        f"first 32: {'own' if is_clear else 'published'} list (validation {gain:+.4f}, at least {least:+.4f})"
    )
    print(json.dumps(final))
    if "--write" in sys.argv[1:]:
        _write(final)


def _write(final: Sequence[str]) -> None:
    held = json.loads(FILE.read_text())
    held["sets"]["crops32"]["pdq"] = list(final[:32])
    held["sets"]["crops64"]["pdq"] = list(final)
    text = json.dumps(held, indent=2, ensure_ascii=False)
    # One line for each list: shorter to read, and a change shows as one line.
    for set_ in held["sets"].values():
        for names in set_.values():
            text = text.replace(json.dumps(names, indent=2).replace("\n", "\n      "), json.dumps(names))
    FILE.write_text(text + "\n")


if __name__ == "__main__":
    main()
