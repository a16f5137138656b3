"""Asks Staydown about an upload before anybody sees it, and again later about what could not be checked."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from forum.intake import NotTakeable, Picture
from forum.storage import Post, Storage
from staydown.client import Action, AsyncStaydown, ClientError, RequestRefused

# Staydown's answers to a picture that it cannot read; all other refusals are about us, not about the picture.
_ABOUT_THE_PICTURE = (413, 415, 422)
_STRICTEST_LAST = (Action.ALLOW, Action.HOLD, Action.BLOCK)
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Verdict:
    """What to do with an upload; `unchecked` if nobody could be asked and it is held for that."""

    action: Action
    unchecked: bool = False


_NOBODY_ANSWERED = Verdict(Action.HOLD, unchecked=True)


class Checks:
    """What the forum asks Staydown."""

    def __init__(self, storage: Storage, staydown: AsyncStaydown, *, public_url: str) -> None:
        self._storage = storage
        self._staydown = staydown
        self._public_url = public_url

    async def of_upload(self, sent: bytes, picture: Picture, *, post_id: str) -> Verdict:
        """What to do with an upload. Raises NotTakeable if Staydown cannot read the picture.

        Where the published file is another than the sent one, both are asked about and the stricter answer
        holds: somebody may have registered the very file that is sent here, or one that was saved from our
        pages, and a digest fits only the one. Staydown catalogs what is published, under the post's id and
        address: the last question, so that what was blocked before is not catalogued as ours.
        """
        if picture.content != sent:
            first = await self._ask(sent, post_id=None)
            if first.action is Action.BLOCK or first.unchecked:
                return first
        else:
            first = Verdict(Action.ALLOW)
        shown = await self._ask(picture.content, post_id=post_id)
        if shown.unchecked:
            return shown
        return max(first, shown, key=lambda verdict: _STRICTEST_LAST.index(verdict.action))

    async def work_once(self) -> int:
        """Asks again about each post that waits only for the check. Returns how many still wait."""
        waiting = self._storage.unchecked()
        for done, post in enumerate(waiting):
            verdict = await self.of_held(post)
            if verdict.unchecked:
                return len(waiting) - done  # no use in asking about the others now
            if verdict.action is Action.ALLOW:
                self._storage.publish(post.id)
            elif verdict.action is Action.BLOCK:
                self._storage.remove(post.id)
            else:
                self._storage.leave_to_moderator(post.id)
        return 0

    async def of_held(self, post: Post) -> Verdict:
        """The answer about a post that is stored but was never checked."""
        try:
            content = (self._storage.media / post.file).read_bytes()
            return await self._ask(content, post_id=post.id)
        except (NotTakeable, OSError):
            return Verdict(Action.HOLD)

    async def _ask(self, content: bytes, *, post_id: str | None) -> Verdict:
        url = f"{self._public_url}/posts/{post_id}" if post_id else None
        try:
            result = await self._staydown.check(content, content_id=post_id, content_url=url)
        except RequestRefused as error:
            if error.problem.status in _ABOUT_THE_PICTURE:
                raise NotTakeable("That picture cannot be checked, so it cannot be posted.") from None
            logger.error("Staydown refuses our checks: %s", error)
            return _NOBODY_ANSWERED
        except ClientError as error:  # a wrong token, an answer that is not Staydown's
            logger.error("Staydown cannot be asked: %s", error)
            return _NOBODY_ANSWERED
        return Verdict(result.action, unchecked=result.degraded)
