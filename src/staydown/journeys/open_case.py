"""A person opens their case with its receipt. Wrong tries are counted, and slowed down."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from staydown.access import rules
from staydown.access.operations import check_receipt, clear_attempts, count_attempt
from staydown.access.terms import KeyKind


@dataclass(frozen=True, slots=True)
class OpenedCase:
    """The case that was opened, and by which of its keys."""

    number: str
    by: KeyKind


def open_case_with_receipt(
    *, number: str, address: str, now: datetime, key_phrase: str = "", open_key: str = ""
) -> OpenedCase:
    """Opens a case, if its number and the key phrase (or the open key derived from it) belong together.

    The recovery key's words do as well. Each try is counted before anything is compared: by case and address
    together, so that nobody who knows the number can lock the person out from afar, and by address alone.
    Raises TooManyAttempts or ReceiptNotRecognised.
    """
    wanted = rules.normalise_number(number)
    count_attempt(purpose="receipt-from", who=address, rule=rules.ADDRESS_RULE, now=now)
    count_attempt(purpose="receipt", who=f"{wanted}\n{address}", rule=rules.RECEIPT_RULE, now=now)
    by = check_receipt(number=wanted, key_phrase=key_phrase, open_key=open_key)
    clear_attempts(purpose="receipt", who=f"{wanted}\n{address}")
    return OpenedCase(number=wanted, by=by)
