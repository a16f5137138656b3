"""Pure rules of the bank: what confirms an entry, and what brings it out of the match."""

from __future__ import annotations

from staydown.bank.terms import Entry, Order
from staydown.fingerprint import Algorithm, Digests, Fingerprint, distance_bits
from staydown.matching import DEFAULT_THRESHOLD_BITS
from staydown.matching.terms import EntryState


def is_exact(one: Digests, other: Digests) -> bool:
    """Whether two digests name the same file."""
    return bool(one.sha256) and one.sha256 == other.sha256


def nearest_bits(one: tuple[Fingerprint, ...], other: tuple[Fingerprint, ...]) -> int | None:
    """The smallest distance between two pictures' codes of the same algorithm; None if none can be compared.

    Only the whole, unturned view of `one` is compared with every view of `other`.
    """
    distances = [
        distance_bits(left, right)
        for algorithm in Algorithm
        for left in one
        if left.algorithm is algorithm and left.derivation == "full"
        for right in other
        if right.algorithm is algorithm
    ]
    return min(distances, default=None)


def codes_for_partners(entry: Entry, *, order: Order) -> tuple[Fingerprint, ...]:
    """The codes of an entry as they leave for partners: shuffled, unlabelled, each once.

    order: a source of randomness that nobody outside can guess (``random.SystemRandom()``). Which code is the
    whole picture's, and which crop each other one is, would help a decoder to recover the picture; partners
    need neither to match. So all are called "pdq" and "full", and each has the lowest quality of all: theirs
    differ from crop to crop. What stays: that they belong together, and which of them resemble each other.
    Source: docs/explanation/what-a-fingerprint-can-leak.md.
    """
    # Sorted first: the order in which they were stored must not shine through a poor source of randomness.
    codes = sorted({fingerprint.code for fingerprint in entry.fingerprints})
    order.shuffle(codes)
    lowest = min((fingerprint.quality for fingerprint in entry.fingerprints), default=0)
    return tuple(Fingerprint(Algorithm.PDQ, code, lowest) for code in codes)


def is_confirmed_by_removal(
    entry: Entry, *, digests: Digests, fingerprints: tuple[Fingerprint, ...], own_case: bool
) -> bool:
    """Whether removing a picture confirms this entry.

    The same file always does. A near picture does only for entries of the requester's own case: their
    request says whose picture it is; a stranger's entry is another person's claim that nobody looked at.
    """
    if entry.state is not EntryState.UNCONFIRMED:
        return False
    if is_exact(entry.digests, digests):
        return True
    nearest = nearest_bits(fingerprints, entry.fingerprints)
    return own_case and nearest is not None and nearest <= DEFAULT_THRESHOLD_BITS
