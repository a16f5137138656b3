"""An administrator lets somebody work at the desk."""

from __future__ import annotations

import secrets

from django.db import transaction

from staydown.access.operations import add_staff_member
from staydown.access.terms import Role


@transaction.atomic
def invite_staff_member(*, username: str, role: Role) -> str:
    """Adds a member of staff with a random password, which is returned and shown once."""
    password = secrets.token_urlsafe(12)
    add_staff_member(username=username, password=password, role=role)
    return password
