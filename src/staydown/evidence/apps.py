"""The evidence stage as a Django application."""

from __future__ import annotations

from django.apps import AppConfig


class EvidenceConfig(AppConfig):
    """Private notes and what belongs to them."""

    name = "staydown.evidence"
    label = "evidence"
