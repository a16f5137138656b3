"""Pure rules of the catalog: how a check journal's record reads, and what counts as an exact copy."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from staydown.catalog.errors import CheckRecordNotUnderstood
from staydown.catalog.terms import CheckedMatch, CheckedUpload
from staydown.fingerprint import (
    DERIVATIONS,
    Algorithm,
    Digests,
    Fingerprint,
    MalformedFingerprint,
)
from staydown.fingerprint.video_terms import parse_frame_derivation
from staydown.fingerprint.views import is_derivation
from staydown.matching.terms import Action, MatchKind

CODE_BITS = 256
# 64 frames, each as it is and mirrored, with room for a third code; as many as a registered video may have.
MAX_FRAME_CODES = 200


def read_check_record(record: Mapping[str, Any]) -> CheckedUpload:
    """The upload check that a journal record tells of. Raises CheckRecordNotUnderstood.

    Everything is as the tables can hold it, so that no record can stop those behind it.
    """
    try:
        sha256, md5 = _optional(record, "sha256", 64), _optional(record, "md5", 32)
        return CheckedUpload(
            check_id=_text(record, "check_id", 24),
            at=_aware(record["at"]),
            platform_id=_text(record, "platform", 24),
            content_id=_optional(record, "content_id", 200),
            content_url=_optional(record, "content_url", 2_000),
            digests=Digests(sha256=sha256, md5=md5 or "") if sha256 else None,
            fingerprints=(
                *(fingerprint for algorithm in Algorithm for fingerprint in _codes(record, algorithm)),
                *_frame_codes(record),
            ),
            action=Action(record["action"]).value,
            matches=tuple(_match(match) for match in record["matches"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError, MalformedFingerprint) as error:
        raise CheckRecordNotUnderstood from error


def _text(record: Mapping[str, Any], member: str, longest: int) -> str:
    value = record[member]
    if not isinstance(value, str) or not 0 < len(value) <= longest:
        raise CheckRecordNotUnderstood
    return value


def _optional(record: Mapping[str, Any], member: str, longest: int) -> str | None:
    return _text(record, member, longest) if record[member] not in (None, "") else None


def _aware(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise CheckRecordNotUnderstood
    return at


def _match(match: Mapping[str, Any]) -> CheckedMatch:
    distance_bits = match["distance_bits"]
    if not isinstance(distance_bits, int) or not 0 <= distance_bits <= CODE_BITS:
        raise CheckRecordNotUnderstood
    return CheckedMatch(
        entry_id=_text(match, "entry_id", 24),
        kind=MatchKind(match["kind"]).value,
        distance_bits=distance_bits,
    )


def _codes(record: Mapping[str, Any], algorithm: Algorithm) -> tuple[Fingerprint, ...]:
    found = record[algorithm.value]
    if found is None:
        return ()
    if not isinstance(found["codes"], list) or len(found["codes"]) > len(DERIVATIONS):
        raise CheckRecordNotUnderstood
    return tuple(
        Fingerprint.from_hex(digits, algorithm=algorithm, quality=found["quality"], derivation=derivation)
        for digits, derivation in zip(found["codes"], DERIVATIONS, strict=False)
    )


def _frame_codes(record: Mapping[str, Any]) -> tuple[Fingerprint, ...]:
    """The codes of a video's frames; records of pictures, and older ones, have no such member."""
    rows = record.get("frames") or []
    if not isinstance(rows, list) or len(rows) > MAX_FRAME_CODES:
        raise CheckRecordNotUnderstood
    for derivation, _, _ in rows:
        if not is_derivation(derivation) or parse_frame_derivation(derivation) is None:
            raise CheckRecordNotUnderstood
    return tuple(
        Fingerprint.from_hex(digits, algorithm=Algorithm.PDQ, quality=quality, derivation=derivation)
        for derivation, quality, digits in rows
    )


def is_listable(check: CheckedUpload) -> bool:
    """Whether a check tells enough to find the content again: whose it is, where it is, what it is."""
    return bool(check.content_id and check.content_url and check.digests) and check.action != "block"
