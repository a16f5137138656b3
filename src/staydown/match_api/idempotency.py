"""The same request sent twice gets the same answer. Refuses a key that comes with another body.

Known: answers are kept in this process only. After a restart, or at another process, a repeated request is
checked again under a new check id; that only adds a second record of the same check.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from staydown.match_api.errors import Refused
from staydown.match_api.refusals import invalid_request, key_reused, unavailable
from staydown.match_api.terms import CheckAnswer

# As long as the longest identifiers in use (two UUIDs are 73 characters), short enough to keep thousands.
MAX_KEY_CHARACTERS = 200


@dataclass(slots=True)
class _Kept:
    request_digest: bytes
    answer: asyncio.Future[CheckAnswer]
    until: float


class AnswersKept:
    """Recent answers by token, route and key. For the event loop only."""

    def __init__(self, *, seconds: float, max_answers: int) -> None:
        self._seconds = seconds
        self._max_answers = max_answers
        self._kept: OrderedDict[tuple[str, str, str], _Kept] = OrderedDict()

    def __len__(self) -> int:
        """How many answers are kept, also those whose time is over."""
        return len(self._kept)

    async def once(
        self,
        key: str | None,
        *,
        token_digest: str,
        route: str,
        content: bytes,
        compute: Callable[[], Awaitable[CheckAnswer]],
    ) -> CheckAnswer:
        """The answer kept for this key, or what `compute` gives, which is then kept.

        `content` is what the request means, not its bytes: a form's boundary is another one each time. A
        refusal is told to those who wait for the same answer and not kept. Raises Refused.
        """
        if key is None:
            return await compute()
        if not key or len(key) > MAX_KEY_CHARACTERS or not (key.isascii() and key.isprintable()):
            raise invalid_request(
                f"An Idempotency-Key has 1 to {MAX_KEY_CHARACTERS} printable ASCII characters.",
                slug="idempotency-key-malformed",
            )
        place = (token_digest, route, key)
        request_digest = hashlib.sha256(content).digest()
        known = self._kept.get(place)
        if known is not None and known.until > time.monotonic():
            if known.request_digest != request_digest:
                raise key_reused()
            return await asyncio.shield(known.answer)
        return await self._compute(place, request_digest, compute)

    async def _compute(
        self,
        place: tuple[str, str, str],
        request_digest: bytes,
        compute: Callable[[], Awaitable[CheckAnswer]],
    ) -> CheckAnswer:
        answer: asyncio.Future[CheckAnswer] = asyncio.get_running_loop().create_future()
        kept = _Kept(request_digest, answer, until=time.monotonic() + self._seconds)
        self._kept[place] = kept
        self._kept.move_to_end(place)
        if len(self._kept) > self._max_answers:
            self._kept.popitem(last=False)
        try:
            result = await compute()
        except BaseException as error:
            if self._kept.get(place) is kept:
                del self._kept[place]
            told = error if isinstance(error, Refused) else _interrupted()
            answer.set_exception(told)
            answer.exception()  # nobody may be waiting for it
            raise
        answer.set_result(result)
        return result


def _interrupted() -> Refused:
    return unavailable(
        "interrupted", "The first request with this key was interrupted.", retry_after_seconds=1
    )
