"""Tells Django about the action stage."""

from django.apps import AppConfig


class ActionConfig(AppConfig):
    name = "staydown.action"
    label = "action"
