"""Tables of the notices stage."""

from __future__ import annotations

from django.db import models

from staydown.notices.rules import FINAL_STATES
from staydown.notices.terms import NoticeState, Signer

# Sorted, so that the constraint reads the same in every process and no migration is made for nothing.
_CLOSED = sorted(state.value for state in FINAL_STATES)
_WAITING = sorted(state.value for state in set(NoticeState) - FINAL_STATES)


class NoticeRecord(models.Model):
    """One removal request with its four elements and its clock."""

    number = models.CharField(max_length=16, unique=True)
    case = models.ForeignKey(
        "cases.CaseRecord", to_field="number", on_delete=models.PROTECT, related_name="+"
    )
    platform = models.ForeignKey(
        "access.PlatformRecord", to_field="public_id", on_delete=models.PROTECT, related_name="+"
    )
    state = models.CharField(max_length=16, choices=[(state.value, state.value) for state in NoticeState])
    received_at = models.DateTimeField()
    deadline_at = models.DateTimeField()
    duty_id = models.CharField(max_length=64)
    closed_at = models.DateTimeField(null=True)
    signature = models.CharField(max_length=200)
    signer = models.CharField(max_length=20, choices=[(signer.value, signer.value) for signer in Signer])
    statement = models.TextField(blank=True)
    contact = models.CharField(max_length=300)

    class Meta:
        indexes = [models.Index(fields=["state", "deadline_at"], name="notice_by_deadline")]
        constraints = [
            models.CheckConstraint(
                condition=(
                    models.Q(state__in=_CLOSED, closed_at__isnull=False)
                    | models.Q(state__in=_WAITING, closed_at=None)
                ),
                name="notice_closed_with_time",
            ),
            models.CheckConstraint(
                condition=models.Q(deadline_at__gt=models.F("received_at")), name="notice_deadline_later"
            ),
        ]


class LocationRecord(models.Model):
    """One address that a request names."""

    notice = models.ForeignKey(NoticeRecord, on_delete=models.CASCADE, related_name="locations")
    url = models.CharField(max_length=2000)

    class Meta:
        ordering = ["pk"]
