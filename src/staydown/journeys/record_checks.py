"""What upload checks reported reaches the catalog and the bank's match counts, exactly once."""

from __future__ import annotations

import logging
from functools import partial

from django.conf import settings

from staydown.access.queries import platforms
from staydown.bank.operations import record_matches
from staydown.bank.rules import upload_mark
from staydown.bank.terms import SeenMatch
from staydown.catalog.errors import CheckRecordNotUnderstood
from staydown.catalog.operations import forget_positions, list_content, save_positions
from staydown.catalog.queries import journal_positions
from staydown.catalog.rules import read_check_record
from staydown.journal import CheckJournalReader
from staydown.journeys.turn import READING_CHECKS, in_turn
from staydown.matching.terms import MatchKind

logger = logging.getLogger(__name__)

# Two that read the same lines would each store them, and the slower one an older position; meanwhile people's
# registrations and requests need not wait.
reading_in_turn = partial(in_turn, turn=READING_CHECKS)


@reading_in_turn
def record_checks() -> int:
    """Reads what the check journals have gained and stores it with the new positions. Returns how many."""
    before = journal_positions()
    records, after = CheckJournalReader(settings.STAYDOWN_CHECKS_DIR).read(before)
    if after == before:
        return 0
    known = {platform.id for platform in platforms()}
    for record in records:
        try:
            check = read_check_record(record)
        except CheckRecordNotUnderstood:
            logger.error("a record of the check journal was not understood and is left out")
            continue
        if check.platform_id not in known:
            logger.error("a check of a platform that is not (or no longer) served is left out")
            continue
        list_content(check)
        record_matches(
            SeenMatch(
                check_id=check.check_id,
                entry_id=match.entry_id,
                kind=match.kind,
                distance_bits=match.distance_bits,
                at=check.at,
                platform_id=check.platform_id,
                upload=upload_mark(
                    match.entry_id,
                    sha256=check.digests.sha256 if check.digests else None,
                    content_id=check.content_id,
                    check_id=check.check_id,
                )
                if match.kind == MatchKind.NEAR
                else "",
            )
            for match in check.matches
        )
    save_positions(after)
    return len(records)


@reading_in_turn
def delete_read_checks() -> int:
    """Deletes the check journals that were read and are written no more. Returns how many.

    A kill between the file and the row leaves a row about a file that is gone, which the next call forgets.
    """
    positions = journal_positions()
    deleted = CheckJournalReader(settings.STAYDOWN_CHECKS_DIR).delete_read(positions)
    left = {path.name for path in settings.STAYDOWN_CHECKS_DIR.glob("*")}
    forget_positions(name for name in positions if name not in left)
    return len(deleted)
