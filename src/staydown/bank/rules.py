"""Pure rules of the bank: what confirms an entry, and which matches are a flood that pauses it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import blake2b

from staydown.bank.errors import FloodReasonDoesNotFit
from staydown.bank.terms import (
    Crowd,
    Entry,
    FloodAnswer,
    FloodDecision,
    FloodLimits,
    FloodReason,
    Order,
)
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


# --- floods

# What an entry is compared with: a week has the quiet hours of a night and the loud ones of a weekend.
BASELINE = timedelta(days=7)
HOUR = timedelta(hours=1)
# Matches are kept one by one as long as a baseline looks back, and some; then their number is all that stays.
MATCHES_KEPT = BASELINE + 2 * HOUR

# The others do nothing, so there is nothing to pause.
WATCHED = (EntryState.UNCONFIRMED, EntryState.CONFIRMED)
_REASONS = {
    FloodDecision.PUT_BACK: frozenset({FloodReason.COPIES_OF_IT, FloodReason.FLOOD_IS_OVER}),
    FloodDecision.KEEP_OUT: frozenset({FloodReason.FITS_MANY_PICTURES, FloodReason.MADE_TO_DISTURB}),
}


def upload_mark(entry_id: str, *, sha256: str | None, content_id: str | None, check_id: str) -> str:
    """16 hex digits that are the same for the same file and entry, so that a file counts once.

    Of what tells most: the file, else the platform's name of it, else the check. The entry's id keys it, so
    marks of different entries cannot be joined.
    """
    what = sha256 or content_id or check_id
    return blake2b(what.encode(), digest_size=8, key=entry_id.encode()[:64]).hexdigest()


def earlier_hours(counts: Mapping[datetime, int], *, created_at: datetime, now: datetime) -> tuple[int, ...]:
    """One number for each whole clock hour of the baseline, zeros included, none before the entry came.

    counts: different files near the entry, by the start of their clock hour (UTC). The last sixty minutes are
    left out: they are what is judged.
    """
    begin = max(created_at, now - BASELINE)
    hour = begin.replace(minute=0, second=0, microsecond=0) + HOUR
    found = []
    while hour + HOUR <= now - HOUR:
        found.append(counts.get(hour, 0))
        hour += HOUR
    return tuple(found)


def usual_near(earlier: Sequence[int]) -> int:
    """An entry's own busy hour: nine of ten earlier hours had no more. 0 without any.

    The ninth decile, not the mean: one burst does not lift it, and an entry that is met only in the evening
    has busy evenings as its usual, not the average with its nights.
    """
    ordered = sorted(earlier)
    return ordered[len(ordered) * 9 // 10] if ordered else 0


def judge_flood(crowd: Crowd, limits: FloodLimits) -> FloodAnswer | None:
    """Whether an entry has left its baseline, and what follows; None if it has not.

    Pausing an entry takes protection away from a person, so it needs all of this; otherwise people are told,
    and decide:

    - Enough different files, near and not exact, on one platform within an hour. `floor`: an unconfirmed
      entry holds each of them for a reviewer, who needs about a minute for one; at 60 an hour one person
      does nothing else. Exact matches never count: the same file is no mistake.
    - Several times what is usual for this very entry. `times`: ours, for want of a published one; HMA's users
      ask for "a multiple of the baseline" without a number (ThreatExchange issue 1994).
    - Most of them are probably of other pictures. A real picture that spreads is saved again and again: its
      copies are 4 bits away in the median, at a quarter of the size 18. Different pictures that a poor
      fingerprint catches lie far out: of 81 pairs of different figures and screens within 31 bits, 59 were
      beyond 16 (`far_bits`; docs/how-to/lift-a-quarantine.md).
    - Nobody has vouched for the entry: no reviewer confirmed it, and none has put it back before.

    After it was put back, an entry is looked at again only at twice the hour that a person has judged.
    """
    limit = max(limits.floor, limits.times * usual_near(crowd.earlier), 2 * (crowd.put_back_at_near or 0))
    if crowd.state not in WATCHED or crowd.near < limit:
        return None
    vouched = crowd.state is EntryState.CONFIRMED or crowd.put_back_at_near is not None
    if vouched or 2 * crowd.far <= crowd.near:
        return FloodAnswer.ALARM
    return FloodAnswer.QUARANTINE


def reasons_for(decision: FloodDecision) -> tuple[FloodReason, ...]:
    """The reasons that fit a decision, in the order in which they are offered."""
    return tuple(reason for reason in FloodReason if reason in _REASONS[decision])


def check_flood_reason(decision: FloodDecision, reason: FloodReason | None) -> FloodReason:
    """The reason, if it fits the decision. Raises FloodReasonDoesNotFit."""
    if reason is None or reason not in _REASONS[decision]:
        raise FloodReasonDoesNotFit
    return reason
