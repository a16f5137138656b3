"""Errors of the catalog stage.

CatalogError
└── CheckRecordNotUnderstood   a line of the check journal lacks what it must have
"""

from __future__ import annotations

from staydown.errors import StaydownError


class CatalogError(StaydownError):
    """Base of the stage's errors."""


class CheckRecordNotUnderstood(CatalogError):
    """A record of the check journal lacks a member or holds one of the wrong kind."""
