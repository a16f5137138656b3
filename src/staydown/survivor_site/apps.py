"""Tells Django about the survivor_site door (templates; it has no tables)."""

from django.apps import AppConfig


class SurvivorSiteConfig(AppConfig):
    name = "staydown.survivor_site"
    label = "survivor_site"
