"""Tables of the cases stage."""

from __future__ import annotations

from django.db import models

from staydown.cases.terms import CaseState, OutsideState


class CaseRecord(models.Model):
    """One case. The person behind it is known to us only by a receipt's verifier."""

    number = models.CharField(max_length=16, unique=True)
    state = models.CharField(max_length=16, choices=[(state.value, state.value) for state in CaseState])
    opened_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state=CaseState.OPEN, withdrawn_at=None)
                | models.Q(state__in=[CaseState.WITHDRAWN, CaseState.ERASED], withdrawn_at__isnull=False),
                name="case_withdrawn_with_time",
            )
        ]


class RegistrationRecord(models.Model):
    """One protected picture or video. Its fingerprints live in the bank only."""

    public_id = models.CharField(max_length=24, unique=True)
    case = models.ForeignKey(CaseRecord, on_delete=models.CASCADE, related_name="registrations")
    position = models.PositiveIntegerField()
    media = models.CharField(max_length=8)
    near_matching = models.BooleanField()
    registered_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["case", "position"], name="registration_position_once_per_case")
        ]


class PlanRecord(models.Model):
    """The plan that a person keeps in their case, at most one."""

    case = models.OneToOneField(CaseRecord, on_delete=models.CASCADE, related_name="plan")
    answers = models.CharField(max_length=40)
    ticked = models.JSONField(default=list)
    kept_at = models.DateTimeField()


class OutsideRequestRecord(models.Model):
    """A request that the person sent to another platform and follows here."""

    public_id = models.CharField(max_length=24, unique=True)
    case = models.ForeignKey(CaseRecord, on_delete=models.CASCADE, related_name="outside_requests")
    channel_id = models.CharField(max_length=40)
    sent_at = models.DateTimeField()
    deadline_at = models.DateTimeField()
    duty_id = models.CharField(max_length=40)
    state = models.CharField(max_length=16, choices=[(state.value, state.value) for state in OutsideState])
    answered_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["sent_at", "public_id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state=OutsideState.WAITING, answered_at=None)
                | (~models.Q(state=OutsideState.WAITING) & models.Q(answered_at__isnull=False)),
                name="outside_request_answered_with_time",
            )
        ]
