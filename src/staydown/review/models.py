"""Tables of the review stage."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from staydown.review.terms import OpeningReason, Outcome, Reason


class ClaimRecord(models.Model):
    """The claim on a request; at most one row a request."""

    notice = models.OneToOneField(
        "notices.NoticeRecord", to_field="number", on_delete=models.CASCADE, related_name="+"
    )
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    claimed_at = models.DateTimeField()
    expires_at = models.DateTimeField()


class DecisionRecord(models.Model):
    """The decision on a request; at most one row a request."""

    notice = models.OneToOneField(
        "notices.NoticeRecord", to_field="number", on_delete=models.PROTECT, related_name="+"
    )
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    outcome = models.CharField(max_length=16, choices=[(outcome.value, outcome.value) for outcome in Outcome])
    reason = models.CharField(
        max_length=32, blank=True, choices=[(reason.value, reason.value) for reason in Reason]
    )
    decided_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(outcome=Outcome.REMOVED) | ~models.Q(reason=""),
                name="refusal_has_reason",
            )
        ]


class OpeningRecord(models.Model):
    """A reviewer opened the post itself, and said why."""

    notice = models.ForeignKey(
        "notices.NoticeRecord", to_field="number", on_delete=models.CASCADE, related_name="+"
    )
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(
        max_length=32, choices=[(reason.value, reason.value) for reason in OpeningReason]
    )
    opened_at = models.DateTimeField()
