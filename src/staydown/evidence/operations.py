"""What can be done in the evidence stage. Each runs inside a journey's transaction."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Sum

from staydown.evidence import rules
from staydown.evidence.errors import (
    NotesChanged,
    NotesExist,
    NotesFileNotFound,
    NotesNotFound,
    TooLarge,
    TooManyFiles,
)
from staydown.evidence.models import NotesFileRecord, NotesKeyRecord, NotesRecord

FIRST_REVISION = 1


def start_notes(
    *, case_number: str, recipient: str, kind: str, wrapped: bytes, document: bytes, now: datetime
) -> None:
    """Stores new notes. Raises NotesExist, RecipientMalformed, NotLocked or TooLarge."""
    rules.check_recipient(recipient)
    rules.check_locked(wrapped, most=rules.MAX_WRAPPED_BYTES)
    rules.check_locked(document, most=rules.MAX_DOCUMENT_BYTES)
    if NotesRecord.objects.filter(case__number=case_number).exists():
        raise NotesExist
    record = NotesRecord.objects.create(
        case_id=case_number, recipient=recipient, document=document, revision=FIRST_REVISION, saved_at=now
    )
    NotesKeyRecord.objects.create(notes=record, kind=kind, wrapped=wrapped)


def wrap_notes(*, case_number: str, kind: str, wrapped: bytes) -> None:
    """Locks the identity by one more kind of key, or by new words of it. Raises NotesNotFound, NotLocked."""
    rules.check_locked(wrapped, most=rules.MAX_WRAPPED_BYTES)
    NotesKeyRecord.objects.update_or_create(
        notes=_notes(case_number), kind=kind, defaults={"wrapped": wrapped}
    )


def save_document(*, case_number: str, document: bytes, revision: int, now: datetime) -> int:
    """Stores a new document in the place of the one with `revision`. Returns the new revision.

    Raises NotesChanged if another one is stored by now; NotesNotFound, NotLocked or TooLarge.
    """
    rules.check_locked(document, most=rules.MAX_DOCUMENT_BYTES)
    record = _notes(case_number)
    if record.revision != revision:
        raise NotesChanged(revision=record.revision)
    record.document, record.revision, record.saved_at = document, revision + 1, now
    record.save(update_fields=["document", "revision", "saved_at"])
    return record.revision


def add_notes_file(*, case_number: str, file_id: str, content: bytes, now: datetime) -> None:
    """Stores an attachment. Raises NotesNotFound, NotLocked, TooLarge or TooManyFiles."""
    rules.check_locked(content, most=rules.MAX_FILE_BYTES)
    notes = _notes(case_number)
    if notes.files.count() >= rules.MAX_FILES:
        raise TooManyFiles(allowed=rules.MAX_FILES)
    stored = notes.files.aggregate(all=Sum("size_bytes"))["all"] or 0
    if stored + len(content) > rules.MAX_BYTES_IN_ALL:
        raise TooLarge(allowed=rules.MAX_BYTES_IN_ALL)
    NotesFileRecord.objects.create(
        public_id=file_id, notes=notes, content=content, size_bytes=len(content), added_at=now
    )


def remove_notes_file(*, case_number: str, file_id: str) -> None:
    """Deletes an attachment. Raises NotesFileNotFound."""
    record = NotesFileRecord.objects.filter(notes__case__number=case_number, public_id=file_id).first()
    if record is None:
        raise NotesFileNotFound
    record.delete()


def delete_notes(*, case_number: str) -> bool:
    """Deletes the notes with all that belongs to them. False if there were none."""
    record = NotesRecord.objects.filter(case__number=case_number).first()
    if record is None:
        return False
    record.delete()
    return True


def _notes(case_number: str) -> NotesRecord:
    record = NotesRecord.objects.select_for_update().filter(case__number=case_number).first()
    if record is None:
        raise NotesNotFound
    return record
