"""The protocol without I/O: builds each request and reads each answer, for both clients and their tests.

It opens no socket and no file and never guesses: an answer outside the protocol raises AnswerNotUnderstood.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO
from urllib.parse import quote, urlsplit

from staydown.client.errors import (
    AnswerNotUnderstood,
    ClientMisconfigured,
    NotAuthorised,
    ProblemAnswer,
    RequestRefused,
    Unreachable,
)
from staydown.client.media import Computed
from staydown.client.terms import Action, CheckMatch, CheckResult, CopyInstruction, GoneReport, Stretch
from staydown.fingerprint.terms import (
    DERIVATIONS,
    Fingerprint,
    MediaFingerprints,
    QueryFingerprints,
    QueryLevel,
)
from staydown.fingerprint.video_terms import FrameFingerprint, VideoFingerprints

# Parts of a picture as the API takes them: "full", "strip", "cut1".
_PART = re.compile(r"[a-z][a-z0-9-]{0,15}")
_GATE_ACTIONS = {200: Action.ALLOW, 202: Action.HOLD, 451: Action.BLOCK}
# What the server is to answer if it cannot check: "allow" or "hold". Without it, it answers 429 or 503.
WISH_HEADER = "Staydown-If-Unavailable"
# A check answer is some hundred bytes a match; more than this is not an answer of ours.
LARGEST_ANSWER_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """One request to send. Either `json_body` or `media` (with `fields` beside it) or neither.

    `accepted` are the statuses whose body `read_*` understands; an answer longer than `largest_answer_bytes`
    is not read to its end.
    """

    method: str
    path: str
    json_body: bytes | None = None
    media: bytes | BinaryIO | None = None
    fields: tuple[tuple[str, str], ...] = ()
    accepted: frozenset[int] = frozenset({200})
    headers: tuple[tuple[str, str], ...] = ()
    content_type: str = "application/json"
    largest_answer_bytes: int = LARGEST_ANSWER_BYTES


@dataclass(frozen=True, slots=True)
class Answer:
    """One complete answer as it came in."""

    status: int
    body: bytes
    retry_after: str | None = None


def origin_of(base_url: str) -> str:
    """The base URL without a trailing slash; raises ClientMisconfigured if it can't be one."""
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ClientMisconfigured("base_url must be an absolute http or https URL")
    if parts.query or parts.fragment or parts.username or parts.password:
        raise ClientMisconfigured("base_url must not carry a query, a fragment, or a password")
    return base_url.rstrip("/")


def check_request(
    media: bytes | BinaryIO | Computed,
    *,
    content_id: str | None,
    content_url: str | None,
    level: str | None = None,
    wish: str | None = None,
    gate: bool = False,
) -> ApiRequest:
    """A check or gate request: the media itself as multipart, or only its fingerprints as JSON.

    level: how hard the server looks at media. Raises ClientMisconfigured for a level that there is not, or
    one beside fingerprints: those were computed at a level already. wish: see WISH_HEADER.
    """
    path, accepted = (
        ("/api/v1/gate", frozenset(_GATE_ACTIONS)) if gate else ("/api/v1/check", frozenset({200}))
    )
    headers = wish_headers(wish)
    if isinstance(media, Computed):
        if level is not None:
            raise ClientMisconfigured("level is for media; fingerprints were computed at a level already")
        line = check_line(media, content_id=content_id, content_url=content_url)
        return ApiRequest("POST", path, json_body=line, accepted=accepted, headers=headers)
    if level is not None and level not in set(QueryLevel):
        raise ClientMisconfigured(f"level is one of {', '.join(QueryLevel)}")
    fields = _given(level=level, content_id=content_id, content_url=content_url)
    return ApiRequest(
        "POST", path, media=media, fields=tuple(fields.items()), accepted=accepted, headers=headers
    )


def check_line(media: Computed, *, content_id: str | None, content_url: str | None) -> bytes:
    """A check by fingerprints as one line of JSON: the body of a check, or a line of a batch."""
    named = _given(content_id=content_id, content_url=content_url)
    return json.dumps({"fingerprints": fingerprints_document(media), **named}).encode()


def wish_headers(wish: str | None) -> tuple[tuple[str, str], ...]:
    """The header that declares what to answer if the server cannot check; none without a wish."""
    return () if wish is None else ((WISH_HEADER, wish),)


