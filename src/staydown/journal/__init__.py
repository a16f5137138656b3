"""What the database side and the upload check tell each other, in files: pure, no Django, no network.

The upload check must never wait for a database. So what it must know (the bank, the tokens) is written into
files that it follows, and what it found out (the checks) is written into files that the database side reads.
"""

from staydown.journal.bank_folding import BankFolder, Folded
from staydown.journal.bank_follower import BankFollower
from staydown.journal.bank_journal import BankJournalReader, BankJournalWriter, Reset
from staydown.journal.bank_records import apply_bank_record, claimed_entry_id
from staydown.journal.check_journal import CheckJournalReader, CheckJournalWriter
from staydown.journal.errors import (
    BankRecordNotUnderstood,
    BankSegmentDamaged,
    BankSegmentMissing,
    JournalDamaged,
    JournalError,
    JournalFormatUnknown,
    SequenceNotRising,
)
from staydown.journal.tokens import TokensFile, tokens_lock, write_tokens

__all__ = [
    "BankFolder",
    "BankFollower",
    "BankJournalReader",
    "BankJournalWriter",
    "BankRecordNotUnderstood",
    "BankSegmentDamaged",
    "BankSegmentMissing",
    "CheckJournalReader",
    "CheckJournalWriter",
    "Folded",
    "JournalDamaged",
    "JournalError",
    "JournalFormatUnknown",
    "Reset",
    "SequenceNotRising",
    "TokensFile",
    "apply_bank_record",
    "claimed_entry_id",
    "tokens_lock",
    "write_tokens",
]
