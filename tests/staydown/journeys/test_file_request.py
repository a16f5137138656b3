"""Somebody files a request: one a platform, in a case of its own or an old one, whole or not at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from staydown.access.errors import IdempotencyKeyReused
from staydown.access.operations import check_receipt
from staydown.access.terms import MarkedCall, Platform
from staydown.cases.errors import CaseIsWithdrawn
from staydown.cases.models import CaseRecord
from staydown.journeys.file_request import file_request, file_request_for_platform
from staydown.journeys.register_pictures import open_case_with_pictures
from staydown.journeys.withdraw import withdraw_everything
from staydown.ledger.queries import events_of, latest_checkpoint
from staydown.notices.errors import (
    AddressNotUnderstood,
    ElementsMissing,
    NoticeError,
    NotOnThisPlatform,
    TextTooLong,
    TooManyAddresses,
)
from staydown.notices.models import NoticeRecord
from staydown.notices.queries import notice_by_number
from staydown.notices.terms import Element, NoticeState, RequestDraft
from tests.staydown.conftest import NOW, a_draft, a_platform, an_item

POST = "http://127.0.0.1:8001/posts/1"


def nothing_was_stored() -> bool:
    return not (NoticeRecord.objects.exists() or CaseRecord.objects.exists() or latest_checkpoint())


def test_request_without_a_case_makes_one_with_a_receipt(forum: Platform) -> None:
    # When Alice asks for a post to be removed
    filed = file_request(a_draft(POST), now=NOW)

    # Then the clock of 48 hours runs from now
    [notice] = filed.notices
    assert (notice.state, notice.platform_id, notice.urls) == (NoticeState.OPEN, forum.id, (POST,))
    assert (notice.received_at, notice.deadline_at) == (NOW, NOW + timedelta(hours=48))
    assert notice.duty_id == "tida-removal"

    # Then her receipt opens the case it belongs to, and its ledger says what was received
    assert filed.receipt is not None
    check_receipt(number=filed.receipt.number, key_phrase=filed.receipt.key_phrase or "")
    number = filed.receipt.number
    assert notice.case_number == number
    opened, received = (row.event for row in events_of(number))
    assert opened.kind == "case.opened"
    assert (received.kind, received.at) == ("request.received", NOW)
    assert received.details == {
        "request": notice.number,
        "platform": forum.id,
        "deadline_at": "2026-03-09T20:30:00+00:00",
        "addresses": 1,
    }


def test_ledger_never_learns_who_asks_or_where(forum: Platform) -> None:
    filed = file_request(a_draft(POST), now=NOW)

    told = repr(events_of(filed.notices[0].case_number))
    assert not any(secret in told for secret in ("Alice", "alice@example.org", POST, "never agreed"))


def test_request_joins_the_case_that_is_open(forum: Platform) -> None:
    # Given Alice's case
    receipt = open_case_with_pictures([an_item()], now=NOW)

    # When she asks from inside it, then there is no second receipt
    filed = file_request(a_draft(POST), case_number=receipt.number, now=NOW)
    assert filed.receipt is None
    assert filed.notices[0].case_number == receipt.number
    assert CaseRecord.objects.count() == 1
    assert [row.event.kind for row in events_of(receipt.number)].count("case.opened") == 1


def test_request_cannot_join_a_withdrawn_case(forum: Platform) -> None:
    receipt = open_case_with_pictures([an_item()], now=NOW)
    withdraw_everything(case_number=receipt.number, now=NOW)

    with pytest.raises(CaseIsWithdrawn):
        file_request(a_draft(POST), case_number=receipt.number, now=NOW)
    assert not NoticeRecord.objects.exists()


def test_addresses_on_two_platforms_become_two_requests_in_one_case(forum: Platform) -> None:
    # Given a second platform
    other = a_platform("Other", url_prefix="https://other.example/")

    # When Alice names posts of both, mixed and one of them twice
    filed = file_request(
        a_draft("https://other.example/a", POST, "https://other.example/b", f"{POST}#top", " "), now=NOW
    )

    # Then each platform has its own request with its own addresses
    assert [(notice.platform_id, notice.urls) for notice in filed.notices] == [
        (other.id, ("https://other.example/a", "https://other.example/b")),
        (forum.id, (POST,)),
    ]
    [case_number] = {notice.case_number for notice in filed.notices}
    kinds = [row.event.kind for row in events_of(case_number)]
    assert kinds == ["case.opened", "request.received", "request.received"]


@pytest.mark.parametrize(
    ("draft", "error"),
    [
        (a_draft(signature=" "), ElementsMissing),
        (a_draft(urls=("", " \n")), ElementsMissing),
        (a_draft(signature="x" * 201), TextTooLong),
        (a_draft(*[f"{POST}{n}" for n in range(21)]), TooManyAddresses),
        (a_draft(POST, "javascript:alert(1)"), AddressNotUnderstood),
        (a_draft(POST, "http://127.0.0.1:8002/posts/1"), NotOnThisPlatform),
    ],
)
def test_what_is_not_a_request_leaves_nothing(
    forum: Platform, draft: RequestDraft, error: type[NoticeError]
) -> None:
    with pytest.raises(error):
        file_request(draft, now=NOW)
    assert nothing_was_stored()


def test_failure_of_the_second_request_takes_the_first_with_it(
    forum: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given two platforms and a number that comes twice
    a_platform("Other", url_prefix="https://other.example/")
    monkeypatch.setattr("staydown.journeys.file_request.new_number", lambda letter: f"{letter}-SAME-SAME")

    # When a request names both, then neither half is stored
    with pytest.raises(Exception, match=r"UNIQUE|unique"):
        file_request(a_draft(POST, "https://other.example/a"), now=NOW)
    assert nothing_was_stored()


def a_call(platform: Platform, **changes: Any) -> MarkedCall:
    call = MarkedCall(platform_id=platform.id, route="notices", key="key-1", body_sha256="a" * 64)
    return replace(call, **changes)


def test_marked_call_that_comes_twice_files_once(forum: Platform) -> None:
    # When the forum files for its member and, having heard no answer, files again
    first, second = (
        file_request_for_platform(
            a_draft(POST), platform=forum, call=a_call(forum), now=NOW + timedelta(seconds=n)
        )
        for n in range(2)
    )

    # Then there is one request; the key phrase is told once
    assert first.notices == second.notices
    assert first.receipt is not None
    assert second.receipt is None
    assert NoticeRecord.objects.count() == CaseRecord.objects.count() == 1


def test_marked_call_with_another_body_is_refused(forum: Platform) -> None:
    file_request_for_platform(a_draft(POST), platform=forum, call=a_call(forum), now=NOW)

    with pytest.raises(IdempotencyKeyReused):
        file_request_for_platform(
            a_draft(f"{POST}0"), platform=forum, call=a_call(forum, body_sha256="b" * 64), now=NOW
        )
    assert NoticeRecord.objects.count() == 1


def test_marked_call_that_was_refused_may_be_mended_under_the_same_key(forum: Platform) -> None:
    # Given a call that lacked the signature
    with pytest.raises(ElementsMissing) as refused:
        file_request_for_platform(a_draft(POST, signature=""), platform=forum, call=a_call(forum), now=NOW)
    assert refused.value.missing == (Element.SIGNATURE,)

    # When it comes whole under the same key, then it is filed
    mended = a_call(forum, body_sha256="b" * 64)
    assert file_request_for_platform(a_draft(POST), platform=forum, call=mended, now=NOW).notices


def test_same_key_of_two_platforms_files_for_each(forum: Platform) -> None:
    other = a_platform("Other", url_prefix="https://other.example/")

    for platform in (forum, other):
        draft = a_draft(f"{platform.url_prefix}posts/1")
        filed = file_request_for_platform(draft, platform=platform, call=a_call(platform), now=NOW)
        assert notice_by_number(filed.notices[0].number).platform_id == platform.id


def test_unmarked_calls_file_each_time(forum: Platform) -> None:
    for _ in range(2):
        file_request_for_platform(a_draft(POST), platform=forum, call=None, now=NOW)

    assert NoticeRecord.objects.count() == 2


def test_platform_cannot_file_against_another(forum: Platform) -> None:
    other = a_platform("Other", url_prefix="https://other.example/")

    with pytest.raises(NotOnThisPlatform):
        file_request_for_platform(a_draft(POST), platform=other, call=None, now=NOW)
    assert nothing_was_stored()
