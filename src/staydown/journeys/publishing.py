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
from staydown.journal import BankJournalWriter, tokens_lock, write_tokens


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


def compact_bank_journal() -> bool:
    """Starts a new generation if the journal holds more than the live entries. Returns whether it did.

    Only then is what a person withdrew gone from the file, too.
    """
    with BankJournalWriter(settings.STAYDOWN_BANK_JOURNAL_PATH) as journal:
        newest = last_change()
        records = [record for record in journal_records(after=0) if record["op"] == "put"]
        if journal.count() <= len(records):
            return False
        journal.rewrite(records, after=newest)
    return True


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
