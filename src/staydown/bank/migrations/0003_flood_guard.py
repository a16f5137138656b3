import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import staydown.bank.terms
import staydown.matching.terms


class Migration(migrations.Migration):
    """Floods and their decisions. Only adds, with defaults in the database: the release before goes on."""

    dependencies = [
        ("access", "0001_initial"),
        ("bank", "0002_longer_derivations"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="FloodDecisionRecord",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "decision",
                    models.CharField(
                        choices=[("put_back", "put_back"), ("keep_out", "keep_out")], max_length=16
                    ),
                ),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("copies_of_it", "copies_of_it"),
                            ("flood_is_over", "flood_is_over"),
                            ("fits_many_pictures", "fits_many_pictures"),
                            ("made_to_disturb", "made_to_disturb"),
                        ],
                        max_length=32,
                    ),
                ),
                ("decided_at", models.DateTimeField()),
            ],
            options={
                "ordering": ["pk"],
            },
        ),
        migrations.CreateModel(
            name="FloodRecord",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", models.CharField(max_length=24, unique=True)),
                (
                    "answer",
                    models.CharField(
                        choices=[("quarantine", "quarantine"), ("alarm", "alarm")], max_length=16
                    ),
                ),
                (
                    "state_before",
                    models.CharField(
                        choices=[
                            ("unconfirmed", "unconfirmed"),
                            ("confirmed", "confirmed"),
                            ("disputed", "disputed"),
                            ("quarantined", "quarantined"),
                            ("withdrawn", "withdrawn"),
                        ],
                        max_length=16,
                    ),
                ),
                ("near", models.PositiveIntegerField()),
                ("far", models.PositiveIntegerField()),
                ("usual", models.PositiveIntegerField()),
                ("found_at", models.DateTimeField()),
                ("closed_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.AlterModelOptions(
            name="coderecord",
            options={"ordering": ["pk"]},
        ),
        migrations.AddField(
            model_name="entryrecord",
            name="older_matches",
            field=models.PositiveBigIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="seenmatchrecord",
            name="platform",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="access.platformrecord",
                to_field="public_id",
            ),
        ),
        migrations.AddField(
            model_name="seenmatchrecord",
            name="upload",
            field=models.CharField(blank=True, db_default="", max_length=16),
        ),
        migrations.AddIndex(
            model_name="seenmatchrecord",
            index=models.Index(
                condition=models.Q(("kind", "near")), fields=["at"], name="near_match_by_time"
            ),
        ),
        migrations.AddIndex(
            model_name="seenmatchrecord",
            index=models.Index(fields=["entry", "at"], name="match_by_entry_and_time"),
        ),
        migrations.AddField(
            model_name="flooddecisionrecord",
            name="reviewer",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="floodrecord",
            name="entry",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="bank.entryrecord",
                to_field="public_id",
            ),
        ),
        migrations.AddField(
            model_name="floodrecord",
            name="platform",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="access.platformrecord",
                to_field="public_id",
            ),
        ),
        migrations.AddField(
            model_name="flooddecisionrecord",
            name="flood",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="decisions", to="bank.floodrecord"
            ),
        ),
        migrations.AddConstraint(
            model_name="floodrecord",
            constraint=models.UniqueConstraint(
                condition=models.Q(("closed_at", None)), fields=("entry",), name="flood_open_once_per_entry"
            ),
        ),
        migrations.AddConstraint(
            model_name="floodrecord",
            constraint=models.CheckConstraint(
                condition=models.Q(("far__lte", models.F("near"))), name="flood_far_is_part_of_near"
            ),
        ),
        migrations.AddConstraint(
            model_name="floodrecord",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("answer", staydown.bank.terms.FloodAnswer["ALARM"]),
                    models.Q(
                        ("answer", staydown.bank.terms.FloodAnswer["QUARANTINE"]),
                        ("state_before", staydown.matching.terms.EntryState["UNCONFIRMED"]),
                    ),
                    _connector="OR",
                ),
                name="flood_pauses_unconfirmed_only",
            ),
        ),
        migrations.AddConstraint(
            model_name="floodrecord",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("closed_at", None), ("closed_at__gte", models.F("found_at")), _connector="OR"
                ),
                name="flood_closed_after_found",
            ),
        ),
        migrations.AddConstraint(
            model_name="flooddecisionrecord",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("decision", staydown.bank.terms.FloodDecision["PUT_BACK"]),
                        (
                            "reason__in",
                            [
                                staydown.bank.terms.FloodReason["COPIES_OF_IT"],
                                staydown.bank.terms.FloodReason["FLOOD_IS_OVER"],
                            ],
                        ),
                    ),
                    models.Q(
                        ("decision", staydown.bank.terms.FloodDecision["KEEP_OUT"]),
                        (
                            "reason__in",
                            [
                                staydown.bank.terms.FloodReason["FITS_MANY_PICTURES"],
                                staydown.bank.terms.FloodReason["MADE_TO_DISTURB"],
                            ],
                        ),
                    ),
                    _connector="OR",
                ),
                name="flood_decision_has_its_reason",
            ),
        ),
    ]
