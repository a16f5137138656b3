"""What operators and their programs look at: alive, ready, numbers, and a page in plain words.

Metrics and the page are for whoever has the scope "metrics". Refuses to tell of any upload, entry or
platform.
"""

from __future__ import annotations

from staydown.match_api.answers import Answer, json_answer
from staydown.match_api.call import Call
from staydown.match_api.callers import Callers
from staydown.match_api.checking import Checker
from staydown.match_api.decoding import MediaDecoder
from staydown.match_api.errors import Refused
from staydown.match_api.exposition import CONTENT_TYPE, Whole, exposition
from staydown.match_api.health_page import HEADERS, State, page
from staydown.match_api.meter import Meter


class Watching:
    """The four addresses; it changes nothing."""

    def __init__(self, callers: Callers, checker: Checker, decoder: MediaDecoder, meter: Meter) -> None:
        self._callers = callers
        self._checker = checker
        self._decoder = decoder
        self._meter = meter

    async def healthz(self, call: Call) -> Answer:
        """`GET /healthz`: the process is alive; nothing else is claimed."""
        return json_answer({"status": "alive"})

    async def readyz(self, call: Call) -> Answer:
        """`GET /readyz`: 200 when a check would be answered, otherwise 503 and what is missing.

        `videos` says by what videos are compared: "frames", or "digests" where PyAV is not installed;
        `isolation` whether decoding processes have no network: "network-namespace" or "none".
        """
        self._callers.check_readable()
        self._checker.check_ready()
        return json_answer(
            {
                "status": "ready",
                **self._checker.bank.counts(),
                "videos": self._decoder.compares_videos_by,
                "isolation": await self._decoder.isolation(),
            }
        )

    async def metrics(self, call: Call) -> Answer:
        """`GET /metrics`: the numbers of all processes of this installation on this machine."""
        self._callers.check_may_watch(call)
        bank = self._checker.bank
        text = exposition(
            Whole(self._meter.tally.all()),
            {**bank.counts(), **bank.layers(), "readable": float(bank.trouble is None)},
            isolation=await self._decoder.isolation(),
        )
        return Answer(200, text, CONTENT_TYPE)

    async def health(self, call: Call) -> Answer:
        """`GET /health`: the same for people. 503 if no check would be answered, with the same page."""
        self._callers.check_may_watch(call)
        trouble = self._trouble()
        state = State(
            trouble=trouble,
            bank={**self._checker.bank.counts(), **self._checker.bank.layers()},
            whole=Whole(self._meter.tally.all()),
            videos=self._decoder.compares_videos_by,
            isolation=await self._decoder.isolation(),
        )
        status = 200 if trouble is None else 503
        return Answer(status, page(state), b"text/html; charset=utf-8", HEADERS)

    def _trouble(self) -> str | None:
        try:
            self._callers.check_readable()
            self._checker.check_ready()
        except Refused as refused:
            return refused.problem.detail
        return None
