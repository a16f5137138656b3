"""Tells Django about the bank stage."""

from django.apps import AppConfig


class BankConfig(AppConfig):
    name = "staydown.bank"
    label = "bank"
