"""The endpoints: each identifies the caller, reads, checks once, answers."""

from __future__ import annotations

import asyncio

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from staydown.fingerprint import QueryFingerprints
from staydown.fingerprint.video_terms import VideoFingerprints
from staydown.match_api.answers import json_answer, log_defect, problem_bytes
from staydown.match_api.body import BodyReader, HeldBytes
from staydown.match_api.callers import Caller, Callers
from staydown.match_api.checking import Checker
from staydown.match_api.decoding import MediaDecoder
from staydown.match_api.errors import Refused
from staydown.match_api.form import Form, FormReader
from staydown.match_api.idempotency import AnswersKept
from staydown.match_api.reading import checked_text, upload_of_json
from staydown.match_api.refusals import (
    defect,
    invalid_request,
    not_processable,
    too_many_lines,
    unsupported_type,
)
from staydown.match_api.settings import MatchApiSettings
from staydown.match_api.terms import CheckAnswer, Upload
from staydown.matching import Action

GATE_STATUS = {Action.ALLOW: 200, Action.HOLD: 202, Action.BLOCK: 451}
FORM, JSON = "multipart/form-data", "application/json"
# JSON Lines has no registered type; these are the names in use.
JSON_LINES = ("application/jsonl", "application/x-ndjson", "application/x-jsonlines")


class Endpoints:
    """Everything that one running application holds. `close` ends it."""

    def __init__(self, settings: MatchApiSettings) -> None:
        self._settings = settings
        self._callers = Callers(settings)
        self._decoder = MediaDecoder(settings)
        self._held = HeldBytes(limit=settings.max_held_bytes)
        self._answers = AnswersKept(
            seconds=settings.idempotency_seconds, max_answers=settings.max_idempotent_answers
        )
        self.checker = Checker(settings)

    async def close(self) -> None:
        """Ends the decoding processes and closes the check journal."""
        await self._decoder.close()
        self.checker.close()

    async def check(self, request: Request) -> Response:
        """`POST /api/v1/check`: 200 whatever the action is."""
        return json_answer(await self._check_once(request, route="check"))

    async def gate(self, request: Request) -> Response:
        """`POST /api/v1/gate`: the action as a status too, for proxies that look at nothing else."""
        answer = await self._check_once(request, route="gate")
        return json_answer(answer, status=GATE_STATUS[answer.action])

    async def batch(self, request: Request) -> Response:
        """`POST /api/v1/check/batch`: a line in, a line out; a bad line does not stop the others."""
        caller = self._callers.identify(request)
        if _content_type(request) not in JSON_LINES:
            raise unsupported_type(JSON_LINES[0])
        self.checker.check_ready()
        with BodyReader(request, settings=self._settings, held=self._held) as reader:
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
                answer, codes = await self._batch_line(line, caller=caller)
                answers.append(answer)
                searched += codes
        return Response(b"".join(answers), media_type=JSON_LINES[0], headers={"Cache-Control": "no-store"})

    async def _batch_line(self, line: bytes, *, caller: Caller) -> tuple[bytes, int]:
        """The answer, and how many codes were sought for it (at least one: reading costs too)."""
        codes = 1
        try:
            if len(line) > self._settings.max_json_bytes:
                raise not_processable(f"A line may have at most {self._settings.max_json_bytes} bytes.")
            upload = upload_of_json(line)
            codes = max(codes, len(upload.views))
            answer = msgspec.json.encode(await self.checker.check(upload, caller=caller))
        except Refused as refused:
            answer = problem_bytes(refused.problem)
        except Exception as error:
            log_defect(error, where="batch")
            answer = problem_bytes(defect())
        return answer + b"\n", codes

    async def _check_once(self, request: Request, *, route: str) -> CheckAnswer:
        caller = self._callers.identify(request)
        with BodyReader(request, settings=self._settings, held=self._held) as reader:
            content_type = _content_type(request)
            if content_type == JSON:
                body = await reader.whole("A check by fingerprints", max_bytes=self._settings.max_json_bytes)
                upload = upload_of_json(body)

                async def compute() -> CheckAnswer:
                    return await self.checker.check(upload, caller=caller)

                if (key := request.headers.get("idempotency-key")) is None:
                    return await compute()
                content = msgspec.json.encode(_meaning(upload))
            elif content_type == FORM:
                self.checker.check_ready()  # before a picture is read for nothing
                key = request.headers.get("idempotency-key")
                form = await self._read_form(request, reader)

                async def compute() -> CheckAnswer:
                    return await self.checker.check(await self._decode(form), caller=caller)

                content = msgspec.json.encode([form.media_digest, sorted(form.texts.items())])
            else:
                raise unsupported_type(FORM, JSON)
            return await self._answers.once(
                key, token_digest=caller.token_digest, route=route, content=content, compute=compute
            )

    async def _read_form(self, request: Request, reader: BodyReader) -> Form:
        form_reader = FormReader(request.headers["content-type"], max_parts=self._settings.max_parts)
        await reader.pieces(
            form_reader.write, "A form with a picture", max_bytes=self._settings.max_body_bytes
        )
        form = form_reader.finish()
        for name, text in form.texts.items():
            checked_text(name, text)
        if form.media is None:
            raise not_processable('The form has no part named "media".', slug="media-missing")
        return form

    async def _decode(self, form: Form) -> Upload:
        media, form.media = bytes(form.media or b""), None
        found = await self._decoder.query(media)
        return Upload(
            views=found.views if isinstance(found, QueryFingerprints) else (),
            frames=found.frames if isinstance(found, VideoFingerprints) else (),
            sha256=found.digests.sha256,
            md5=found.digests.md5,
            content_id=form.texts.get("content_id") or None,
            content_url=form.texts.get("content_url") or None,
            media=found.media,
        )

    async def healthz(self, request: Request) -> Response:
        """`GET /healthz`: the process is alive; nothing else is claimed."""
        return json_answer({"status": "alive"})

    async def readyz(self, request: Request) -> Response:
        """`GET /readyz`: 200 when a check would be answered, otherwise 503 and what is missing.

        `videos` says by what videos are compared: "frames", or "digests" where PyAV is not installed.
        """
        self._callers.check_readable()
        self.checker.check_ready()
        videos = "frames" if self._decoder.reads_videos else "digests"
        return json_answer({"status": "ready", **self.checker.bank.counts(), "videos": videos})


def _content_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _meaning(upload: Upload) -> list[object]:
    codes = [
        (view.name, view.fingerprint.algorithm.value, view.fingerprint.hex, view.fingerprint.quality)
        for view in upload.views
    ]
    frames = [
        (frame.at_seconds, frame.fingerprint.derivation, frame.fingerprint.hex, frame.fingerprint.quality)
        for frame in upload.frames
    ]
    return [codes, frames, upload.sha256, upload.md5, upload.content_id, upload.content_url]
