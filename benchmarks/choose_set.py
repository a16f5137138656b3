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

from benchmarks import codes, corpus, packages, recall
from benchmarks.codes import TURNS, VIEWS, Registered, Uploads
from benchmarks.recall import THRESHOLD_BITS
from staydown.fingerprint import DERIVATION_SETS, MIN_QUALITY, Algorithm

FILE = packages.ROOT / "data" / "fingerprint" / "derivations.json"
# Always registered: the whole in the turns that people make. Free in a bank of any size that matters.
ALWAYS = ("full", "fH", "r90", "r180", "r270", "fV")
# A list of our own must beat the published one by this much on photos that did not choose it; the sampling
# error of such a difference is about half of it.
CLEARLY_BETTER = 0.01

Matched = npt.NDArray[np.bool_]


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


def main() -> None:
    """Choose on two thirds of the training photos, compare on the last third, then choose on all of them."""
    train = corpus.pictures("photo", "train")
    photos, uploads = codes.all_registered(train), codes.all_uploads(train)
    names = candidate_names()
    parts = [matched(photo, made) for photo, made in zip(photos, uploads, strict=True)]
    families = [np.array(made.families) for made in uploads]
    always = [names.index(name) for name in ALWAYS]
    published = [names.index(name) for name in DERIVATION_SETS["crops32"].derivations[Algorithm.PDQ]]

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
    gain = recall_of(checking, checking_weight, own[:32]) - recall_of(checking, checking_weight, published)
    everything, every_weight = np.concatenate(parts), weights(np.concatenate(families))
    begin = greedy(everything, every_weight, always, 32) if gain >= CLEARLY_BETTER else published
    final = [names[place] for place in greedy(everything, every_weight, begin, 64)]
    print(f"first 32: {'own' if gain >= CLEARLY_BETTER else 'published'} list (validation {gain:+.4f})")
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
