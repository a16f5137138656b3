"""A request to another platform is followed by its clock, and only by its own case."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from staydown.cases.errors import CaseIsWithdrawn, OutsideRequestNotFound, SentInTheFuture
from staydown.cases.models import OutsideRequestRecord
from staydown.cases.queries import outside_requests_of
from staydown.cases.terms import OutsideState
from staydown.journeys.follow_outside import (
    answer_outside_request,
    follow_outside_request,
    forget_outside_request,
)
from staydown.journeys.register_pictures import open_case_with_pictures
from staydown.journeys.withdraw import withdraw_everything
from staydown.law.errors import ChannelNotFound
from staydown.ledger.queries import events_of
from tests.staydown.conftest import NOW, an_item

pytestmark = pytest.mark.django_db


@pytest.fixture
def number() -> str:
    return open_case_with_pictures([an_item()], now=NOW).number


def follow(number: str, **changes: object) -> str:
    asked = {"channel_id": "x", "sent_at": NOW, "now": NOW, **changes}
    return follow_outside_request(case_number=number, **asked)  # type: ignore[arg-type]


def test_clock_runs_from_the_sending_not_from_the_noting(number: str) -> None:
    follow(number, sent_at=NOW - timedelta(hours=40))
    [followed] = outside_requests_of(number)
    assert followed.deadline_at == NOW + timedelta(hours=8)


def test_answer_is_noted_once_and_can_be_taken_back(number: str) -> None:
    request = follow(number)
    assert answer_outside_request(case_number=number, request_id=request, state=OutsideState.REMOVED, now=NOW)
    assert not answer_outside_request(
        case_number=number, request_id=request, state=OutsideState.REMOVED, now=NOW
    )
    assert outside_requests_of(number)[0].answered_at == NOW

    answer_outside_request(case_number=number, request_id=request, state=OutsideState.WAITING, now=NOW)
    assert outside_requests_of(number)[0].answered_at is None
    assert [row.event.kind for row in events_of(number)].count("outside_request.answered") == 2


@pytest.mark.parametrize("channel_id", ["nowhere", "ftc", ""])
def test_what_is_no_channel_is_refused(number: str, channel_id: str) -> None:
    with pytest.raises(ChannelNotFound):
        follow(number, channel_id=channel_id)
    assert outside_requests_of(number) == ()


def test_future_is_refused_but_a_clock_that_runs_ahead_is_not(number: str) -> None:
    with pytest.raises(SentInTheFuture):
        follow(number, sent_at=NOW + timedelta(hours=1))
    follow(number, sent_at=NOW + timedelta(minutes=5))


def test_withdrawn_case_follows_nothing_new(number: str) -> None:
    withdraw_everything(case_number=number, now=NOW)
    with pytest.raises(CaseIsWithdrawn):
        follow(number)


def test_another_case_can_neither_answer_nor_delete_it(number: str) -> None:
    # Given
    request = follow(number)
    other = open_case_with_pictures([an_item()], now=NOW).number

    # Then
    with pytest.raises(OutsideRequestNotFound):
        answer_outside_request(case_number=other, request_id=request, state=OutsideState.REMOVED, now=NOW)
    with pytest.raises(OutsideRequestNotFound):
        forget_outside_request(case_number=other, request_id=request, now=NOW)
    forget_outside_request(case_number=number, request_id=request, now=NOW)
    assert outside_requests_of(number) == ()


def test_the_database_refuses_an_answer_without_its_time(number: str) -> None:
    follow(number)
    with pytest.raises(IntegrityError), transaction.atomic():
        OutsideRequestRecord.objects.update(state=OutsideState.REMOVED)
