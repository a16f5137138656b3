"""Carries changes from the database to the two files that the upload check reads.

Called after each commit that changes the bank or the tokens, and swept by the jobs door, so that a
process killed between the commit and the file loses nothing.
"""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import transaction

from staydown.access.queries import live_tokens
from staydown.bank.queries import journal_records, last_change
from staydown.journal import BankJournalWriter, write_tokens


def publish_bank() -> int:
    """Appends every change that the bank journal does not have yet. Returns how many."""
    with BankJournalWriter(settings.STAYDOWN_BANK_JOURNAL_PATH) as journal:
        published = journal.last_seq()
        if published > last_change():
            # The journal belongs to another database (a restored backup): start it anew from this one.
            records = journal_records(after=0)
            journal.rewrite(records)
        else:
            records = journal_records(after=published)
            journal.append(records)
    return len(records)


def publish_bank_after_commit() -> None:
    """Publishes once the current transaction is committed."""
    transaction.on_commit(publish_bank)


def publish_tokens(*, now: datetime) -> None:
    """Replaces the upload check's token file with the tokens that are good now."""
    write_tokens(settings.STAYDOWN_TOKENS_PATH, live_tokens(now=now))
