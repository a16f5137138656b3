from django.db import migrations, models


class Migration(migrations.Migration):
    """Frames of a video have names such as "@123456.500~right-19~r270". Widening: the release before goes on."""

    dependencies = [
        ("bank", "0001_initial"),
    ]

    operations = [
        migrations.AlterField(
            model_name="coderecord",
            name="derivation",
            field=models.CharField(max_length=32),
        ),
    ]
