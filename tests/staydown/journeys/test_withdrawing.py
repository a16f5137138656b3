"""What withdrawing does, whoever asks for it: entries end, waiting requests end, and it is done once."""

from __future__ import annotations

import pytest
from django.db import transaction

from staydown.bank.queries import entries_of
from staydown.cases.queries import case_by_number
from staydown.journeys.file_request import file_request
from staydown.journeys.register_pictures import open_case_with_pictures
from staydown.journeys.withdrawing import withdraw_all, withdraw_entries
from staydown.matching.terms import EntryState
from staydown.notices.queries import notice_by_number
from staydown.notices.terms import NoticeState
from tests.staydown.conftest import NOW, a_draft, a_platform, an_item

pytestmark = pytest.mark.django_db


def test_case_is_withdrawn_once_with_entries_and_waiting_requests() -> None:
    # Given
    number = open_case_with_pictures([an_item()], now=NOW).number
    a_platform()
    [waiting] = file_request(a_draft(), case_number=number, now=NOW).notices

    # When
    with transaction.atomic():
        assert withdraw_all(case_number=number, now=NOW)
        assert not withdraw_all(case_number=number, now=NOW)

    # Then
    assert notice_by_number(waiting.number).state is NoticeState.WITHDRAWN


def test_only_the_named_entries_are_withdrawn() -> None:
    # Given two pictures
    number = open_case_with_pictures([an_item(), an_item()], now=NOW).number
    first, second = (row.id for row in case_by_number(number).registrations)

    # When
    with transaction.atomic():
        withdraw_entries(registration_ids=[first], notice_numbers=[], now=NOW)

    # Then
    states = {entry.registration_id: entry.state for entry in entries_of(registration_ids=[first, second])}
    assert states == {first: EntryState.WITHDRAWN, second: EntryState.UNCONFIRMED}
