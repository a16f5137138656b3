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


def read_check_record(record: Mapping[str, Any]) -> CheckedUpload:
    """The upload check that a journal record tells of. Raises CheckRecordNotUnderstood."""
    try:
        sha256, md5 = record["sha256"], record["md5"]
        return CheckedUpload(
            check_id=record["check_id"],
            at=datetime.fromisoformat(record["at"]),
            platform_id=record["platform"],
            content_id=record["content_id"],
            content_url=record["content_url"],
            digests=Digests(sha256=sha256, md5=md5 or "") if sha256 else None,
            fingerprints=tuple(
                fingerprint for algorithm in Algorithm for fingerprint in _codes(record, algorithm)
            ),
            action=record["action"],
            matches=tuple(
                CheckedMatch(
                    entry_id=match["entry_id"], kind=match["kind"], distance_bits=match["distance_bits"]
                )
                for match in record["matches"]
            ),
        )
    except (KeyError, TypeError, ValueError, MalformedFingerprint) as error:
        raise CheckRecordNotUnderstood from error


def _codes(record: Mapping[str, Any], algorithm: Algorithm) -> tuple[Fingerprint, ...]:
    found = record[algorithm.value]
    if found is None:
        return ()
    return tuple(
        Fingerprint.from_hex(digits, algorithm=algorithm, quality=found["quality"], derivation=derivation)
        for digits, derivation in zip(found["codes"], DERIVATIONS, strict=False)
    )


def is_listable(check: CheckedUpload) -> bool:
    """Whether a check tells enough to find the content again: whose it is, where it is, what it is."""
    return bool(check.content_id and check.content_url and check.digests) and check.action != "block"
