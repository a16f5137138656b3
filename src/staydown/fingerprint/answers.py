"""A child's answers in JSON, and the parent's distrust of them: every field is checked before it is used.

Refuses an answer that names what it was not asked for, holds more than the limits allow, or carries text that
is not plain: a child that was taken over must not reach beyond its own file.
"""

import json
import math
import re
from typing import Any

from staydown.fingerprint.errors import REFUSALS, NotFingerprintable
from staydown.fingerprint.frames import BrokenAnswer
from staydown.fingerprint.limits import MAX_SIDE
from staydown.fingerprint.terms import Algorithm, Fingerprint, QueryView
from staydown.fingerprint.video_terms import FrameFingerprint, VideoReading

PhotoAnswer = tuple[int, int, tuple[Fingerprint, ...]]
"""Upright width and height in pixels, and the codes."""
QueryAnswer = tuple[int, int, tuple[QueryView, ...]]

MOST_CODES = 1 << 14  # of a video: 512 frames with every part each; a picture has far fewer
MOST_VIEWS = 256  # codes of a query, at its deepest level with every turn
_LONGEST_SENTENCE = 500

# Names of views, turns and frames: "full", "cc88~fH", "as4:5", "tb-13", "strip", "@12.500".
_NAME = re.compile(r"[A-Za-z0-9@:.~-]{1,32}")


def pack_photo(answer: PhotoAnswer) -> bytes:
    """The answer to "register"."""
    width, height, fingerprints = answer
    codes = [_code_fields(fingerprint) for fingerprint in fingerprints]
    return _pack({"width": width, "height": height, "codes": codes})


def pack_query(answer: QueryAnswer) -> bytes:
    """The answer to "query"."""
    width, height, views = answer
    fields = [[view.name, *_code_fields(view.fingerprint)] for view in views]
    return _pack({"width": width, "height": height, "views": fields})


def pack_video(answer: VideoReading) -> bytes:
    """The answer to "video". The digests are the parent's own."""
    return _pack(
        {
            "width": answer.width,
            "height": answer.height,
            "duration": answer.duration_seconds,
            "looked_at": answer.looked_at,
            "broke_off": answer.broke_off,
            "frames": [[frame.at_seconds, *_code_fields(frame.fingerprint)] for frame in answer.frames],
        }
    )


def pack_refusal(refusal: NotFingerprintable) -> bytes:
    """The answer to a file that has no fingerprint."""
    return _pack({"refused": refusal.slug, "sentence": str(refusal)})


def pack_progress(fraction: float) -> bytes:
    """What may come any number of times before the answer to "video"."""
    return _pack({"progress": fraction})


def unpack_photo(body: bytes) -> PhotoAnswer | NotFingerprintable:
    """The answer to "register". Raises BrokenAnswer."""
    try:
        fields = json.loads(body)
        if "refused" in fields:
            return refusal_of(fields)
        codes = _list(fields["codes"], most=MOST_CODES)
        return (*sides_of(fields), tuple(_fingerprint(*code) for code in codes))
    except Exception as error:  # whatever a taken-over child makes up
        raise BrokenAnswer from error


def unpack_query(body: bytes) -> QueryAnswer | NotFingerprintable:
    """The answer to "query". Raises BrokenAnswer."""
    try:
        fields = json.loads(body)
        if "refused" in fields:
            return refusal_of(fields)
        views = _list(fields["views"], most=MOST_VIEWS)
        return (
            *sides_of(fields),
            tuple(QueryView(_name(name), _fingerprint(*code)) for name, *code in views),
        )
    except Exception as error:
        raise BrokenAnswer from error


def unpack_video(body: bytes) -> VideoReading | NotFingerprintable:
    """The answer to "video". Raises BrokenAnswer."""
    try:
        fields = json.loads(body)
        if "refused" in fields:
            return refusal_of(fields)
        frames = tuple(
            FrameFingerprint(_seconds(at_seconds), _fingerprint(*code))
            for at_seconds, *code in _list(fields["frames"], most=MOST_CODES)
        )
        width, height = sides_of(fields)
        return VideoReading(
            duration_seconds=_seconds(fields["duration"]),
            width=width,
            height=height,
            frames=frames,
            looked_at=_whole(fields["looked_at"], most=1 << 40),
            broke_off=_truth(fields["broke_off"]),
        )
    except Exception as error:
        raise BrokenAnswer from error


def unpack_progress(body: bytes) -> float | None:
    """How much is done, 0..1, or None if this is the answer itself. Raises BrokenAnswer."""
    if not body.startswith(b'{"progress"'):
        return None
    try:
        return min(1.0, _seconds(json.loads(body)["progress"]))
    except Exception as error:
        raise BrokenAnswer from error


def refusal_of(fields: dict[str, Any]) -> NotFingerprintable:
    """The refusal in an answer that has "refused". Raises BrokenAnswer, or KeyError for an unknown one."""
    sentence = fields["sentence"]
    if not isinstance(sentence, str) or len(sentence) > _LONGEST_SENTENCE or not sentence.isprintable():
        raise BrokenAnswer
    return REFUSALS[fields["refused"]](sentence)


def sides_of(fields: dict[str, Any]) -> tuple[int, int]:
    """Width and height in pixels. Raises BrokenAnswer, or KeyError if they are not there."""
    return _whole(fields["width"], most=MAX_SIDE), _whole(fields["height"], most=MAX_SIDE)


def _pack(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields).encode()


def _code_fields(fingerprint: Fingerprint) -> list[Any]:
    return [fingerprint.algorithm.value, fingerprint.derivation, fingerprint.quality, fingerprint.hex]


def _fingerprint(algorithm: Any, derivation: Any, quality: Any, code: Any) -> Fingerprint:
    return Fingerprint.from_hex(
        code, algorithm=Algorithm(algorithm), quality=_whole(quality, most=100), derivation=_name(derivation)
    )


def _list(value: Any, *, most: int) -> list[Any]:
    if not isinstance(value, list) or len(value) > most:
        raise BrokenAnswer
    return value


def _name(value: Any) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise BrokenAnswer
    return value


def _whole(value: Any, *, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise BrokenAnswer
    return value


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise BrokenAnswer
    return value


def _seconds(value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value) or value < 0:
        raise BrokenAnswer
    return float(value)
