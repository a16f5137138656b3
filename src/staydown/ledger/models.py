"""Tables of the ledger stage. Rows are added; only the three openable columns are ever emptied, together."""

from __future__ import annotations

from django.db import models


class LedgerEntry(models.Model):
    """One leaf. `salt`, `event` and `subject` go together when a person's data is erased; the rest stays."""

    index = models.PositiveBigIntegerField(unique=True)
    commitment = models.BinaryField(max_length=32)
    salt = models.BinaryField(max_length=32, null=True)
    event = models.JSONField(null=True)
    kind = models.CharField(max_length=80)
    subject = models.CharField(max_length=80, null=True, db_index=True)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(salt__isnull=True, event__isnull=True, subject__isnull=True)
                | models.Q(salt__isnull=False, event__isnull=False, subject__isnull=False),
                name="ledger_salt_event_subject_together",
            )
        ]


class LedgerNode(models.Model):
    """Digest of one complete subtree: 2**level leaves, the index-th of its level. Never changes."""

    level = models.PositiveSmallIntegerField()
    index = models.PositiveBigIntegerField()
    digest = models.BinaryField(max_length=32)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["level", "index"], name="ledger_node_place")]


class LedgerHead(models.Model):
    """The one row that says how long the log is; appending locks it."""

    size = models.PositiveBigIntegerField()
    root = models.BinaryField(max_length=32)
    checkpoint = models.TextField()
    vkey = models.TextField()

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="ledger_one_head")]
