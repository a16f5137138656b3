"""Batches without I/O: many checks by fingerprints in few requests, answered line by line in the order given.

It sends no media (a batch of pictures would be held in memory by both sides) and repeats no line by itself.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from staydown.client.errors import AnswerNotUnderstood, ProblemAnswer, RequestRefused
from staydown.client.media import Computed
from staydown.client.protocol import (
    Answer,
    ApiRequest,
    check_line,
    read_check,
    read_problem,
    wish_headers,
)
from staydown.client.terms import CheckResult
from staydown.client.unreachable import Fallback

# The server's own limits (match_api/settings.py): lines of one batch, and bytes of its body.
MAX_LINES = 1000
MAX_BYTES = 4 * 1024 * 1024
# A thousand answers with a hundred matches each, some 230 bytes a match, and room.
LARGEST_BATCH_ANSWER_BYTES = 32 * 1024 * 1024
JSON_LINES = "application/jsonl"


@dataclass(frozen=True, slots=True)
class Upload:
    """One line of a batch: fingerprints, and your names for what they were made of."""

    fingerprints: Computed
    content_id: str | None = None
    content_url: str | None = None


@dataclass(frozen=True, slots=True)
class BatchAnswer:
    """What came of one line: a result, or the problem for which the server refused this line alone."""

    place: int
    """Which line it was: 0 for the first that was given."""
    result: CheckResult | None
    problem: ProblemAnswer | None = None

    def checked(self) -> CheckResult:
        """The result. Raises RequestRefused if the server refused the line."""
        if self.result is None:
            raise RequestRefused(self.problem or ProblemAnswer(status=0))
        return self.result

    def with_fallback(self, fallback: Fallback, upload: Upload) -> "BatchAnswer":
        """The same, with what was declared in place of a result that says that the server could not check."""
        if self.result is None:
            return self
        result = fallback.for_answer(self.result, upload.fingerprints, content_id=upload.content_id)
        return replace(self, result=result)


@dataclass(frozen=True, slots=True)
class Chunk:
    """Lines that go in one request; `first_place` is the place of the first among all that were given."""

    first_place: int
    uploads: tuple[Upload, ...]
    lines: tuple[bytes, ...]

    def request(self, *, wish: str | None) -> ApiRequest:
        """The request for these lines."""
        return ApiRequest(
            "POST",
            "/api/v1/check/batch",
            json_body=b"\n".join(self.lines) + b"\n",
            content_type=JSON_LINES,
            headers=wish_headers(wish),
            largest_answer_bytes=LARGEST_BATCH_ANSWER_BYTES,
        )

    def read(self, answer: Answer) -> tuple[BatchAnswer, ...]:
        """One answer for each line, in order. Raises AnswerNotUnderstood."""
        lines = answer.body.removesuffix(b"\n").split(b"\n")
        if len(lines) != len(self.lines):
            raise AnswerNotUnderstood("there is not one answer for each line", status=answer.status)
        return tuple(
            _read_line(Answer(answer.status, line), place=place)
            for place, line in enumerate(lines, start=self.first_place)
        )


def chunks(uploads: Iterable[Computed | Upload]) -> Iterator[Chunk]:
    """The uploads as requests that keep to the server's limits; takes from the iterable as it goes on."""
    first_place, size_bytes = 0, 0
    waiting: list[Upload] = []
    lines: list[bytes] = []
    for given in uploads:
        upload = given if isinstance(given, Upload) else Upload(given)
        line = check_line(upload.fingerprints, content_id=upload.content_id, content_url=upload.content_url)
        if lines and (len(lines) == MAX_LINES or size_bytes + len(line) + 1 > MAX_BYTES):
            yield Chunk(first_place, tuple(waiting), tuple(lines))
            first_place, size_bytes, waiting, lines = first_place + len(lines), 0, [], []
        waiting.append(upload)
        lines.append(line)
        size_bytes += len(line) + 1
    if lines:
        yield Chunk(first_place, tuple(waiting), tuple(lines))


def _read_line(line: Answer, *, place: int) -> BatchAnswer:
    problem = read_problem(line)
    if problem.slug and "action" not in problem.members:
        return BatchAnswer(place, None, problem)
    return BatchAnswer(place, read_check(line))
