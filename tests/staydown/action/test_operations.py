"""A platform is told at least once, and one worker at a time tells it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import transaction
from django.db.models import QuerySet

from staydown.access.terms import Platform
from staydown.action import operations as action
from staydown.action import rules
from staydown.action.errors import CopyNotFound, CopyTransitionRefused, NoEndpoint
from staydown.action.models import CopyRecord, DeliveryRecord, EndpointRecord
from staydown.action.queries import copies_of, copy_by_id
from staydown.action.terms import (
    Copy,
    CopyAction,
    CopyKind,
    CopyState,
    CopyToRemove,
    Delivery,
    DeliveryResult,
    DeliveryState,
)
from tests.staydown.conftest import NOW, WEBHOOK_SECRET, a_filed_request, a_platform

HEARD = DeliveryResult(status=204, trouble="")
REFUSED = DeliveryResult(status=503, trouble="refused")
Order = Callable[..., tuple[Copy, ...]]


@pytest.fixture
def order(forum: Platform) -> Order:
    """Orders copies of one request removed."""
    notice = a_filed_request()

    def ordered(*numbers: int, platform: Platform = forum) -> tuple[Copy, ...]:
        return action.instruct_copies(
            notice_number=notice.number,
            platform_id=platform.id,
            copies=[
                CopyToRemove(f"post-{n}", f"{platform.url_prefix}posts/{n}", CopyKind.NAMED) for n in numbers
            ],
            copy_ids=[f"cpy_{n}" for n in numbers],
            message_ids=[f"msg_{n}" for n in numbers],
            now=NOW,
        )

    return ordered


def claim(seconds: float = 0) -> Delivery:
    delivery = action.claim_due_delivery(now=NOW + timedelta(seconds=seconds))
    assert delivery is not None
    return delivery


def test_ordered_copies_wait_with_one_message_each(order: Order, forum: Platform) -> None:
    # When two copies are ordered
    first, second = order(1, 2)

    # Then each is pending, with one waiting message that is due at once
    assert (first.state, first.kind, first.created_at) == (CopyState.PENDING, CopyKind.NAMED, NOW)
    assert (first.instructed_at, first.gone_at, first.platform_id) == (None, None, forum.id)
    assert copies_of([first.notice_number]) == {first.notice_number: (first, second)}
    rows = DeliveryRecord.objects.order_by("pk").values_list(
        "message_id", "state", "attempts", "next_attempt_at"
    )
    assert list(rows) == [("msg_1", "waiting", 0, NOW), ("msg_2", "waiting", 0, NOW)]


def test_message_holds_ids_and_states_and_nothing_else(order: Order) -> None:
    order(1)

    assert json.loads(DeliveryRecord.objects.get().body) == {
        "type": "copy.instructed",
        "timestamp": NOW.isoformat(),
        "data": {"copy_id": "cpy_1", "content_id": "post-1", "state": "instructed"},
    }


def test_copy_whose_content_is_not_known_is_ordered_by_its_address(forum: Platform) -> None:
    [copy] = action.instruct_copies(
        notice_number=a_filed_request().number,
        platform_id=forum.id,
        copies=[CopyToRemove(None, "http://127.0.0.1:8001/posts/1", CopyKind.NAMED)],
        copy_ids=["cpy_1"],
        message_ids=["msg_1"],
        now=NOW,
    )

    assert (copy.content_id, copy.content_url) == (None, "http://127.0.0.1:8001/posts/1")
    assert json.loads(DeliveryRecord.objects.get().body)["data"]["content_id"] is None


def test_platform_without_an_endpoint_cannot_be_told(order: Order) -> None:
    silent = a_platform("Silent", url_prefix="https://silent.example/", endpoint=False)

    with pytest.raises(NoEndpoint):
        order(1, platform=silent)
    assert not CopyRecord.objects.exists()


def test_endpoint_that_is_set_again_is_replaced(forum: Platform, order: Order) -> None:
    # Given a waiting message, when the platform moves its endpoint
    order(1)
    action.set_endpoint(platform_id=forum.id, url="https://new.example/hook", secret="whsec_bmV3")

    # Then there is one endpoint, and the message goes to the new one with the new secret
    assert EndpointRecord.objects.count() == 1
    delivery = claim()
    assert (delivery.url, delivery.secret) == ("https://new.example/hook", "whsec_bmV3")


def test_nothing_is_due_before_its_time(order: Order) -> None:
    assert action.claim_due_delivery(now=NOW) is None
    order(1)

    assert action.claim_due_delivery(now=NOW - timedelta(microseconds=1)) is None
    assert claim().message_id == "msg_1"


def test_claimed_delivery_says_all_that_sending_needs(order: Order) -> None:
    order(1)

    delivery = claim()

    assert (delivery.message_id, delivery.copy_id, delivery.attempt) == ("msg_1", "cpy_1", 1)
    assert (delivery.url, delivery.secret) == ("http://127.0.0.1:8001/staydown", WEBHOOK_SECRET)
    assert json.loads(delivery.body)["data"]["copy_id"] == "cpy_1"


def test_claimed_delivery_is_nobody_elses_until_its_lease_ends(order: Order) -> None:
    # Given two due messages, when three workers ask
    order(1, 2)
    claimed = [action.claim_due_delivery(now=NOW) for _ in range(3)]

    # Then two have one each and the third has none
    assert [delivery and delivery.message_id for delivery in claimed] == ["msg_1", "msg_2", None]


def test_worker_that_dies_leaves_a_lease_that_ends_and_another_sends_again(order: Order) -> None:
    # Given a worker that claimed and died
    order(1)
    claim()

    # When the lease has not ended, then nobody has it; when it has, then the next attempt is another's
    lease = rules.LEASE.total_seconds()
    assert action.claim_due_delivery(now=NOW + timedelta(seconds=lease - 0.001)) is None
    assert claim(lease).attempt == 2


def test_worker_that_comes_back_after_its_lease_changes_nothing(order: Order) -> None:
    # Given a slow worker whose lease ended, and a second worker
    order(1)
    slow = claim()
    second = claim(rules.LEASE.total_seconds())

    # When the slow one notes what came of it, then nothing is noted
    for result in (REFUSED, HEARD):
        assert action.record_delivery(slow, result, now=NOW) is None
    row = DeliveryRecord.objects.get()
    assert (row.state, row.attempts, row.last_status) == ("waiting", 2, None)

    # When the second one does, then it counts
    assert action.record_delivery(second, HEARD, now=NOW) is DeliveryState.DELIVERED


def test_worker_that_loses_the_race_looks_for_the_next(order: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given two due messages, and another worker that claims the first between our look and our claim
    order(1, 2)
    seen = DeliveryRecord.objects.select_related("endpoint", "copy").get(message_id="msg_1")
    claim()
    looks, look = iter([seen]), QuerySet.first
    monkeypatch.setattr(QuerySet, "first", lambda rows: next(looks, None) or look(rows))

    # Then it gets the second, and the first was claimed once
    assert claim().message_id == "msg_2"
    assert dict(DeliveryRecord.objects.values_list("message_id", "attempts")) == {"msg_1": 1, "msg_2": 1}


def test_delivered_message_is_never_due_again(order: Order) -> None:
    order(1)

    assert action.record_delivery(claim(), HEARD, now=NOW) is DeliveryState.DELIVERED

    assert action.claim_due_delivery(now=NOW + timedelta(days=30)) is None
    assert DeliveryRecord.objects.get().last_status == 204


def test_refused_message_is_tried_again_as_the_schedule_says_and_is_dead_after_the_last(order: Order) -> None:
    # Given a message that the platform refuses each time
    order(1)
    now = NOW
    for wait in rules.RETRY_AFTER:
        delivery = action.claim_due_delivery(now=now)
        assert delivery is not None
        assert action.record_delivery(delivery, REFUSED, now=now) is DeliveryState.WAITING
        assert action.claim_due_delivery(now=now + wait - timedelta(milliseconds=1)) is None
        now += wait

    # When the last attempt fails too, then it is dead and never tried again
    last = action.claim_due_delivery(now=now)
    assert last is not None
    assert last.attempt == len(rules.RETRY_AFTER) + 1
    assert action.record_delivery(last, REFUSED, now=now) is DeliveryState.DEAD
    assert action.claim_due_delivery(now=now + timedelta(days=30)) is None
    row = DeliveryRecord.objects.get()
    assert (row.state, row.last_status, row.last_trouble) == ("dead", 503, "refused")


@pytest.mark.parametrize("what", list(CopyAction))
@pytest.mark.parametrize("state", list(CopyState))
def test_stored_copy_moves_as_the_table_says_and_keeps_its_times(
    order: Order, state: CopyState, what: CopyAction
) -> None:
    # Given a copy in this state
    order(1)
    CopyRecord.objects.update(state=state, gone_at=NOW if state is CopyState.GONE else None)
    later = NOW + timedelta(hours=1)

    if (state, what) not in rules.TRANSITIONS:
        # When the table has no such move, then nothing changes
        with pytest.raises(CopyTransitionRefused), transaction.atomic():
            action.change_copy(copy_id="cpy_1", action=what, now=later)
        assert CopyRecord.objects.get().state == state
        return

    # When it has, then the copy moves, notes when, and says whether anything changed
    copy, changed = action.change_copy(copy_id="cpy_1", action=what, now=later)
    after = rules.state_after(state, what)
    assert (copy.state, changed) == (after, after is not state)
    assert copy == copy_by_id("cpy_1", platform_id=copy.platform_id)
    assert copy.gone_at == {CopyState.GONE: NOW if state is CopyState.GONE else later}.get(after)
    assert copy.instructed_at == (later if changed and after is CopyState.INSTRUCTED else None)


def test_copy_of_another_platform_does_not_exist_for_it(order: Order) -> None:
    order(1)
    other = a_platform("Other", url_prefix="https://other.example/")

    for copy_id, platform_id in [("cpy_1", other.id), ("cpy_9", other.id), ("cpy_9", None)]:
        with pytest.raises(CopyNotFound):
            action.change_copy(
                copy_id=copy_id, action=CopyAction.CONFIRM_GONE, platform_id=platform_id, now=NOW
            )
    assert CopyRecord.objects.get().state == "pending"
