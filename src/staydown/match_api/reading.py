"""Turns a body that was read into an Upload. Refuses every value that the API does not describe."""

from __future__ import annotations

import unicodedata
from dataclasses import replace

import msgspec

from staydown.fingerprint import Algorithm, Fingerprint, QueryLevel, QueryView
from staydown.fingerprint.video_terms import FrameFingerprint
from staydown.match_api.refusals import invalid_request, not_processable
from staydown.match_api.terms import (
    MAX_CONTENT_ID_CHARACTERS,
    MAX_CONTENT_URL_CHARACTERS,
    WHOLE,
    CheckRequest,
    SentCode,
    SentFingerprints,
    SentFrame,
    SentView,
    Upload,
)

MOST_CHARACTERS = {"content_id": MAX_CONTENT_ID_CHARACTERS, "content_url": MAX_CONTENT_URL_CHARACTERS}

_decoder = msgspec.json.Decoder(CheckRequest)


def upload_of_json(body: bytes) -> Upload:
    """The upload whose fingerprints a JSON body has. Raises Refused, also for an address of media."""
    request = request_of_json(body)
    if request.media_url is not None:
        raise not_processable("A batch takes fingerprints only; `media_url` is for single checks.")
    return upload_of(request)


def request_of_json(body: bytes) -> CheckRequest:
    """The request in a JSON body: fingerprints, or an address of media. Raises Refused."""
    try:
        request = _decoder.decode(body)
    except msgspec.ValidationError as error:
        raise not_processable(f"{error}.") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise invalid_request("The body is not valid JSON.", slug="malformed-json") from None
    if (request.fingerprints is None) is (request.media_url is None):
        raise not_processable(
            "Send one of `$.fingerprints` and `$.media_url`, and not both.", slug="nothing-to-check"
        )
    return request


def upload_of(request: CheckRequest) -> Upload:
    """The upload whose fingerprints were sent. Raises Refused."""
    sent = request.fingerprints
    if sent is None or not (sent.pdq or sent.pdq512 or sent.sha256 or sent.md5):
        raise not_processable(
            "Send at least one of pdq, pdq512, sha256 and md5 in `$.fingerprints`.", slug="nothing-to-check"
        )
    if request.level is not None:
        raise not_processable("`level` is for media; fingerprints were computed at a level already.")
    return Upload(
        views=_views(sent),
        frames=_frames(sent),
        sha256=sent.sha256.lower() if sent.sha256 else None,
        md5=sent.md5.lower() if sent.md5 else None,
        content_id=checked_text("content_id", request.content_id),
        content_url=checked_text("content_url", request.content_url),
    )


def checked_level(text: str | None, *, default: QueryLevel) -> QueryLevel:
    """The level of that name; the default if none was sent. Raises Refused."""
    if text is None:
        return default
    if text not in set(QueryLevel):
        raise not_processable(f"`level` is one of {', '.join(QueryLevel)}.")
    return QueryLevel(text)


def checked_text(name: str, text: str | None) -> str | None:
    """The platform's own name or address of the item, as the catalog can keep it; None if it is empty.

    Raises Refused. Control characters have no place in either, and PostgreSQL takes no NUL.
    """
    if not text:
        return None
    most = MOST_CHARACTERS[name]
    if len(text) > most:
        raise not_processable(f"`{name}` may have at most {most} characters.")
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in text):
        raise not_processable(f"`{name}` may not have control characters.")
    return text


def _views(sent: SentFingerprints) -> tuple[QueryView, ...]:
    codes = (
        (WHOLE, Algorithm.PDQ, sent.pdq),
        (WHOLE, Algorithm.PDQ512, sent.pdq512),
        *((view.name, Algorithm.PDQ, view) for view in sent.views or ()),
    )
    return tuple(QueryView(name, _fingerprint(code, algorithm)) for name, algorithm, code in codes if code)


def _frames(sent: SentFingerprints) -> tuple[FrameFingerprint, ...]:
    return tuple(
        FrameFingerprint(frame.at_seconds, replace(_fingerprint(frame, Algorithm.PDQ), derivation=frame.name))
        for frame in sent.frames or ()
    )


def _fingerprint(code: SentCode | SentView | SentFrame, algorithm: Algorithm) -> Fingerprint:
    return Fingerprint.from_hex(code.hex, algorithm=algorithm, quality=code.quality)
