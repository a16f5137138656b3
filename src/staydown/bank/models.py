"""Tables of the bank stage."""

from __future__ import annotations

from django.db import models

from staydown.bank.terms import Source
from staydown.fingerprint import Algorithm
from staydown.fingerprint.views import MAX_NAME_CHARACTERS
from staydown.matching.terms import EntryState


class EntryRecord(models.Model):
    """One entry: digests and provenance; its codes are rows of their own."""

    public_id = models.CharField(max_length=24, unique=True)
    bank = models.CharField(max_length=40)
    state = models.CharField(max_length=16, choices=[(state.value, state.value) for state in EntryState])
    source = models.CharField(max_length=16, choices=[(source.value, source.value) for source in Source])
    registration = models.ForeignKey(
        "cases.RegistrationRecord",
        to_field="public_id",
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    notice = models.ForeignKey(
        "notices.NoticeRecord", to_field="number", null=True, on_delete=models.PROTECT, related_name="+"
    )
    sha256 = models.CharField(max_length=64, blank=True, db_index=True)
    md5 = models.CharField(max_length=32, blank=True)
    created_at = models.DateTimeField()
    state_changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(source=Source.REGISTRATION, registration__isnull=False, notice=None)
                | models.Q(source=Source.NOTICE, registration=None, notice__isnull=False),
                name="entry_has_its_source",
            )
        ]


class CodeRecord(models.Model):
    """One perceptual code of an entry and its derivation. Sensitive: never shown, logged or put in a URL."""

    entry = models.ForeignKey(EntryRecord, on_delete=models.CASCADE, related_name="codes")
    algorithm = models.CharField(
        max_length=8, choices=[(algorithm.value, algorithm.value) for algorithm in Algorithm]
    )
    derivation = models.CharField(max_length=MAX_NAME_CHARACTERS)
    quality = models.PositiveSmallIntegerField()
    code = models.BinaryField(max_length=32)


class ChangeRecord(models.Model):
    """The change sequence: one row each time an entry changes; the upload check follows it."""

    seq = models.BigAutoField(primary_key=True)
    entry = models.ForeignKey(EntryRecord, on_delete=models.CASCADE, related_name="+")


class SeenMatchRecord(models.Model):
    """A match that an upload check reported."""

    check_id = models.CharField(max_length=24)
    entry = models.ForeignKey(
        EntryRecord, to_field="public_id", on_delete=models.CASCADE, related_name="seen_matches"
    )
    kind = models.CharField(max_length=8)
    distance_bits = models.PositiveSmallIntegerField()
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["check_id", "entry"], name="match_once_per_check_and_entry")
        ]
