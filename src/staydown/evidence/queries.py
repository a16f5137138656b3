"""What can be asked of the evidence stage."""

from __future__ import annotations

from staydown.evidence.errors import NotesFileNotFound
from staydown.evidence.models import NotesFileRecord, NotesRecord
from staydown.evidence.terms import LockedFile, LockedNotes


def notes_of(case_number: str) -> LockedNotes | None:
    """A case's private notes without the contents of their files; None if it keeps none."""
    record = NotesRecord.objects.filter(case__number=case_number).first()
    if record is None:
        return None
    return LockedNotes(
        recipient=record.recipient,
        wrapped={key.kind: bytes(key.wrapped) for key in record.keys.all()},
        document=bytes(record.document),
        revision=record.revision,
        files=tuple(
            LockedFile(id=public_id, size_bytes=size_bytes)
            for public_id, size_bytes in record.files.values_list("public_id", "size_bytes")
        ),
    )


def notes_file(case_number: str, file_id: str) -> bytes:
    """One locked attachment. Raises NotesFileNotFound if this case's notes hold no such file."""
    record = NotesFileRecord.objects.filter(notes__case__number=case_number, public_id=file_id).first()
    if record is None:
        raise NotesFileNotFound
    return bytes(record.content)
