"""A person changes what opens their case: a recovery key made or removed, or a new key phrase.

Whoever has the case open may do it, so pages ask once more first. Nobody can look words up.
"""

from __future__ import annotations

from datetime import datetime

from staydown.access.operations import forget_key, set_key
from staydown.access.terms import KeyKind
from staydown.cases.errors import CaseIsWithdrawn
from staydown.cases.queries import is_erased
from staydown.journeys.events import EventKind, write
from staydown.journeys.turn import in_turn


@in_turn
def make_key(*, case_number: str, kind: KeyKind, now: datetime, open_key: str | None = None) -> str | None:
    """Gives the case a key in the place of the one before, whose words then open nothing.

    Returns the words if they are made here; None if the person's device made them and sent their open key.
    Raises OpenKeyMalformed, and CaseIsWithdrawn for a case that was erased.
    """
    if is_erased(case_number):
        raise CaseIsWithdrawn
    phrase = set_key(number=case_number, kind=kind, now=now, open_key=open_key)
    write(EventKind.KEY_MADE, subject=case_number, now=now, key=kind.value)
    return phrase


@in_turn
def remove_recovery_key(*, case_number: str, now: datetime) -> bool:
    """Removes the recovery key. False if there was none."""
    removed = forget_key(number=case_number, kind=KeyKind.RECOVERY_KEY)
    if removed:
        write(EventKind.KEY_REMOVED, subject=case_number, now=now, key=KeyKind.RECOVERY_KEY.value)
    return removed
