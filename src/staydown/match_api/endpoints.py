"""The endpoints: each identifies the caller, reads, checks once, answers.

Refuses to pass over a failure in silence: what is answered by a caller's wish says so, and is counted.
"""

from __future__ import annotations

import asyncio
from time import perf_counter

import msgspec

from staydown.match_api.answers import Answer, header_pairs, json_answer, log_defect, problem_bytes
from staydown.match_api.body import BodyReader, HeldBytes
from staydown.match_api.call import Call
from staydown.match_api.callers import FINGERPRINT, Caller, Callers
from staydown.match_api.checking import Checker
from staydown.match_api.decoding import MediaDecoder
from staydown.match_api.errors import Refused
from staydown.match_api.fetching import MediaFetcher
from staydown.match_api.idempotency import AnswersKept
from staydown.match_api.intake import Intake, upload_of_media
from staydown.match_api.meter import Door, Meter, SentBy, Wish
from staydown.match_api.reading import upload_of_json
from staydown.match_api.refusals import (
    defect,
    invalid_request,
    not_processable,
    too_many_lines,
    unsupported_type,
    wish_unknown,
)
from staydown.match_api.settings import MatchApiSettings
from staydown.match_api.terms import CheckAnswer, DegradedAnswer, FingerprintAnswer, sent_form
from staydown.match_api.watching import Watching
from staydown.matching import Action

GATE_STATUS = {Action.ALLOW: 200, Action.HOLD: 202, Action.BLOCK: 451}
# JSON Lines has no registered type; these are the names in use.
JSON_LINES = ("application/jsonl", "application/x-ndjson", "application/x-jsonlines")
WISH_HEADER = "Staydown-If-Unavailable"
_WISH = WISH_HEADER.lower().encode()
_WISHES = {wish.value.encode(): wish for wish in Wish}
# The statuses that say "not now": a wish is for these, and never for a caller who is not known.
_NOT_NOW = (429, 503)


