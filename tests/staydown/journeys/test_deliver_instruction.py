"""A platform hears of a copy and answers; whichever comes first, the copy ends where it belongs."""

from __future__ import annotations

import pytest

from staydown.access.terms import Platform
from staydown.action.errors import CopyNotFound
from staydown.action.models import DeliveryRecord
from staydown.action.operations import claim_due_delivery
from staydown.action.queries import copies_of
from staydown.action.rules import LEASE, RETRY_AFTER
from staydown.action.terms import Copy, CopyState, Delivery, DeliveryResult
from staydown.catalog.queries import content_at
from staydown.journeys.deliver_instruction import confirm_copy_gone, note_delivery
from staydown.journeys.work_on_request import grant_request
from staydown.ledger.queries import events_of
from staydown.notices.terms import Notice
from tests.staydown.conftest import NOW, a_claimed_request, a_platform, some_content

POST = "http://127.0.0.1:8001/posts/1"
HEARD = DeliveryResult(status=200, trouble="")
SILENCE = DeliveryResult(status=0, trouble="ConnectError")


@pytest.fixture
def notice(forum: Platform, bob: int) -> Notice:
    """A granted request for a post that the catalog knows."""
    some_content(forum)
    granted = a_claimed_request(POST, reviewer_id=bob)
    grant_request(notice_number=granted.number, reviewer_id=bob, now=NOW)
    return granted


def the_copy(notice: Notice) -> Copy:
    [copy] = copies_of([notice.number])[notice.number]
    return copy


def due() -> Delivery:
    delivery = claim_due_delivery(now=NOW)
    assert delivery is not None
    return delivery


def told(notice: Notice) -> list[str]:
    kinds = [row.event.kind for row in events_of(notice.case_number)]
    return [kind for kind in kinds if kind in ("copy.instructed", "copy.gone", "copy.failed")]


def the_last_attempt() -> Delivery:
    """The delivery, claimed for the last time."""
    DeliveryRecord.objects.update(attempts=len(RETRY_AFTER), next_attempt_at=NOW)
    return due()


def test_heard_and_then_gone(notice: Notice, forum: Platform) -> None:
    # When the platform hears of the copy
    note_delivery(due(), HEARD, now=NOW)
    assert (the_copy(notice).state, the_copy(notice).instructed_at) == (CopyState.INSTRUCTED, NOW)

    # When it says that the copy is gone, then it leaves the catalog too
    copy = confirm_copy_gone(copy_id=the_copy(notice).id, platform_id=forum.id, now=NOW)
    assert (copy.state, copy.gone_at) == (CopyState.GONE, NOW)
    assert content_at(platform_id=forum.id, url=POST) is None
    assert told(notice) == ["copy.instructed", "copy.gone"]
    assert events_of(notice.case_number)[-1].event.details == {"request": notice.number, "copy": copy.id}


def test_gone_before_we_noted_that_it_heard(notice: Notice, forum: Platform) -> None:
    # Given a platform that removes and says so inside its answer to the webhook
    delivery = due()
    confirm_copy_gone(copy_id=the_copy(notice).id, platform_id=forum.id, now=NOW)

    # When the delivery is noted afterwards, then the copy stays gone and nothing more is told
    note_delivery(delivery, HEARD, now=NOW)
    assert the_copy(notice).state is CopyState.GONE
    assert told(notice) == ["copy.gone"]


@pytest.mark.parametrize("result", [SILENCE, DeliveryResult(503, "refused"), DeliveryResult(302, "refused")])
def test_failed_attempt_leaves_the_copy_waiting(notice: Notice, result: DeliveryResult) -> None:
    note_delivery(due(), result, now=NOW)

    assert the_copy(notice).state is CopyState.PENDING
    assert told(notice) == []


def test_copy_is_failed_for_a_person_after_the_last_attempt(notice: Notice, forum: Platform) -> None:
    # When the last attempt fails
    note_delivery(the_last_attempt(), SILENCE, now=NOW)
    assert the_copy(notice).state is CopyState.FAILED
    assert told(notice) == ["copy.failed"]

    # When the platform removes it after all, then it is gone
    confirm_copy_gone(copy_id=the_copy(notice).id, platform_id=forum.id, now=NOW)
    assert told(notice) == ["copy.failed", "copy.gone"]


def test_last_attempt_that_fails_after_the_copy_is_gone_leaves_it_gone(
    notice: Notice, forum: Platform
) -> None:
    last = the_last_attempt()
    confirm_copy_gone(copy_id=the_copy(notice).id, platform_id=forum.id, now=NOW)

    note_delivery(last, SILENCE, now=NOW)

    assert the_copy(notice).state is CopyState.GONE
    assert told(notice) == ["copy.gone"]


def test_worker_whose_lease_ended_changes_nothing(notice: Notice) -> None:
    # Given a slow worker and one that claimed after it
    slow = due()
    second = claim_due_delivery(now=NOW + LEASE)
    assert second is not None

    # When the slow one notes that the platform heard, then only the second one's word counts
    note_delivery(slow, HEARD, now=NOW + LEASE)
    assert the_copy(notice).state is CopyState.PENDING
    note_delivery(second, HEARD, now=NOW + LEASE)
    assert the_copy(notice).instructed_at == NOW + LEASE


def test_saying_gone_twice_changes_nothing_the_second_time(notice: Notice, forum: Platform) -> None:
    copy_id = the_copy(notice).id
    first = confirm_copy_gone(copy_id=copy_id, platform_id=forum.id, now=NOW)

    assert confirm_copy_gone(copy_id=copy_id, platform_id=forum.id, now=NOW + LEASE) == first
    assert told(notice) == ["copy.gone"]


def test_another_platforms_copy_is_not_found(notice: Notice) -> None:
    # Given Charlie's platform
    charlies = a_platform("Charlie's", url_prefix="https://charlie.example/")

    # When it says that the forum's copy is gone, then there is no such copy, as for an unknown one
    for copy_id in (the_copy(notice).id, "cpy_unknown"):
        with pytest.raises(CopyNotFound):
            confirm_copy_gone(copy_id=copy_id, platform_id=charlies.id, now=NOW)
    assert the_copy(notice).state is CopyState.PENDING


def test_copy_that_the_catalog_does_not_know_can_be_gone(forum: Platform, bob: int) -> None:
    notice = a_claimed_request(POST, reviewer_id=bob)
    grant_request(notice_number=notice.number, reviewer_id=bob, now=NOW)

    assert (
        confirm_copy_gone(copy_id=the_copy(notice).id, platform_id=forum.id, now=NOW).state is CopyState.GONE
    )


def test_message_without_a_copy_is_noted_by_itself(notice: Notice) -> None:
    DeliveryRecord.objects.update(copy=None)

    note_delivery(due(), HEARD, now=NOW)

    assert DeliveryRecord.objects.get().state == "delivered"
    assert told(notice) == []
