"""What the database itself refuses to hold, whoever asks."""

from __future__ import annotations

import itertools

import pytest
from django.db import IntegrityError, transaction

from staydown.access.terms import Platform
from staydown.bank.models import EntryRecord, SeenMatchRecord
from staydown.bank.terms import Source
from tests.staydown.conftest import NOW, a_filed_request, an_entry

WRONG = [
    (source, registration, notice)
    for source, registration, notice in itertools.product([*Source, "partner"], [False, True], [False, True])
    if (source, registration, notice)
    not in [(Source.REGISTRATION, True, False), (Source.NOTICE, False, True)]
]


@pytest.mark.parametrize(("source", "registration", "notice"), WRONG)
def test_the_database_refuses_an_entry_without_exactly_the_source_it_names(
    forum: Platform, source: str, registration: bool, notice: bool
) -> None:
    # Given a registration and a request
    registration_id, number = an_entry().registration_id, a_filed_request().number

    # When an entry names another source than it has, then the database refuses
    with pytest.raises(IntegrityError), transaction.atomic():
        EntryRecord.objects.create(
            public_id="ent_wrong",
            bank="default",
            state="unconfirmed",
            source=source,
            registration_id=registration_id if registration else None,
            notice_id=number if notice else None,
            created_at=NOW,
            state_changed_at=NOW,
        )


def test_the_database_refuses_a_match_of_one_check_and_entry_twice(db: None) -> None:
    row = {"check_id": "chk_1", "entry_id": an_entry().id, "kind": "exact", "distance_bits": 0, "at": NOW}
    SeenMatchRecord.objects.create(**row)

    with pytest.raises(IntegrityError), transaction.atomic():
        SeenMatchRecord.objects.create(**row)
