"""Pure rules of cases: what a device may send, and what a registration protects.

Fingerprints arrive as claims of a client that we cannot see; everything is checked, nothing is believed.
"""

from __future__ import annotations

import json
from typing import Any

from staydown.cases.errors import NothingToRegister, SubmissionRefused, TooManyItems
from staydown.cases.terms import SubmittedItem
from staydown.fingerprint import (
    DERIVATIONS,
    MIN_QUALITY,
    Algorithm,
    Digests,
    Fingerprint,
    MalformedFingerprint,
)

SUBMISSION_VERSION = 1
# One send carries at most 100 pictures: about 150 kB of text, a minute of work on a phone. The device
# page names the same number and offers to add the rest to the case afterwards.
MAX_ITEMS = 100
MAX_CODES_PER_ITEM = len(Algorithm) * len(DERIVATIONS)
_MEDIA = ("image", "video")


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
    return tuple(_read_item(item, position) for position, item in enumerate(items, start=1))


def _read_item(item: Any, position: int) -> SubmittedItem:
    if not isinstance(item, dict) or item.get("media") not in _MEDIA:
        raise SubmissionRefused("the kind of media is missing", item=position)
    codes = item.get("codes")
    if not isinstance(codes, list) or len(codes) > MAX_CODES_PER_ITEM:
        raise SubmissionRefused(f"at most {MAX_CODES_PER_ITEM} codes belong to one item", item=position)
    return SubmittedItem(
        media=item["media"],
        digests=Digests(
            sha256=_read_digest(item.get("sha256"), 64, position),
            md5=_read_digest(item.get("md5"), 32, position),
        ),
        fingerprints=tuple(_read_code(code, position) for code in codes),
    )


def _read_digest(value: Any, length: int, position: int) -> str:
    if not isinstance(value, str) or len(value) != length or set(value) - set("0123456789abcdef"):
        raise SubmissionRefused("a digest is malformed", item=position)
    return value


def _read_code(code: Any, position: int) -> Fingerprint:
    match code:
        case [str() as algorithm, str() as derivation, int() as quality, str() as digits]:
            pass
        case _:
            raise SubmissionRefused("a fingerprint is malformed", item=position)
    if algorithm not in set(Algorithm) or derivation not in DERIVATIONS:
        raise SubmissionRefused("a fingerprint is of an unknown kind", item=position)
    if not MIN_QUALITY <= quality <= 100:
        raise SubmissionRefused(f"quality must lie between {MIN_QUALITY} and 100", item=position)
    try:
        return Fingerprint.from_hex(
            digits, algorithm=Algorithm(algorithm), quality=quality, derivation=derivation
        )
    except MalformedFingerprint as error:
        raise SubmissionRefused("a fingerprint is malformed", item=position) from error
