"""A depicted person registers pictures: a new case, or more pictures in a case they have."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from staydown.access.operations import make_receipt, new_number, new_public_id
from staydown.access.terms import Receipt
from staydown.bank.operations import add_entry
from staydown.cases.operations import add_registrations, open_case
from staydown.cases.terms import Registration, SubmittedItem
from staydown.journeys.events import EventKind, write
from staydown.journeys.publishing import publish_bank_after_commit
from staydown.journeys.turn import in_turn
from staydown.matching.terms import EntryState


@in_turn
def open_case_with_pictures(
    items: Sequence[SubmittedItem], *, now: datetime, open_key: str | None = None
) -> Receipt:
    """Opens a case, registers the pictures in it and makes its receipt. Returns the receipt.

    `open_key` is what the device derived from a key phrase of its own making. Raises OpenKeyMalformed.
    """
    number = new_number("C")
    open_case(number=number, now=now)
    receipt = make_receipt(number=number, now=now, open_key=open_key)
    write(EventKind.CASE_OPENED, subject=number, now=now)
    _register(items, case_number=number, now=now)
    return receipt


@in_turn
def add_pictures(
    items: Sequence[SubmittedItem], *, case_number: str, now: datetime
) -> tuple[Registration, ...]:
    """Adds pictures to an open case. Raises CaseIsWithdrawn."""
    return _register(items, case_number=case_number, now=now)


def _register(items: Sequence[SubmittedItem], *, case_number: str, now: datetime) -> tuple[Registration, ...]:
    registrations = add_registrations(
        case_number=case_number, items=items, ids=[new_public_id("reg") for _ in items], now=now
    )
    for item, registration in zip(items, registrations, strict=True):
        add_entry(
            entry_id=new_public_id("ent"),
            digests=item.digests,
            fingerprints=item.fingerprints,
            state=EntryState.UNCONFIRMED,
            registration_id=registration.id,
            now=now,
        )
    write(
        EventKind.PICTURES_REGISTERED,
        subject=case_number,
        now=now,
        count=len(registrations),
        registrations=[registration.id for registration in registrations],
    )
    publish_bank_after_commit()
    return registrations
