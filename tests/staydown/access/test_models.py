"""What the database itself refuses to hold, whoever asks."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from staydown.access.models import StaffMember
from staydown.access.terms import Role


@pytest.mark.parametrize("role", ["", "owner", "Reviewer"])
def test_the_database_refuses_a_role_that_is_not_one_of_ours(db: None, role: str) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        StaffMember.objects.create(username="charlie", role=role)


@pytest.mark.parametrize("role", list(Role))
def test_the_database_takes_every_role_of_ours(db: None, role: Role) -> None:
    assert StaffMember.objects.create(username="bob", role=role).pk
