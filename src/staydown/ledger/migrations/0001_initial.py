"""The first tables of the ledger: entries, tree nodes, and the one head."""

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="LedgerEntry",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("index", models.PositiveBigIntegerField(unique=True)),
                ("commitment", models.BinaryField(max_length=32)),
                ("salt", models.BinaryField(max_length=32, null=True)),
                ("event", models.JSONField(null=True)),
                ("kind", models.CharField(max_length=80)),
                ("subject", models.CharField(db_index=True, max_length=80, null=True)),
                ("recorded_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("event__isnull", True), ("salt__isnull", True), ("subject__isnull", True)
                            ),
                            models.Q(
                                ("event__isnull", False), ("salt__isnull", False), ("subject__isnull", False)
                            ),
                            _connector="OR",
                        ),
                        name="ledger_salt_event_subject_together",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="LedgerHead",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("size", models.PositiveBigIntegerField()),
                ("root", models.BinaryField(max_length=32)),
                ("checkpoint", models.TextField()),
                ("vkey", models.TextField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("pk", 1)), name="ledger_one_head")
                ],
            },
        ),
        migrations.CreateModel(
            name="LedgerNode",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("level", models.PositiveSmallIntegerField()),
                ("index", models.PositiveBigIntegerField()),
                ("digest", models.BinaryField(max_length=32)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("level", "index"), name="ledger_node_place")],
            },
        ),
    ]
