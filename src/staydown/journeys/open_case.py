"""A person opens their case with its receipt. Wrong tries are counted, and slowed down."""

from __future__ import annotations

from datetime import datetime

from staydown.access import rules
from staydown.access.operations import check_receipt, clear_attempts, count_attempt


def open_case_with_receipt(*, number: str, key_phrase: str, address: str, now: datetime) -> str:
    """The case's number, if number and key phrase belong together.

    Each try is counted before anything is compared: by case and address together, so that nobody who knows
    the number can lock the person out from elsewhere, and by address alone.
    Raises TooManyAttempts or ReceiptNotRecognised.
    """
    wanted = rules.normalise_number(number)
    count_attempt(purpose="receipt-from", who=address, rule=rules.ADDRESS_RULE, now=now)
    count_attempt(purpose="receipt", who=f"{wanted}\n{address}", rule=rules.RECEIPT_RULE, now=now)
    opened = check_receipt(number=wanted, key_phrase=key_phrase)
    clear_attempts(purpose="receipt", who=f"{wanted}\n{address}")
    return opened
