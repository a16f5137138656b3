"""Tables of the catalog stage."""

from __future__ import annotations

from django.db import models


class ContentRecord(models.Model):
    """One item that a platform hosts. `codes` holds algorithm, derivation, quality and hex of each."""

    platform = models.ForeignKey(
        "access.PlatformRecord", to_field="public_id", on_delete=models.CASCADE, related_name="+"
    )
    content_id = models.CharField(max_length=200)
    content_url = models.CharField(max_length=2000, db_index=True)
    sha256 = models.CharField(max_length=64, blank=True, db_index=True)
    md5 = models.CharField(max_length=32, blank=True)
    codes = models.JSONField(default=list)
    check_id = models.CharField(max_length=24)
    checked_at = models.DateTimeField()
    action = models.CharField(max_length=8)
    removed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["platform", "content_id"], name="content_once_per_platform")
        ]


class JournalPosition(models.Model):
    """How far a check journal has been read; moves in the same transaction as what was read."""

    file_name = models.CharField(max_length=120, unique=True)
    offset_bytes = models.PositiveBigIntegerField()
