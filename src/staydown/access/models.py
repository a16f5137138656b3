"""Tables of the access stage."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models

from staydown.access.terms import KeyKind, Role


class StaffMember(AbstractUser):
    """A person who works at the desk. Depicted people never have an account."""

    role = models.CharField(max_length=16, choices=[(role.value, role.value) for role in Role])

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(role__in=[role.value for role in Role]), name="staff_role_known"
            )
        ]


class PlatformRecord(models.Model):
    """A covered platform; a content URL belongs to it when it starts with `url_prefix`."""

    public_id = models.CharField(max_length=24, unique=True)
    name = models.CharField(max_length=120, unique=True)
    url_prefix = models.CharField(max_length=400, unique=True)
    created_at = models.DateTimeField()


class ApiToken(models.Model):
    """A platform's token, kept as its SHA-256 only."""

    digest = models.CharField(max_length=64, unique=True)
    platform = models.ForeignKey(PlatformRecord, on_delete=models.CASCADE, related_name="tokens")
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)


class ReceiptVerifier(models.Model):
    """Argon2id verifier of the open key of a case's key phrase, or of its recovery key. Neither is stored."""

    number = models.CharField(max_length=16)
    kind = models.CharField(
        max_length=16, choices=[(kind.value, kind.value) for kind in KeyKind], default=KeyKind.KEY_PHRASE
    )
    verifier = models.CharField(max_length=200)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["number", "kind"], name="one_key_of_a_kind")]


class Throttle(models.Model):
    """Attempts counted under one key (a keyed digest: no address is stored) in one window."""

    key = models.CharField(max_length=64, unique=True)
    window_started_at = models.DateTimeField()
    attempts = models.PositiveIntegerField()


class IdempotentCall(models.Model):
    """A call that a platform marked with an Idempotency-Key, and the number of what it made."""

    platform = models.ForeignKey(
        PlatformRecord, to_field="public_id", on_delete=models.CASCADE, related_name="+"
    )
    route = models.CharField(max_length=80)
    key = models.CharField(max_length=200)
    body_sha256 = models.CharField(max_length=64)
    made = models.CharField(max_length=24)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["platform", "route", "key"], name="idempotency_key_once")
        ]
