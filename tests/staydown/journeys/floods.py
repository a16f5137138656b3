"""Uploads that come near an entry, as upload checks reported them."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta

from staydown.access.terms import Platform
from staydown.bank.operations import record_matches
from staydown.bank.queries import open_floods
from staydown.bank.rules import upload_mark
from staydown.bank.terms import Entry, Flood, SeenMatch
from staydown.journeys.guard_flood import guard_against_floods
from staydown.matching.terms import MatchKind

_checks = itertools.count(1)


def uploads_near(
    entry: Entry,
    platform: Platform,
    count: int,
    *,
    at: datetime,
    distance_bits: int = 28,
    kind: MatchKind = MatchKind.NEAR,
    files: str = "file",
    one_file: bool = False,
) -> None:
    """So many uploads within the half hour before `at`, each another file unless `one_file`."""

    def mark(number: int) -> str:
        name = f"{files} {0 if one_file else number}"
        return upload_mark(entry.id, sha256=name, content_id=None, check_id="")

    record_matches(
        SeenMatch(
            check_id=f"chk_near_{next(_checks)}",
            entry_id=entry.id,
            kind=kind,
            distance_bits=distance_bits,
            at=at - timedelta(seconds=1800 * number // count),
            platform_id=platform.id,
            upload=mark(number) if kind is MatchKind.NEAR else "",
        )
        for number in range(count)
    )


def a_flood(entry: Entry, platform: Platform, *, now: datetime, count: int = 80) -> Flood:
    """The entry after so many different uploads far from it, and what the guard made of it."""
    uploads_near(entry, platform, count, at=now)
    assert guard_against_floods(now=now) == 1
    return next(flood for flood in open_floods() if flood.entry_id == entry.id)
