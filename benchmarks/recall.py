"""Counts which uploads a bank would find, with the uncertainty of such counts, and what strangers come close.

Pure arithmetic on arrays of codes; it fetches and edits nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.codes import TURNS, VIEWS, Codes, Registered, Uploads
from staydown.fingerprint import MIN_QUALITY
from staydown.fingerprint.views import split_derivation

# Hits of PDQ: the published threshold of the PDQ paper and of every exchange (hashing.pdf, section 6).
THRESHOLD_BITS = 31


@dataclass(frozen=True)
class Tally:
    """How many of how many uploads were found."""

    found: int
    of: int

    @property
    def share(self) -> float:
        return self.found / self.of

    def interval(self) -> tuple[float, float]:
        """The 95 % interval of Wilson (1927), which also holds near 0 and 1."""
        return wilson(self.found, self.of)

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.found + other.found, self.of + other.of)


def wilson(found: int, of: int, *, z: float = 1.959964) -> tuple[float, float]:
    """Wilson's score interval of a share."""
    share, z2 = found / of, z * z
    middle = (share + z2 / (2 * of)) / (1 + z2 / of)
    reach = z / (1 + z2 / of) * ((share * (1 - share) / of + z2 / (4 * of * of)) ** 0.5)
    return max(0.0, middle - reach), min(1.0, middle + reach)


def distances(one: Codes, other: Codes) -> npt.NDArray[np.uint16]:
    """Bits between every code of one, (..., n, 32), and every code of the other, (m, 32): (..., n, m)."""
    left = np.ascontiguousarray(one).view(np.uint64)
    right = np.ascontiguousarray(other).view(np.uint64)
    total = np.zeros((*left.shape[:-1], len(right)), np.uint16)
    for word in range(4):
        total += np.bitwise_count(left[..., None, word] ^ right[:, word])
    return total


def places_of(derivations: Iterable[str]) -> list[tuple[int, int]]:
    """Where these derivations stand in Registered.codes: (view, turn)."""
    return [
        (VIEWS.index(view), TURNS.index(turn))
        for view, turn in (split_derivation(name) for name in derivations)
    ]


def bank_of(photo: Registered, derivations: Iterable[str]) -> Codes:
    """The codes that are registered of a photo: (n, 32), those of too little detail left out."""
    places = [place for place in places_of(derivations) if photo.quality[place[0]] >= MIN_QUALITY]
    return photo.codes[[view for view, _ in places], [turn for _, turn in places]].reshape(-1, 32)


def found_uploads(
    photo: Registered, uploads: Uploads, derivations: Sequence[str], level: str
) -> npt.NDArray[np.bool_]:
    """(uploads,): whether the upload comes within the threshold of its own photo."""
    bank = bank_of(photo, derivations)
    sought = uploads.sought(level)
    of_512 = np.zeros(sought.shape[1], bool)
    of_512[1] = True
    found = np.zeros(len(sought), bool)
    if len(bank):
        near = distances(uploads.codes, bank).min(axis=2) <= THRESHOLD_BITS
        found |= (near & sought & ~of_512).any(axis=1)
    if photo.quality512 >= MIN_QUALITY and level != "plain":
        near = distances(uploads.codes, photo.code512[:1])[..., 0] <= THRESHOLD_BITS
        found |= (near & sought & of_512).any(axis=1)
    return found


def tallies(
    photos: Sequence[Registered], uploads: Sequence[Uploads], derivations: Sequence[str], level: str
) -> dict[str, Tally]:
    """Found and made uploads of each family."""
    counted: dict[str, Tally] = {}
    for photo, made in zip(photos, uploads, strict=True):
        for family, hit in zip(made.families, found_uploads(photo, made, derivations, level), strict=True):
            counted[family] = counted.get(family, Tally(0, 0)) + Tally(int(hit), 1)
    return counted


def mean_recall(counted: dict[str, Tally]) -> float:
    """The mean over families, each with the same weight."""
    return float(np.mean([tally.share for tally in counted.values()]))


def mean_interval(
    photos: Sequence[Registered],
    uploads: Sequence[Uploads],
    derivations: Sequence[str],
    level: str,
    *,
    draws: int = 1000,
) -> tuple[float, float]:
    """The 95 % interval of `mean_recall` by drawing photos with replacement, uploads with them."""
    families = sorted(set(uploads[0].families))
    shares = np.zeros((len(photos), len(families)))
    for row, (photo, made) in enumerate(zip(photos, uploads, strict=True)):
        hits = found_uploads(photo, made, derivations, level)
        named = np.array(made.families)
        shares[row] = [hits[named == family].mean() for family in families]
    rng = np.random.default_rng(1)
    means = [shares[rng.integers(0, len(shares), len(shares))].mean() for _ in range(draws)]
    low, high = np.percentile(means, (2.5, 97.5))
    return float(low), float(high)


@dataclass
class Strangers:
    """Distances between uploads and the photos that they were not made of."""

    histogram: npt.NDArray[np.int64]
    """(257,): how many comparisons gave this distance."""
    closest: list[tuple[int, str, str]]
    """Distance, upload's owner and photo, of pairs at or below a limit, the closest first."""

    @property
    def comparisons(self) -> int:
        return int(self.histogram.sum())

    @property
    def least(self) -> int:
        return int(np.flatnonzero(self.histogram)[0])

    def within(self, bits: int) -> int:
        """How many comparisons gave at most so many bits."""
        return int(self.histogram[: bits + 1].sum())


def strangers(
    codes: Codes,
    owners: Sequence[str],
    bank: Codes,
    bank_owners: Sequence[str],
    *,
    list_within: int = 40,
    block: int = 64,
) -> Strangers:
    """Every code (n, 32) against every code of the bank (m, 32) that has another owner."""
    histogram = np.zeros(258, np.int64)
    closest: dict[tuple[str, str], int] = {}
    numbers = {owner: number for number, owner in enumerate(dict.fromkeys([*owners, *bank_owners]))}
    mine = np.array([numbers[owner] for owner in owners])
    theirs = np.array([numbers[owner] for owner in bank_owners])
    for start in range(0, len(codes), block):
        found = distances(codes[start : start + block], bank)
        found[mine[start : start + block, None] == theirs[None, :]] = 257
        histogram += np.bincount(found.ravel(), minlength=258)
        for row, column in np.argwhere(found <= list_within):
            pair = owners[start + row], bank_owners[column]
            closest[pair] = min(closest.get(pair, 257), int(found[row, column]))
    return Strangers(histogram[:257], sorted((bits, *pair) for pair, bits in closest.items()))
