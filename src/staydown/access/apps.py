"""Tells Django about the access stage."""

from django.apps import AppConfig


class AccessConfig(AppConfig):
    name = "staydown.access"
    label = "access"
