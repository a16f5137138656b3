"""Reads a request's body within its limits. Refuses what is too large before reading it all, and what comes
too slowly.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType

from staydown.match_api.call import Call
from staydown.match_api.errors import CallerGone
from staydown.match_api.refusals import busy, invalid_request, too_large, too_slow
from staydown.match_api.settings import MatchApiSettings


class HeldBytes:
    """How many bytes of bodies are in memory, over all requests. For the event loop only."""

    def __init__(self, *, limit: int) -> None:
        self._limit = limit
        self.held = 0

    def hold(self, size: int) -> bool:
        """Whether there was room."""
        if self.held + size > self._limit:
            return False
        self.held += size
        return True

    def release(self, size: int) -> None:
        """Gives room back."""
        self.held -= size


class BodyReader:
    """Reads one body; what it read counts as held until the `with` block ends."""

    def __init__(self, call: Call, *, settings: MatchApiSettings, held: HeldBytes) -> None:
        self._call = call
        self._settings = settings
        self._held = held
        self._own = 0

    def __enter__(self) -> BodyReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._held.release(self._own)

    async def whole(self, what: str, *, max_bytes: int) -> bytes:
        """The body at once. Raises Refused."""
        body = bytearray()
        await self.pieces(body.extend, what, max_bytes=max_bytes)
        return bytes(body)

    async def pieces(self, take: Callable[[bytes], None], what: str, *, max_bytes: int) -> None:
        """Hands each piece of the body to `take` as it comes.

        Raises Refused, CallerGone, and what `take` raises.
        """
        self._check_announced(what, max_bytes=max_bytes)
        try:
            async with asyncio.timeout(self._settings.body_seconds):
                more = True
                while more:
                    message = await self._call.receive()
                    if message["type"] != "http.request":
                        raise CallerGone
                    piece, more = message.get("body", b""), message.get("more_body", False)
                    self.count(len(piece), what, max_bytes=max_bytes)
                    take(piece)
        except TimeoutError:
            raise too_slow(self._settings.body_seconds) from None

    def _check_announced(self, what: str, *, max_bytes: int) -> None:
        announced = self._call.header(b"content-length")
        if announced is None:
            return
        if not (announced.isascii() and announced.isdigit()):
            raise invalid_request("Content-Length must be a number.")
        if len(announced) > 18 or int(announced) > max_bytes:
            raise too_large(what, max_bytes=max_bytes)

    def count(self, size: int, what: str, *, max_bytes: int) -> None:
        """Counts a piece that is about to be kept. Raises Refused if it is one too many."""
        if self._own + size > max_bytes:
            raise too_large(what, max_bytes=max_bytes)
        if not self._held.hold(size):
            raise busy(
                "Too many large uploads are being checked; try again shortly.",
                retry_after_seconds=self._settings.retry_after_seconds,
            )
        self._own += size
