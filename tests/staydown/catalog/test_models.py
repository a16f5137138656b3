"""What the database itself refuses to hold, whoever asks."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from staydown.access.terms import Platform
from staydown.catalog.models import ContentRecord, JournalPosition
from tests.staydown.conftest import some_content


def test_the_database_refuses_one_item_of_a_platform_twice(forum: Platform) -> None:
    some_content(forum)
    row = ContentRecord.objects.get()
    row.pk = None

    with pytest.raises(IntegrityError), transaction.atomic():
        row.save(force_insert=True)


def test_the_database_refuses_two_positions_in_one_journal(db: None) -> None:
    JournalPosition.objects.create(file_name="1.journal", offset_bytes=1)

    with pytest.raises(IntegrityError), transaction.atomic():
        JournalPosition.objects.create(file_name="1.journal", offset_bytes=2)
