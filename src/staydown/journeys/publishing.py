"""Carries changes from the database to the two files that the upload check reads.

Called after each commit that changes the bank or the tokens, and swept by the jobs door, so that a
process killed between the commit and the file loses nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from staydown.access.queries import live_tokens
from staydown.bank.queries import journal_records, last_change
from staydown.journal import (
    BankFolder,
    BankJournalWriter,
    BankSegmentDamaged,
    BankSegmentMissing,
    Folded,
    tokens_lock,
    write_tokens,
)

logger = logging.getLogger(__name__)

# Changes that are read from the database at a time: with 33 codes each some 10 MB.
RECORDS_AT_ONCE = 1000


def publish_bank() -> int:
    """Appends every change that the bank journal does not have yet. Returns how many."""
    with BankJournalWriter(settings.STAYDOWN_BANK_JOURNAL_PATH) as journal:
        published = journal.last_seq()
        if published > last_change():
            # The journal belongs to another database (a restored backup).
            return _begin_anew(journal)
        count = 0
        while records := journal_records(after=published, most=RECORDS_AT_ONCE):
            journal.append(records)
            published, count = journal.last_seq(), count + len(records)
    return count


def fold_bank(*, now: datetime) -> Folded:
    """Folds the bank journal into segments where that is due, so that what was withdrawn leaves the files.

    A segment that is damaged is replaced: everything is told anew from the database.
    """
    folder = _folder(settings.STAYDOWN_BANK_JOURNAL_PATH)
    try:
        return folder.fold(now=now)
    except (BankSegmentDamaged, BankSegmentMissing) as error:
        logger.error("the bank is told anew from the database, because %s", error)
        folder.forget()
        with BankJournalWriter(settings.STAYDOWN_BANK_JOURNAL_PATH) as journal:
            _begin_anew(journal)
        return folder.fold(now=now)


@lru_cache(maxsize=1)
def _folder(journal: Path) -> BankFolder:
    return BankFolder(journal)


def _begin_anew(journal: BankJournalWriter) -> int:
    """Tells all of the database's bank in a new generation. Returns how many changes that are."""
    count = 0

    def all_records() -> Iterator[dict[str, Any]]:
        nonlocal count
        last_seq = 0
        while records := journal_records(after=last_seq, most=RECORDS_AT_ONCE):
            last_seq, count = records[-1]["seq"], count + len(records)
            yield from records

    journal.rewrite(all_records())
    return count


def publish_bank_after_commit() -> None:
    """Publishes once the current transaction is committed."""
    transaction.on_commit(publish_bank)


def publish_tokens(*, now: datetime) -> None:
    """Replaces the upload check's token file with the tokens that are good now.

    Reads them under the file's lock, so that a slow sweep never brings a revoked token back.
    """
    path = settings.STAYDOWN_TOKENS_PATH
    with tokens_lock(path):
        write_tokens(path, live_tokens(now=now))