def _given(**values: str | None) -> dict[str, str]:
    return {name: value for name, value in values.items() if value is not None}


def fingerprints_document(media: Computed) -> dict[str, object]:
    """The "fingerprints" member of a JSON check: digests, and codes of a picture and its parts or of frames.

    Turned and mirrored codes stay here: the bank holds its own.
    """
    document: dict[str, object] = {"sha256": media.digests.sha256, "md5": media.digests.md5}
    if isinstance(media, VideoFingerprints):
        document["frames"] = [_frame_document(frame) for frame in media.frames if is_as_it_is(frame)]
        return document
    parts: list[dict[str, object]] = []
    for name, fingerprint in _named(media):
        if fingerprint.derivation != "full":
            continue
        code = {"hex": fingerprint.hex, "quality": fingerprint.quality}
        if name == "full":
            document[str(fingerprint.algorithm)] = code
        else:
            parts.append({"name": name, **code})
    if parts:
        document["views"] = parts
    return document


def is_as_it_is(frame: FrameFingerprint) -> bool:
    """Whether a frame's code is of the frame or a part of it, neither turned nor mirrored."""
    name = frame.fingerprint.derivation
    return bool(_PART.fullmatch(name)) and name not in DERIVATIONS[1:]


def _frame_document(frame: FrameFingerprint) -> dict[str, object]:
    code = {"hex": frame.fingerprint.hex, "quality": frame.fingerprint.quality}
    return {"at_seconds": frame.at_seconds, "name": frame.fingerprint.derivation, **code}


def _named(media: MediaFingerprints | QueryFingerprints) -> Iterator[tuple[str, Fingerprint]]:
    if isinstance(media, QueryFingerprints):
        return ((view.name, view.fingerprint) for view in media.views)
    return (("full", fingerprint) for fingerprint in media.fingerprints)


def copy_request(copy_id: str) -> ApiRequest:
    return ApiRequest("GET", f"/api/v1/copies/{_path_part(copy_id)}")


def gone_request(copy_id: str) -> ApiRequest:
    return ApiRequest("POST", f"/api/v1/copies/{_path_part(copy_id)}/gone")


def edge_manifest_request(held: str | None) -> ApiRequest:
    """The manifest of the edge bank, unless it is the one whose ETag is given (304)."""
    headers = () if held is None else (("If-None-Match", held),)
    return ApiRequest("GET", "/api/v1/edge/manifest", headers=headers, accepted=frozenset({200, 304}))


def edge_file_request(name: str, *, size_bytes: int) -> ApiRequest:
    """A file of the edge bank, as its manifest names it."""
    return ApiRequest("GET", f"/api/v1/edge/files/{_path_part(name)}", largest_answer_bytes=size_bytes)


def check_accepted(request: ApiRequest, answer: Answer) -> None:
    """Return if the answer's body may be read; otherwise raise what it means."""
    if answer.status in request.accepted:
        return
    if answer.status == 429 or answer.status >= 500:
        raise Unreachable(f"status-{answer.status}", attempts=1)
    if answer.status in (401, 403):
        raise NotAuthorised(read_problem(answer))
    if 400 <= answer.status < 500:
        raise RequestRefused(read_problem(answer))
    raise AnswerNotUnderstood("unexpected status", status=answer.status)


def read_result(request: ApiRequest, answer: Answer) -> CheckResult:
    """The answer to a check or gate request. Raises AnswerNotUnderstood."""
    return read_gate(answer) if request.path.endswith("/gate") else read_check(answer)


def read_check(answer: Answer) -> CheckResult:
    """A check's answer. Raises AnswerNotUnderstood."""
    document = _document(answer)
    try:
        action = Action(_text(document, "action", answer))
    except ValueError:
        raise AnswerNotUnderstood("unknown action", status=answer.status) from None
    listed = document.get("matches", [])
    if not isinstance(listed, list):
        raise AnswerNotUnderstood("matches is not a list", status=answer.status)
    if document.get("degraded", False) is True:
        # The server could not check and says what was declared; no match decided it, and no check is
        # recorded.
        reason = _text_or_none(document, "degraded_reason", answer) or "unknown"
        return CheckResult(action=action, degraded=True, degraded_reason=reason)
    return CheckResult(
        action=action,
        matches=tuple(_match(one, answer) for one in listed),
        check_id=_text(document, "check_id", answer),
    )


