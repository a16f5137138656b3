"""What the forum does beside its pages: ordered removals, and checks that could not be made."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Protocol

# A removal should not wait long for a short outage; in a long one a try a minute is enough.
FIRST_RETRY_SECONDS = 2.0
LONGEST_RETRY_SECONDS = 60.0
logger = logging.getLogger(__name__)


class Duty(Protocol):
    """Something that may be left over, and is tried again."""

    async def work_once(self) -> int:
        """Tries everything once. Returns how much is left."""


class Duties:
    """Works whenever woken, and again after a while as long as something is left."""

    def __init__(self, duties: Sequence[Duty]) -> None:
        self._duties = duties
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Says that there is something to do."""
        self._woken.set()

    async def run(self) -> None:
        """Works until cancelled."""
        retry_seconds = FIRST_RETRY_SECONDS
        while True:
            self._woken.clear()  # before the work: what comes in meanwhile wakes us again
            left = sum([await self._try(duty) for duty in self._duties])
            try:
                await asyncio.wait_for(self._woken.wait(), retry_seconds if left else None)
                retry_seconds = FIRST_RETRY_SECONDS
            except TimeoutError:
                retry_seconds = min(retry_seconds * 2, LONGEST_RETRY_SECONDS)

    async def _try(self, duty: Duty) -> int:
        try:
            return await duty.work_once()
        except Exception:  # a full disk, a locked database: this task must outlive it
            logger.exception("something is tried again later")
            return 1
