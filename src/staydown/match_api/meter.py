"""What is counted of the upload check, and where each number stands in the tally. Refuses to know any name,
address, code or platform: its labels are words of this source alone.
"""

from __future__ import annotations

import os
from bisect import bisect_left
from enum import StrEnum
from itertools import product
from pathlib import Path

from staydown.fingerprint.errors import REFUSALS, NotFingerprintable
from staydown.match_api.tally import Tally
from staydown.matching import Action


class Door(StrEnum):
    """Which call a check came by."""

    CHECK = "check"
    GATE = "gate"
    BATCH = "batch"


class SentBy(StrEnum):
    """What a check was asked with: fingerprints, the media itself, or its address."""

    FINGERPRINTS = "fingerprints"
    MEDIA = "media"
    URL = "url"


class Wish(StrEnum):
    """What a caller wants to hear when a check cannot be made."""

    ALLOW = "allow"
    HOLD = "hold"


OTHER = "other"
# Why an answer may be degraded: every slug of a 429 or a 503 after the caller is known.
REASONS = (
    "busy",
    "bank-missing",
    "bank-unreadable",
    "check-not-recorded",
    "sandbox-unavailable",
    "interrupted",
    OTHER,
)
# Every slug of a problem of this door. A label must not grow with what is sent, so others count as "other".
_OF_THIS_DOOR = (
    *REASONS,
    *(
        "batch-empty",
        "body-too-large",
        "body-too-slow",
        "idempotency-key-malformed",
        "idempotency-key-reused",
    ),
    *("internal-error", "invalid-request", "malformed-form", "malformed-json", "media-missing"),
    *("method-not-allowed", "not-found", "nothing-to-check", "scope-missing", "several-media"),
    *("tokens-missing", "tokens-unreadable", "too-many-lines", "too-many-parts", "unauthenticated"),
    *("unsupported-media-type", "wish-unknown"),
    *("fetch-off", "fetch-host-not-allowed", "fetch-address-refused", "fetch-failed", "fetch-too-slow"),
)
SLUGS = tuple(
    dict.fromkeys((*_OF_THIS_DOOR, NotFingerprintable.slug, *(error.slug for error in REFUSALS.values())))
)
# Seconds. A lookup by fingerprints takes some hundred microseconds, a picture some tens of milliseconds, a
# video up to half a minute.
BUCKETS = (
    *(0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05),
    *(0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0),
)
POOLS = ("pictures", "videos")
POOL_STATES = ("busy", "waiting")
POOL_EVENTS = ("started", "timed_out", "crashed", "full")

CHECKS = tuple(product(Door, SentBy, Action))
NAMES = (
    *(f"checks {door} {by} {action}" for door, by, action in CHECKS),
    *(f"took {by} {place}" for by in SentBy for place in range(len(BUCKETS) + 1)),
    *(f"seconds {by}" for by in SentBy),
    *(f"degraded {reason} {wish}" for reason in REASONS for wish in Wish),
    *(f"refused {slug}" for slug in SLUGS),
    *(f"pool {pool} {name}" for pool in POOLS for name in (*POOL_STATES, *POOL_EVENTS)),
    "lag_seconds",
    "process_id",
)
INDEX = {name: place for place, name in enumerate(NAMES)}


class Meter:
    """This process's counts. A check costs three additions; for one thread, the event loop."""

    def __init__(self, data_dir: Path) -> None:
        self.tally = Tally(data_dir / "metrics", NAMES)
        self._values = self.tally.values
        self._checks = {key: INDEX["checks {} {} {}".format(*key)] for key in CHECKS}
        self._took = {by: (INDEX[f"took {by} 0"], INDEX[f"seconds {by}"]) for by in SentBy}
        for name in ("lag_seconds", *(f"pool {pool} {state}" for pool in POOLS for state in POOL_STATES)):
            self.put(name, 0)  # what the last process here left was its own state
        self.put("process_id", os.getpid())

    def close(self) -> None:
        """Gives this process's place in the tally free."""
        self.tally.close()

    def checked(self, door: Door, by: SentBy, action: Action) -> None:
        """A check was answered."""
        self._values[self._checks[door, by, action]] += 1

    def took(self, by: SentBy, seconds: float) -> None:
        """For how long a call was in work, from its headers to its answer."""
        first, total = self._took[by]
        self._values[first + bisect_left(BUCKETS, seconds)] += 1
        self._values[total] += seconds

    def degraded(self, reason: str, wish: Wish) -> None:
        """A check was not made, and the caller's wish was the answer."""
        self.add(f"degraded {reason if reason in REASONS else OTHER} {wish}")

    def refused(self, slug: str) -> None:
        """A call was answered with a problem."""
        self.add(f"refused {slug}" if f"refused {slug}" in INDEX else f"refused {OTHER}")

    def add(self, name: str, amount: float = 1) -> None:
        """Adds to the number of this name."""
        self._values[INDEX[name]] += amount

    def put(self, name: str, value: float) -> None:
        """Sets the number of this name."""
        self._values[INDEX[name]] = value
