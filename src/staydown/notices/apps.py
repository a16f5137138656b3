"""Tells Django about the notices stage."""

from django.apps import AppConfig


class NoticesConfig(AppConfig):
    name = "staydown.notices"
    label = "notices"
