"""Tables of the action stage."""

from __future__ import annotations

from django.db import models

from staydown.action.terms import CopyKind, CopyState, DeliveryState


class EndpointRecord(models.Model):
    """Where a platform hears from us, and the secret that signs what it hears."""

    platform = models.OneToOneField(
        "access.PlatformRecord", to_field="public_id", on_delete=models.CASCADE, related_name="+"
    )
    url = models.CharField(max_length=400)
    secret = models.CharField(max_length=120)


class CopyRecord(models.Model):
    """One place to clear, and what became of it."""

    public_id = models.CharField(max_length=24, unique=True)
    notice = models.ForeignKey(
        "notices.NoticeRecord", to_field="number", on_delete=models.PROTECT, related_name="+"
    )
    platform = models.ForeignKey(
        "access.PlatformRecord", to_field="public_id", on_delete=models.PROTECT, related_name="+"
    )
    content_id = models.CharField(max_length=200, null=True)  # null: we do not know it
    content_url = models.CharField(max_length=2000)
    kind = models.CharField(max_length=8, choices=[(kind.value, kind.value) for kind in CopyKind])
    state = models.CharField(max_length=16, choices=[(state.value, state.value) for state in CopyState])
    created_at = models.DateTimeField()
    instructed_at = models.DateTimeField(null=True)
    gone_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["notice", "content_url"], name="copy_once_per_notice"),
            models.CheckConstraint(
                condition=models.Q(state=CopyState.GONE, gone_at__isnull=False)
                | (~models.Q(state=CopyState.GONE) & models.Q(gone_at=None)),
                name="copy_gone_with_time",
            ),
        ]


class DeliveryRecord(models.Model):
    """One webhook message in the outbox. `next_attempt_at` is also the end of a lease while one is held."""

    endpoint = models.ForeignKey(EndpointRecord, on_delete=models.CASCADE, related_name="deliveries")
    copy = models.ForeignKey(CopyRecord, null=True, on_delete=models.CASCADE, related_name="deliveries")
    message_id = models.CharField(max_length=40, unique=True)
    body = models.TextField()
    state = models.CharField(max_length=16, choices=[(state.value, state.value) for state in DeliveryState])
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField()
    last_status = models.PositiveIntegerField(null=True)
    last_trouble = models.CharField(max_length=80, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                name="delivery_due",
                condition=models.Q(state=DeliveryState.WAITING),
            )
        ]
