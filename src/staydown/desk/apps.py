"""Tells Django about the desk door (templates; it has no tables)."""

from django.apps import AppConfig


class DeskConfig(AppConfig):
    name = "staydown.desk"
    label = "desk"