class Endpoints:
    """Everything that one running application holds. `close` ends it."""

    def __init__(self, settings: MatchApiSettings) -> None:
        self._settings = settings
        self._callers = Callers(settings)
        self.meter = Meter(settings.data_dir)
        self._decoder = MediaDecoder(settings, meter=self.meter)
        self._fetcher = MediaFetcher(settings)
        self._intake = Intake(settings, self._decoder, self._fetcher)
        self._held = HeldBytes(limit=settings.max_held_bytes)
        self._answers = AnswersKept(
            seconds=settings.idempotency_seconds, max_answers=settings.max_idempotent_answers
        )
        self.checker = Checker(settings)
        self._watching = Watching(self._callers, self.checker, self._decoder, self.meter)
        self.healthz = self._watching.healthz
        self.readyz = self._watching.readyz
        self.health = self._watching.health
        self.metrics = self._watching.metrics

    async def close(self) -> None:
        """Ends the decoding processes and closes the check journal."""
        self._fetcher.close()
        await self._decoder.close()
        self.checker.close()
        self.meter.close()

    def look_after_bank(self) -> None:
        """Takes in what is new while no request comes, and notes how far behind this process is."""
        self.checker.bank.refresh()
        self.meter.put("lag_seconds", self.checker.bank.lag_seconds())

    async def check(self, call: Call) -> Answer:
        """`POST /api/v1/check`: 200 whatever the action is."""
        answer, headers = await self._check_once(call, door=Door.CHECK)
        return json_answer(answer, headers=headers)

    async def gate(self, call: Call) -> Answer:
        """`POST /api/v1/gate`: the action as a status too, for proxies that look at nothing else."""
        answer, headers = await self._check_once(call, door=Door.GATE)
        return json_answer(answer, status=GATE_STATUS[answer.action], headers=headers)

    async def fingerprint(self, call: Call) -> Answer:
        """`POST /api/v1/fingerprint`: what media is compared by. Nothing is sought or recorded."""
        self._callers.identify(call, scope=FINGERPRINT)
        with BodyReader(call, settings=self._settings, held=self._held) as reader:
            sent = await self._intake.read(call, reader)
            found = await self._intake.of_media(sent, reader)
        upload = upload_of_media(found, sent)
        answer = FingerprintAnswer(found.media, found.width, found.height, sent_form(upload), upload.cost())
        return json_answer(answer)

    async def batch(self, call: Call) -> Answer:
        """`POST /api/v1/check/batch`: a line in, a line out; a bad line does not stop the others."""
        caller = self._callers.identify(call)
        wish = _wish_of(call)
        if call.content_type not in JSON_LINES:
            raise unsupported_type(JSON_LINES[0])
        if wish is None:
            self.checker.check_ready()
        with BodyReader(call, settings=self._settings, held=self._held) as reader:
            body = await reader.whole("A batch", max_bytes=self._settings.max_batch_bytes)
            lines = body.removesuffix(b"\n").split(b"\n")
            if lines == [b""]:
                raise invalid_request("The batch has no line.", slug="batch-empty")
            if len(lines) > self._settings.max_batch_lines:
                raise too_many_lines(self._settings.max_batch_lines)
            answers, searched = [], 0
            for line in lines:
                if searched >= self._settings.batch_codes_at_once:
                    await asyncio.sleep(0)
                    searched = 0
                answer, codes = await self._batch_line(line, caller=caller, wish=wish)
                answers.append(answer)
                searched += codes
        return Answer(200, b"".join(answers), JSON_LINES[0].encode())

    async def _batch_line(self, line: bytes, *, caller: Caller, wish: Wish | None) -> tuple[bytes, int]:
        """The answer, and how many codes were sought for it (at least one: reading costs too)."""
        codes = 1
        try:
            if len(line) > self._settings.max_json_bytes:
                raise not_processable(f"A line may have at most {self._settings.max_json_bytes} bytes.")
            upload = upload_of_json(line)
            codes = max(codes, len(upload.views))
            answer = await self.checker.check(upload, caller=caller)
            self.meter.checked(Door.BATCH, SentBy.FINGERPRINTS, answer.action)
            told = msgspec.json.encode(answer)
        except Refused as refused:
            if wish is None or refused.problem.status not in _NOT_NOW:
                self.meter.refused(refused.problem.slug)
                told = problem_bytes(refused.problem)
            else:
                told = msgspec.json.encode(self._degraded(refused, wish))
        except Exception as error:
            log_defect(error, where="batch")
            self.meter.refused(defect().slug)
            told = problem_bytes(defect())
        return told + b"\n", codes

    async def _check_once(
        self, call: Call, *, door: Door
    ) -> tuple[CheckAnswer | DegradedAnswer, tuple[tuple[bytes, bytes], ...]]:
        """The answer, and headers for it: when to come again, if no check could be made."""
        began = perf_counter()
        caller = self._callers.identify(call)
        wish = _wish_of(call)
        try:
            by, answer = await self._checked(call, caller=caller, door=door)
        except Refused as refused:
            if wish is None or refused.problem.status not in _NOT_NOW:
                raise
            return self._degraded(refused, wish), header_pairs(refused.headers)
        self.meter.checked(door, by, answer.action)
        self.meter.took(by, perf_counter() - began)
        return answer, ()

    async def _checked(self, call: Call, *, caller: Caller, door: Door) -> tuple[SentBy, CheckAnswer]:
        if call.headers.get(b"content-type") != b"application/json":
            self.checker.check_ready()  # before media is read for nothing
        with BodyReader(call, settings=self._settings, held=self._held) as reader:
            sent = await self._intake.read(call, reader)
            key = call.header(b"idempotency-key")
            if key is None:
                upload = await self._intake.upload(sent, reader)
                return sent.by, await self.checker.check(upload, caller=caller)

            async def compute() -> CheckAnswer:
                upload = await self._intake.upload(sent, reader)
                return await self.checker.check(upload, caller=caller)

            return sent.by, await self._answers.once(
                key, token_digest=caller.token_digest, route=door, content=sent.meaning(), compute=compute
            )

    def _degraded(self, refused: Refused, wish: Wish) -> DegradedAnswer:
        self.meter.degraded(refused.problem.slug, wish)
        return DegradedAnswer(action=Action(wish), degraded_reason=refused.problem.slug)


def _wish_of(call: Call) -> Wish | None:
    """What the caller declared for the case that no check can be made. Raises Refused for another word."""
    sent = call.headers.get(_WISH)
    if sent is None:
        return None
    wish = _WISHES.get(sent.strip().lower())
    if wish is None:
        raise wish_unknown(WISH_HEADER, tuple(Wish))
    return wish
