"""Does what Staydown's webhooks ordered: removes the post, then says that it is gone. Survives a restart."""

from __future__ import annotations

import asyncio
import logging
from urllib.parse import urlsplit

from forum.storage import Storage
from staydown.client import AsyncStaydown, ClientError, CopyInstruction

# How long to wait before trying again what did not work.
RETRY_SECONDS = 2.0
logger = logging.getLogger(__name__)


def post_id_of(copy: CopyInstruction) -> str:
    """The forum's own id of a copy: the one it gave to the check, or the last part of the address."""
    return copy.content_id or urlsplit(copy.content_url or "").path.rstrip("/").rsplit("/", 1)[-1]


class Removals:
    """Works through the ordered removals, one after another, until each is confirmed."""

    def __init__(self, storage: Storage, staydown: AsyncStaydown) -> None:
        self._storage = storage
        self._staydown = staydown
        self._wake = asyncio.Event()

    def order(self, copy_id: str) -> None:
        """Takes an order; it is on disk when this returns."""
        self._storage.order_removal(copy_id)
        self._wake.set()

    async def run(self) -> None:
        """Works until cancelled."""
        while True:
            self._wake.clear()  # before the work: an order that comes in meanwhile wakes us again
            if await self.work_once():
                await asyncio.sleep(RETRY_SECONDS)
            else:
                await self._wake.wait()

    async def work_once(self) -> int:
        """Tries every ordered removal once. Returns how many are left."""
        waiting = self._storage.removals_to_do()
        left = 0
        for copy_id in waiting:
            try:
                copy = await self._staydown.copy(copy_id)
                self._storage.remove(post_id_of(copy))
                await self._staydown.report_gone(copy_id)
            except ClientError as error:
                logger.warning("a removal is tried again later: %s", type(error).__name__)
                left += 1
            else:
                self._storage.removal_done(copy_id)
        return left
