"""Starts Django for commands, workers and the server; the one place that names the settings module."""

import os


def set_up_django() -> None:
    """Configures Django once; later calls do nothing."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "staydown.config.settings")
    import django

    django.setup()
