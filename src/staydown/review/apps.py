"""Tells Django about the review stage."""

from django.apps import AppConfig


class ReviewConfig(AppConfig):
    name = "staydown.review"
    label = "review"
