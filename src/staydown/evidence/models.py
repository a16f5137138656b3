"""Tables of the evidence stage. Every content is an age file that nothing here can open."""

from __future__ import annotations

from django.db import models


class NotesRecord(models.Model):
    """A case's private notes."""

    case = models.OneToOneField(
        "cases.CaseRecord", to_field="number", on_delete=models.CASCADE, related_name="+"
    )
    recipient = models.CharField(max_length=62)
    document = models.BinaryField()
    revision = models.PositiveIntegerField()
    saved_at = models.DateTimeField()


class NotesKeyRecord(models.Model):
    """The identity of the notes, locked by one kind of the case's keys."""

    notes = models.ForeignKey(NotesRecord, on_delete=models.CASCADE, related_name="keys")
    kind = models.CharField(max_length=16)
    wrapped = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["notes", "kind"], name="notes_key_once_a_kind")]


class NotesFileRecord(models.Model):
    """One attachment."""

    public_id = models.CharField(max_length=24, unique=True)
    notes = models.ForeignKey(NotesRecord, on_delete=models.CASCADE, related_name="files")
    content = models.BinaryField()
    size_bytes = models.PositiveIntegerField()
    added_at = models.DateTimeField()

    class Meta:
        ordering = ["added_at", "public_id"]
