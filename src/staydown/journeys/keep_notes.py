"""A depicted person keeps private notes: started, saved, given files, deleted. All of it comes locked.

The log learns that there are notes and that they were deleted; not when they were written in, nor how much.
"""

from __future__ import annotations

from datetime import datetime

from staydown.access.operations import new_public_id
from staydown.access.terms import KeyKind
from staydown.cases.errors import CaseIsWithdrawn
from staydown.cases.queries import is_erased
from staydown.evidence import operations
from staydown.journeys.events import EventKind, write
from staydown.journeys.turn import in_turn


@in_turn
def start_notes(
    *, case_number: str, recipient: str, kind: KeyKind, wrapped: bytes, document: bytes, now: datetime
) -> None:
    """Starts private notes. Raises NotesExist, RecipientMalformed, NotLocked, TooLarge, CaseIsWithdrawn."""
    if is_erased(case_number):
        raise CaseIsWithdrawn
    operations.start_notes(
        case_number=case_number,
        recipient=recipient,
        kind=kind.value,
        wrapped=wrapped,
        document=document,
        now=now,
    )
    write(EventKind.NOTES_STARTED, subject=case_number, now=now)


@in_turn
def wrap_notes(*, case_number: str, kind: KeyKind, wrapped: bytes) -> None:
    """Lets one more key of the case open the notes. Raises NotesNotFound, NotLocked or TooLarge."""
    operations.wrap_notes(case_number=case_number, kind=kind.value, wrapped=wrapped)


@in_turn
def save_notes(*, case_number: str, document: bytes, revision: int, now: datetime) -> int:
    """Saves the notes. Returns the new revision. Raises NotesChanged, NotesNotFound, NotLocked, TooLarge."""
    return operations.save_document(case_number=case_number, document=document, revision=revision, now=now)


@in_turn
def add_notes_file(*, case_number: str, content: bytes, now: datetime) -> str:
    """Keeps an attachment. Returns its id. Raises NotesNotFound, NotLocked, TooLarge or TooManyFiles."""
    file_id = new_public_id("att")
    operations.add_notes_file(case_number=case_number, file_id=file_id, content=content, now=now)
    return file_id


@in_turn
def remove_notes_file(*, case_number: str, file_id: str) -> None:
    """Deletes an attachment. Raises NotesFileNotFound."""
    operations.remove_notes_file(case_number=case_number, file_id=file_id)


@in_turn
def delete_notes(*, case_number: str, now: datetime) -> bool:
    """Deletes the private notes. False if there were none."""
    deleted = operations.delete_notes(case_number=case_number)
    if deleted:
        write(EventKind.NOTES_DELETED, subject=case_number, now=now)
    return deleted
