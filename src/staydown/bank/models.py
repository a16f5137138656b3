"""Tables of the bank stage."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from staydown.bank.terms import FloodAnswer, FloodDecision, FloodReason, Source
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
    older_matches = models.PositiveBigIntegerField(default=0, db_default=0)
    """Matches that are kept as a number only."""

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

    class Meta:
        ordering = ["pk"]


class ChangeRecord(models.Model):
    """The change sequence: one row each time an entry changes; the upload check follows it.

    Numbers rise in the order of commits, though a sequence alone would not see to that (bank/operations.py):
    whoever has read up to a number has missed nothing below it. Numbers may be left out.
    """

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
    platform = models.ForeignKey(
        "access.PlatformRecord", to_field="public_id", null=True, on_delete=models.CASCADE, related_name="+"
    )
    upload = models.CharField(max_length=16, blank=True, db_default="")
    """The same for the same file (rules.upload_mark); empty unless near, and after a withdrawal."""

    class Meta:
        indexes = [
            # What the flood guard asks every few seconds, and what it asks about the few that it found.
            models.Index(fields=["at"], name="near_match_by_time", condition=models.Q(kind="near")),
            models.Index(fields=["entry", "at"], name="match_by_entry_and_time"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["check_id", "entry"], name="match_once_per_check_and_entry")
        ]


class FloodRecord(models.Model):
    """One time that an entry left its baseline: what the guard saw, what it did, and what was before."""

    public_id = models.CharField(max_length=24, unique=True)
    entry = models.ForeignKey(EntryRecord, to_field="public_id", on_delete=models.CASCADE, related_name="+")
    platform = models.ForeignKey(
        "access.PlatformRecord", to_field="public_id", on_delete=models.CASCADE, related_name="+"
    )
    answer = models.CharField(max_length=16, choices=[(answer.value, answer.value) for answer in FloodAnswer])
    state_before = models.CharField(
        max_length=16, choices=[(state.value, state.value) for state in EntryState]
    )
    near = models.PositiveIntegerField()
    far = models.PositiveIntegerField()
    usual = models.PositiveIntegerField()
    found_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["entry"], condition=models.Q(closed_at=None), name="flood_open_once_per_entry"
            ),
            models.CheckConstraint(
                condition=models.Q(far__lte=models.F("near")), name="flood_far_is_part_of_near"
            ),
            # A confirmed entry was vouched for by a person; the guard never pauses it.
            models.CheckConstraint(
                condition=models.Q(answer=FloodAnswer.ALARM)
                | models.Q(answer=FloodAnswer.QUARANTINE, state_before=EntryState.UNCONFIRMED),
                name="flood_pauses_unconfirmed_only",
            ),
            models.CheckConstraint(
                condition=models.Q(closed_at=None) | models.Q(closed_at__gte=models.F("found_at")),
                name="flood_closed_after_found",
            ),
        ]


class FloodDecisionRecord(models.Model):
    """A reviewer's decision about a flood, never changed; a later one is another row."""

    flood = models.ForeignKey(FloodRecord, on_delete=models.CASCADE, related_name="decisions")
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    decision = models.CharField(
        max_length=16, choices=[(decision.value, decision.value) for decision in FloodDecision]
    )
    reason = models.CharField(max_length=32, choices=[(reason.value, reason.value) for reason in FloodReason])
    decided_at = models.DateTimeField()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(
                    decision=FloodDecision.PUT_BACK,
                    reason__in=[FloodReason.COPIES_OF_IT, FloodReason.FLOOD_IS_OVER],
                )
                | models.Q(
                    decision=FloodDecision.KEEP_OUT,
                    reason__in=[FloodReason.FITS_MANY_PICTURES, FloodReason.MADE_TO_DISTURB],
                ),
                name="flood_decision_has_its_reason",
            )
        ]
