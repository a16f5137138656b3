"""What is due is a column or a file position; each sweep looks there and does it.

Every sweep may be killed at any instant and may run twice at once: what it does is idempotent or claimed by a
conditional UPDATE. A sweep that fails is logged and tried again; it never stops the others.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import close_old_connections

from staydown.jobs.deliveries import deliver_due
from staydown.journeys.guard_flood import guard_against_floods
from staydown.journeys.housekeeping import count_old_matches, forget_what_is_old
from staydown.journeys.publish_edge import publish_edge
from staydown.journeys.publishing import fold_bank, publish_bank, publish_tokens
from staydown.journeys.record_checks import delete_read_checks, record_checks

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Sweep:
    """Something to look after, and how often."""

    name: str
    every_seconds: float
    work: Callable[[], object]
    may_take_minutes: bool = False
    """It then has a thread of its own, and no other sweep waits for it."""


# Publishing is done at each commit; the sweep catches what a killed process left behind, well inside the
# second that a withdrawal may take. Checks and deliveries are what people wait for in front of a screen.
SWEEPS = (
    Sweep("publish the bank", 0.25, publish_bank),
    Sweep("record upload checks", 0.25, record_checks),
    Sweep("deliver webhooks", 0.25, deliver_due),
    Sweep("fold the bank", 20, lambda: fold_bank(now=datetime.now(UTC)), may_take_minutes=True),
    # A flood of one a second needs a minute to reach the floor, so five seconds more are little; the question
    # reads the near matches of the last hour and no others.
    Sweep("guard against floods", 5, lambda: guard_against_floods(now=datetime.now(UTC))),
    Sweep("count old matches", 600, lambda: count_old_matches(now=datetime.now(UTC)), may_take_minutes=True),
    Sweep("delete read check journals", 60, delete_read_checks),
    Sweep("publish tokens", 30, lambda: publish_tokens(now=datetime.now(UTC))),
    Sweep("publish the edge bank", 60, lambda: publish_edge(now=datetime.now(UTC)), may_take_minutes=True),
    Sweep("forget what is old", 600, lambda: forget_what_is_old(now=datetime.now(UTC))),
)
# Each claims what it sends by a conditional UPDATE, so that more threads never send the same twice.
DELIVERY_THREADS = 4


def run(stop: threading.Event, *, parent_is_alive: Callable[[], bool]) -> None:
    """Runs every sweep when it is due, until `stop` is set or the parent is gone.

    Deliveries have threads of their own: a platform that answers slowly delays nothing else, and other
    platforms only when there are as many slow ones as threads.
    """
    deliveries = [row for row in SWEEPS if row.work is deliver_due]
    others = [row for row in SWEEPS if row.work is not deliver_due]
    long_ones = [[row] for row in others if row.may_take_minutes]
    short_ones = [row for row in others if not row.may_take_minutes]
    groups = [*([deliveries] * DELIVERY_THREADS), *long_ones, *([short_ones] if short_ones else [])]
    threads = [
        threading.Thread(target=_keep_sweeping, args=(group, stop), name=group[0].name, daemon=True)
        for group in groups
    ]
    for thread in threads:
        thread.start()
    while parent_is_alive() and not stop.wait(0.5):
        pass
    stop.set()
    for thread in threads:
        thread.join(timeout=25)


def _keep_sweeping(sweeps: list[Sweep], stop: threading.Event) -> None:
    due = {sweep.name: 0.0 for sweep in sweeps}
    while not stop.is_set():
        for sweep in sweeps:
            if time.monotonic() >= due[sweep.name]:
                due[sweep.name] = time.monotonic() + sweep.every_seconds
                _sweep_once(sweep)
        stop.wait(0.1)


def _sweep_once(sweep: Sweep) -> None:
    close_old_connections()
    try:
        sweep.work()
    except Exception:
        logger.exception("the sweep %r failed and will be tried again", sweep.name)
