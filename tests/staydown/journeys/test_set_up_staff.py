"""Somebody is let in with a random password that is shown once."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from staydown.access.models import StaffMember
from staydown.access.terms import Role
from staydown.journeys.set_up_staff import invite_staff_member


def test_invited_reviewer_signs_in_with_the_password_shown_and_no_other_has_it(db: None) -> None:
    # When Bob and Berta are invited
    bobs = invite_staff_member(username="bob", role=Role.REVIEWER)
    bertas = invite_staff_member(username="berta", role=Role.LEAD)

    # Then each password is its owner's, long, and not stored
    bob = StaffMember.objects.get(username="bob")
    assert bob.check_password(bobs)
    assert not bob.check_password(bertas)
    assert (bob.role, bob.is_superuser) == ("reviewer", False)
    assert len(bobs) >= 16
    assert bobs not in bob.password


def test_name_that_is_taken_keeps_its_password(db: None) -> None:
    StaffMember.objects.create(username="bob", role=Role.REVIEWER, password="!")

    with pytest.raises(IntegrityError), transaction.atomic():
        invite_staff_member(username="bob", role=Role.ADMINISTRATOR)
    assert (StaffMember.objects.get().role, StaffMember.objects.get().password) == ("reviewer", "!")
