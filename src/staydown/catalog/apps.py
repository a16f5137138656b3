"""Tells Django about the catalog stage."""

from django.apps import AppConfig


class CatalogConfig(AppConfig):
    name = "staydown.catalog"
    label = "catalog"