def read_gate(answer: Answer) -> CheckResult:
    """A gate's answer: the status decides; a body, if there is one, must agree with it."""
    action = _GATE_ACTIONS[answer.status]
    if not answer.body.strip():
        return CheckResult(action=action)
    document = _document(answer)
    if "action" not in document:
        return CheckResult(action=action)
    result = read_check(answer)
    if result.action is not action:
        raise AnswerNotUnderstood("the status and the action contradict each other", status=answer.status)
    return result


def read_copy(answer: Answer) -> CopyInstruction:
    document = _document(answer)
    return CopyInstruction(
        copy_id=_text(document, "copy_id", answer),
        content_id=_text_or_none(document, "content_id", answer),
        content_url=_text_or_none(document, "content_url", answer),
        state=_text(document, "state", answer),
        kind=_text(document, "kind", answer),
    )


def read_gone(answer: Answer) -> GoneReport:
    document = _document(answer)
    return GoneReport(copy_id=_text(document, "copy_id", answer), state=_text(document, "state", answer))


def read_problem(answer: Answer) -> ProblemAnswer:
    """What the server said, as far as it can be read; never raises, because the status already decides."""
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError):
        return ProblemAnswer(status=answer.status)
    if not isinstance(document, dict):
        return ProblemAnswer(status=answer.status)
    known = {
        name: document[name] for name in ("type", "title", "detail") if isinstance(document.get(name), str)
    }
    members = {
        name: value for name, value in document.items() if name not in ("type", "title", "detail", "status")
    }
    return ProblemAnswer(status=answer.status, members=members, **known)


def _path_part(identifier: str) -> str:
    if not identifier or identifier in (".", ".."):
        raise ClientMisconfigured("an id or a name must not be empty")
    return quote(identifier, safe="")


def _document(answer: Answer) -> dict[str, object]:
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError):
        raise AnswerNotUnderstood("the body is not JSON", status=answer.status) from None
    if not isinstance(document, dict):
        raise AnswerNotUnderstood("the body is not a JSON object", status=answer.status)
    return document


def _text(document: dict[str, object], name: str, answer: Answer) -> str:
    value = document.get(name)
    if not isinstance(value, str):
        raise AnswerNotUnderstood(f"{name} is missing or not a string", status=answer.status)
    return value


def _text_or_none(document: dict[str, object], name: str, answer: Answer) -> str | None:
    return None if document.get(name) is None else _text(document, name, answer)


def _match(one: object, answer: Answer) -> CheckMatch:
    if not isinstance(one, dict):
        raise AnswerNotUnderstood("a match is not an object", status=answer.status)
    distance_bits = one.get("distance_bits")
    if not isinstance(distance_bits, int) or isinstance(distance_bits, bool):
        raise AnswerNotUnderstood("distance_bits is missing or not a whole number", status=answer.status)
    return CheckMatch(
        entry_id=_text(one, "entry_id", answer),
        kind=_text(one, "kind", answer),
        distance_bits=distance_bits,
        derivation=_text(one, "derivation", answer),
        bank=_text(one, "bank", answer),
        state=_text(one, "state", answer),
        rule=_text(one, "rule", answer),
        view=_text(one, "view", answer) if "view" in one else "full",
        stretch=_stretch(one["stretch"], answer) if one.get("stretch") is not None else None,
    )


def _stretch(one: object, answer: Answer) -> Stretch:
    frames = one.get("frames") if isinstance(one, dict) else None
    if not isinstance(one, dict) or not isinstance(frames, int) or isinstance(frames, bool):
        raise AnswerNotUnderstood("a stretch is not an object with a number of frames", status=answer.status)
    upload_seconds = _seconds(one.get("upload_seconds"), answer)
    entry_seconds = one.get("entry_seconds")
    return Stretch(
        upload_seconds=upload_seconds,
        entry_seconds=None if entry_seconds is None else _seconds(entry_seconds, answer),
        frames=frames,
    )


def _seconds(pair: object, answer: Answer) -> tuple[float, float]:
    match pair:
        case [int() | float() as begin, int() | float() as end]:
            return float(begin), float(end)
    raise AnswerNotUnderstood("a stretch has no begin and end", status=answer.status)
