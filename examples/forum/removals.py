"""Does what Staydown's webhooks ordered: removes the post, then says that it is gone. Survives a restart.

It asks Staydown again before it removes anything, and never says gone of an address it does not understand.
"""

from __future__ import annotations

import asyncio
import logging
from urllib.parse import urlsplit

from forum.storage import Storage
from staydown.client import AsyncStaydown, ClientError, CopyInstruction, RequestRefused, Unreachable

# A copy in a state that a newer Staydown knows and we don't is left alone.
_STATES_TO_REMOVE = {"pending", "instructed", "gone", "failed"}
logger = logging.getLogger(__name__)


class NotOurs(Exception):
    """The copy has no id of ours, and its address is not one of our posts."""


def post_id_of(copy: CopyInstruction, *, public_url: str) -> str:
    """The forum's own id of a copy: the one it gave to the check, or the one in the address. Raises NotOurs.

    People report the page or the picture itself: PUBLIC_URL/posts/ID, /media/ID, /media/ID/small.
    """
    if copy.content_id:
        return copy.content_id
    ours, theirs = urlsplit(public_url), urlsplit(copy.content_url or "")
    parts = theirs.path.removeprefix(ours.path).strip("/").split("/")
    if theirs.netloc.lower() != ours.netloc.lower() or len(parts) < 2 or parts[0] not in ("posts", "media"):
        raise NotOurs
    return parts[1]


class Removals:
    """Works through the ordered removals, one after another, until each is confirmed."""

    def __init__(self, storage: Storage, staydown: AsyncStaydown, *, public_url: str) -> None:
        self._storage = storage
        self._staydown = staydown
        self._public_url = public_url

    async def work_once(self) -> int:
        """Tries every ordered removal once. Returns how many are left."""
        waiting = self._storage.removals_to_do()
        left = 0
        for tried, copy_id in enumerate(waiting):
            try:
                await self._remove(copy_id)
            except Unreachable:
                logger.warning("Staydown is not reachable; removals go on later")
                return left + len(waiting) - tried
            except (ClientError, OSError) as error:
                logger.warning("the removal of %s is tried again later: %s", copy_id, type(error).__name__)
                left += 1
            else:
                self._storage.removal_done(copy_id)
        return left

    async def _remove(self, copy_id: str) -> None:
        """Removes one copy and confirms it; or logs why there is nothing to do."""
        try:
            copy = await self._staydown.copy(copy_id)
            post_id = post_id_of(copy, public_url=self._public_url)
        except RequestRefused as error:
            if error.problem.status != 404:
                raise
            logger.warning("Staydown no longer knows the copy %s; nothing is removed", copy_id)
            return
        except NotOurs:
            # Not confirmed: Staydown's people see that, and ask.
            logger.error("the copy %s is at no address of ours; a person has to look at it", copy_id)
            return
        if copy.state not in _STATES_TO_REMOVE:
            logger.warning("the copy %s is %s; nothing is removed", copy_id, copy.state)
            return
        await asyncio.to_thread(self._storage.remove, post_id)
        await self._staydown.report_gone(copy_id)
