"""Pure rules of cases: what a device may send, and what a registration protects.

Fingerprints arrive as claims of a client that we cannot see; everything is checked, nothing is believed.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from staydown.cases.errors import NothingToRegister, SentInTheFuture, SubmissionRefused, TooManyItems
from staydown.cases.terms import SubmittedItem
from staydown.fingerprint import (
    MIN_QUALITY,
    Algorithm,
    Digests,
    Fingerprint,
    MalformedFingerprint,
    is_derivation,
)
from staydown.fingerprint.views import MAX_NAME_CHARACTERS

SUBMISSION_VERSION = 1
# One send carries at most 100 pictures: about 300 kB of text, a minute of work on a phone. The device
# page names the same number and offers to add the rest to the case afterwards.
MAX_ITEMS = 100
# The largest set has 64 codes and that of the picture at 512 pixels; a moving picture has two for each of 15
# further frames: 95. A video has 12 for each of at most 64 frames: 768. More would only make the bank slower
# for everybody, and tell more of the picture.
MAX_CODES = {"image": 100, "video": 800}
# Of one send, so that its text stays near two megabytes: 100 pictures with 100 codes take half of it.
MAX_CODES_IN_ALL = 20_000

# A person who follows more than this has help, and lists of their own; more would only fill the page.
MAX_OUTSIDE_REQUESTS = 100
# Clocks of phones run ahead by some minutes.
CLOCK_SLACK = timedelta(minutes=10)


def outside_deadline(sent_at: datetime, *, window_hours: int, now: datetime) -> datetime:
    """When the duty of a request that was sent at `sent_at` ends. Raises SentInTheFuture."""
    if sent_at > now + CLOCK_SLACK:
        raise SentInTheFuture
    return sent_at + timedelta(hours=window_hours)


def read_submission(text: str) -> tuple[SubmittedItem, ...]:
    """The items in a device's submission (JSON text; see docs/reference/submission.md).

    Raises SubmissionRefused, NothingToRegister or TooManyItems.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:  # the second: nested thousands deep
        raise SubmissionRefused("the fingerprints did not arrive whole") from error
    if not isinstance(document, dict) or document.get("version") != SUBMISSION_VERSION:
        raise SubmissionRefused(f"only version {SUBMISSION_VERSION} of the format is understood")
    items = document.get("items")
    if not isinstance(items, list) or not items:
        raise NothingToRegister
    if len(items) > MAX_ITEMS:
        raise TooManyItems(found=len(items), allowed=MAX_ITEMS)
    read = tuple(_read_item(item, position) for position, item in enumerate(items, start=1))
    if sum(len(item.fingerprints) for item in read) > MAX_CODES_IN_ALL:
        raise SubmissionRefused(f"at most {MAX_CODES_IN_ALL} codes can be sent at a time")
    return read


def _read_item(item: Any, position: int) -> SubmittedItem:
    media = item.get("media") if isinstance(item, dict) else None
    if not isinstance(media, str) or media not in MAX_CODES:
        raise SubmissionRefused("the kind of media is missing", item=position)
    codes = item.get("codes")
    if not isinstance(codes, list) or len(codes) > MAX_CODES[media]:
        raise SubmissionRefused(f"at most {MAX_CODES[media]} codes belong to one {media}", item=position)
    return SubmittedItem(
        media=media,
        digests=Digests(
            sha256=_read_digest(item.get("sha256"), 64, position),
            md5=_read_digest(item.get("md5"), 32, position),
        ),
        fingerprints=_each_once([_read_code(code, media, position) for code in codes], position),
    )


def _each_once(fingerprints: list[Fingerprint], position: int) -> tuple[Fingerprint, ...]:
    """The codes without repetitions, which flat pictures have: another name for the same code adds nothing.

    One name for two codes is refused: one of them cannot be what it says.
    """
    if len({(code.algorithm, code.derivation) for code in fingerprints}) < len(fingerprints):
        raise SubmissionRefused("a derivation is there twice", item=position)
    first: dict[tuple[Algorithm, bytes], Fingerprint] = {}
    for fingerprint in fingerprints:
        first.setdefault((fingerprint.algorithm, fingerprint.code), fingerprint)
    return tuple(first.values())


def _is_known(derivation: str) -> bool:
    return len(derivation) <= MAX_NAME_CHARACTERS and is_derivation(derivation)


def _read_digest(value: Any, length: int, position: int) -> str:
    if not isinstance(value, str) or len(value) != length or set(value) - set("0123456789abcdef"):
        raise SubmissionRefused("a digest is malformed", item=position)
    return value


def _read_code(code: Any, media: str, position: int) -> Fingerprint:
    match code:
        case [str() as algorithm, str() as derivation, int() as quality, str() as digits]:
            pass
        case _:
            raise SubmissionRefused("a fingerprint is malformed", item=position)
    if algorithm not in set(Algorithm) or not _is_known(derivation):
        raise SubmissionRefused("a fingerprint is of an unknown kind", item=position)
    if media == "video" and not derivation.startswith("@"):
        raise SubmissionRefused("a fingerprint of a video does not say of which frame it is", item=position)
    if not MIN_QUALITY <= quality <= 100:
        raise SubmissionRefused(f"quality must lie between {MIN_QUALITY} and 100", item=position)
    try:
        return Fingerprint.from_hex(
            digits, algorithm=Algorithm(algorithm), quality=quality, derivation=derivation
        )
    except MalformedFingerprint as error:
        raise SubmissionRefused("a fingerprint is malformed", item=position) from error
