"""The reviewers' pages: most urgent first, one claim at a time, no picture, no fingerprint."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from staydown.access.terms import Platform
from staydown.action.queries import copies_of
from staydown.config.csp import PAGE_CSP
from staydown.journeys.file_request import file_request
from staydown.journeys.register_pictures import open_case_with_pictures
from staydown.journeys.withdraw import withdraw_everything, withdraw_request
from staydown.ledger.queries import events_of
from staydown.notices.queries import notice_by_number
from staydown.notices.terms import Notice, NoticeState
from staydown.review.models import OpeningRecord
from staydown.review.queries import claims_on, decisions_on
from staydown.review.terms import OpeningReason, Outcome, Reason
from tests.staydown.conftest import (
    NOW,
    a_draft,
    a_filed_request,
    a_platform,
    an_item,
    changed_by,
    some_content,
)
from tests.staydown.desk.conftest import window_of
from tests.staydown.doors import Clock, Screen, Window, secrets_of

SCRIPT = '<script>alert("x")</script>'


@pytest.fixture
def waiting(forum: Platform) -> Notice:
    """Alice's request, waiting."""
    return a_filed_request()


def act(window: Window, notice: Notice, action: str, **values: Any) -> Screen:
    """Presses the button of a form on the request's page."""
    page = f"/desk/requests/{notice.number}"
    return window.send(page, action=f"{page}/{action}", **values)


def act_unasked(window: Window, notice: Notice, action: str, **values: str) -> Screen:
    """Sends a form that the page does not show, with a good protection token."""
    page = window.open("/desk/")
    token = page.forms[0].values["csrfmiddlewaretoken"]
    path = f"/desk/requests/{notice.number}/{action}"
    return Screen(window.client.post(path, {"csrfmiddlewaretoken": token, **values}), path=path)


def check_page(page: Screen, *, status: int = 200) -> None:
    headers = page.response.headers
    assert page.status == status
    assert headers["Cache-Control"] == "no-store"
    assert headers["Content-Security-Policy"] == PAGE_CSP
    assert headers["Referrer-Policy"] == "same-origin"
    assert len(page.headings) == 1
    assert page.without_label == []
    assert len(page.ids) == len(set(page.ids))
    assert not {"img", "video", "picture", "iframe", "style"} & set(page.tags)


def state_of(notice: Notice) -> NoticeState:
    return notice_by_number(notice.number).state


# --- the queue


def test_queue_is_ordered_by_deadline_and_not_by_platform_or_number(
    bobs: Window, forum: Platform, clock: Clock
) -> None:
    # Given requests that came in another order than their deadlines
    a_platform("Aardvark", url_prefix="https://a.example/")
    late = a_filed_request("https://a.example/1", now=clock.now)
    clock.goes_on(hours=-5)
    urgent = a_filed_request(now=clock.now)
    clock.goes_on(hours=2)
    middle = a_filed_request("https://a.example/2", now=clock.now)
    clock.goes_on(hours=3)

    # When
    page = bobs.open("/desk/")

    # Then
    check_page(page)
    assert page.headings == ["3 requests wait"]
    assert [link.rsplit("/", 1)[1] for link in page.links if "/requests/" in link] == [
        urgent.number,
        middle.number,
        late.number,
    ]
    assert page.says("43 hours left")


def test_empty_queue_says_so(bobs: Window) -> None:
    page = bobs.open("/desk/")

    check_page(page)
    assert page.headings == ["0 requests wait"]
    assert page.says("Nothing waits.")


def test_queue_says_who_has_claimed_what_and_what_is_late(
    bobs: Window, dana: Window, waiting: Notice, clock: Clock
) -> None:
    act(dana, waiting, "claim")
    assert bobs.open("/desk/").says("claimed by dana")

    clock.goes_on(hours=48, minutes=1)
    page = bobs.open("/desk/")
    assert page.says("1 minute too late")
    assert page.says("free")  # a claim lasts half an hour


def test_closed_requests_show_their_outcome(bobs: Window, waiting: Notice, clock: Clock) -> None:
    assert bobs.open("/desk/closed").says("No request was closed yet.")
    clock.goes_on(hours=49)
    act(bobs, waiting, "claim")
    act(bobs, waiting, "remove")

    page = bobs.open("/desk/closed")

    check_page(page)
    assert page.says(waiting.number)
    assert page.says("removed")
    assert page.says("0 / 1")
    assert page.says("1 hour too late")
    assert bobs.open("/desk/").says("Nothing waits.")


# --- one request


def test_page_shows_the_four_elements_and_asks_for_a_claim_first(bobs: Window, waiting: Notice) -> None:
    page = bobs.open(f"/desk/requests/{waiting.number}")

    check_page(page)
    assert page.title == waiting.number
    for shown in (*waiting.urls, waiting.signature, waiting.contact, waiting.statement, "48 hours left"):
        assert page.says(shown)
    assert {form.action.rsplit("/", 1)[1] for form in page.forms} == {"sign-out", "claim"}
    # The address is text: a click would open the picture unasked and unrecorded.
    assert not [link for link in page.links if link.startswith("http")]


def test_request_that_does_not_exist_is_a_page_that_says_so(bobs: Window, waiting: Notice) -> None:
    for number in ("R-0000-0000", "' OR 1=1", "%00", "x" * 3000):
        assert bobs.open(f"/desk/requests/{number}").status == 404
    other = NoticeStandIn("R-0000-0000")
    for action in ("claim", "release", "open", "remove", "decline"):
        sent = act_unasked(bobs, other, action, opening_reason="check_location", reason="not_found")
        assert sent.status == 404


class NoticeStandIn:
    """A number without a request."""

    def __init__(self, number: str) -> None:
        self.number = number


def test_action_that_does_not_exist_is_refused(bobs: Window, waiting: Notice) -> None:
    assert act_unasked(bobs, waiting, "delete").status == 404
    assert bobs.open(f"/desk/requests/{waiting.number}/claim").status == 405


def test_claimed_request_is_held_and_given_back(
    bobs: Window, dana: Window, waiting: Notice, clock: Clock
) -> None:
    # When Bob claims
    sent = act(bobs, waiting, "claim")
    assert (sent.status, sent.goes_to) == (302, f"/desk/requests/{waiting.number}")

    # Then Dana reads who has it and cannot take it
    page = dana.open(f"/desk/requests/{waiting.number}")
    assert page.says("bob is working on this request.")
    assert len(page.forms) == 1
    refused = act_unasked(dana, waiting, "claim")
    check_page(refused, status=409)
    assert refused.says("Another reviewer is working on this request.")

    # And when Bob gives it back, she can
    act(bobs, waiting, "release")
    assert state_of(waiting) is NoticeState.OPEN
    assert act(dana, waiting, "claim").status == 302
    assert claims_on([waiting.number])[waiting.number].reviewer_name == "dana"


def test_claim_that_has_ended_decides_nothing(bobs: Window, waiting: Notice, clock: Clock) -> None:
    # Given a page that Bob left open over lunch
    act(bobs, waiting, "claim")
    page = bobs.open(f"/desk/requests/{waiting.number}")
    clock.goes_on(minutes=30)

    # When he decides
    sent = bobs.send_from(page, action=f"/desk/requests/{waiting.number}/remove")

    # Then
    check_page(sent, status=409)
    assert sent.says("Claim the request first.")
    assert decisions_on([waiting.number]) == {}
    assert copies_of([waiting.number]) == {}


@pytest.mark.parametrize("action", ["release", "remove", "decline"])
def test_unclaimed_request_cannot_be_worked_on(bobs: Window, waiting: Notice, action: str) -> None:
    sent = act_unasked(bobs, waiting, action, reason="not_found")

    check_page(sent, status=409)
    assert state_of(waiting) is NoticeState.OPEN


def test_removing_orders_the_post_and_its_identical_copies_and_says_who_decided(
    bobs: Window, forum: Platform
) -> None:
    # Given a post with one identical copy elsewhere and one that is only similar
    content = some_content(forum, 1)
    some_content(forum, 2, digests=content.digests, fingerprints=content.fingerprints)
    some_content(forum, 3, fingerprints=tuple(changed_by(code, bits=2) for code in content.fingerprints))
    waiting = a_filed_request(content.content_url)
    act(bobs, waiting, "claim")
    page = bobs.open(f"/desk/requests/{waiting.number}")
    assert page.says("1 identical copy elsewhere on the platform.")

    # When
    sent = bobs.send_from(page, action=f"/desk/requests/{waiting.number}/remove")

    # Then
    assert sent.status == 302
    page = bobs.open(f"/desk/requests/{waiting.number}")
    check_page(page)
    assert page.says("Decided by bob")
    assert page.says("named in the request")
    assert page.says("identical copy")
    assert page.says("Waiting for the platform. This page looks again by itself.")
    assert {copy.content_id for copy in copies_of([waiting.number])[waiting.number]} == {"post-1", "post-2"}
    assert decisions_on([waiting.number])[waiting.number].outcome is Outcome.REMOVED


@pytest.mark.parametrize("reason", list(Reason))
def test_declining_keeps_the_reason_that_was_chosen(bobs: Window, waiting: Notice, reason: Reason) -> None:
    act(bobs, waiting, "claim")

    sent = act(bobs, waiting, "decline", reason=reason.value)

    assert sent.status == 302
    assert decisions_on([waiting.number])[waiting.number].reason is reason
    assert state_of(waiting) is NoticeState.NOT_REMOVED


@pytest.mark.parametrize("reason", [None, "", "because"])
def test_declining_without_a_reason_is_refused(bobs: Window, waiting: Notice, reason: str | None) -> None:
    act(bobs, waiting, "claim")

    sent = act(bobs, waiting, "decline", reason=reason)

    check_page(sent, status=409)
    assert sent.says("Choose a reason; the person reads it.")
    assert state_of(waiting) is NoticeState.CLAIMED


def test_decided_request_cannot_be_decided_again(bobs: Window, waiting: Notice) -> None:
    act(bobs, waiting, "claim")
    page = bobs.open(f"/desk/requests/{waiting.number}")
    act(bobs, waiting, "decline", reason="not_found")

    again = bobs.send_from(page, action=f"/desk/requests/{waiting.number}/remove")

    check_page(again, status=409)
    assert again.says("This request was decided in the meantime.")
    assert copies_of([waiting.number]) == {}


def test_request_withdrawn_meanwhile_is_not_worked_on(bobs: Window, waiting: Notice, clock: Clock) -> None:
    # Given a page that Bob has open
    page = bobs.open(f"/desk/requests/{waiting.number}")
    withdraw_request(case_number=waiting.case_number, notice_number=waiting.number, now=clock.now)

    # When he claims
    sent = bobs.send_from(page, action=f"/desk/requests/{waiting.number}/claim")

    # Then
    check_page(sent, status=409)
    assert sent.says("The request changed in the meantime.")
    assert sent.says("The person withdrew this request. Nothing is to be done.")


def test_platform_that_cannot_be_told_is_said_and_nothing_is_decided(bobs: Window, db: None) -> None:
    mute = a_platform("Mute", url_prefix="https://mute.example/", endpoint=False)
    waiting = a_filed_request(f"{mute.url_prefix}1")
    act(bobs, waiting, "claim")

    sent = act(bobs, waiting, "remove")

    check_page(sent, status=409)
    assert sent.says("This platform has no webhook endpoint")
    assert state_of(waiting) is NoticeState.CLAIMED


# --- opening the post


@pytest.mark.parametrize("reason", list(OpeningReason))
def test_links_to_the_post_need_a_reason_that_is_written_down(
    bobs: Window, bob: int, waiting: Notice, reason: OpeningReason
) -> None:
    # Given a claimed request, whose page links nowhere
    act(bobs, waiting, "claim")

    # When Bob says why he must look
    page = act(bobs, waiting, "open", opening_reason=reason.value)

    # Then the links are there, it is recorded, and the person's receipt does not tell of it
    check_page(page)
    assert [link for link in page.links if link.startswith("http")] == list(waiting.urls)
    assert 'rel="noreferrer noopener"' in page.html
    [opening] = OpeningRecord.objects.all()
    assert (opening.reviewer_id, opening.reason) == (bob, reason)
    assert [row.event.kind for row in events_of(waiting.number)] == ["post.opened"]

    # And the next look at the page links nowhere again
    again = bobs.open(f"/desk/requests/{waiting.number}")
    assert not [link for link in again.links if link.startswith("http")]


@pytest.mark.parametrize("reason", [None, "", "curious"])
def test_post_is_not_opened_without_a_reason(bobs: Window, waiting: Notice, reason: str | None) -> None:
    act(bobs, waiting, "claim")

    page = act(bobs, waiting, "open", opening_reason=reason)

    check_page(page, status=422)
    assert page.says("Choose why you open the post.")
    assert not [link for link in page.links if link.startswith("http")]
    assert not OpeningRecord.objects.exists()


# --- rights


def test_auditor_reads_everything_and_decides_nothing(auditor: Window, waiting: Notice) -> None:
    page = auditor.open(f"/desk/requests/{waiting.number}")

    check_page(page)
    assert page.says("Your role reads; it does not decide.")
    for action in ("claim", "release", "open", "remove", "decline"):
        assert act_unasked(auditor, waiting, action, opening_reason="check_location").status == 403
    assert state_of(waiting) is NoticeState.OPEN
    assert not OpeningRecord.objects.exists()


def test_charlie_is_asked_to_sign_in_and_changes_nothing(charlie: Window, waiting: Notice) -> None:
    token = charlie.open("/desk/sign-in").forms[0].values["csrfmiddlewaretoken"]
    for path in ("/desk/", "/desk/closed", f"/desk/requests/{waiting.number}", "/desk/requests/R-0000-0000"):
        asked = charlie.open(path)
        assert (asked.status, asked.goes_to) == (302, f"/desk/sign-in?next={path}")
    for action in ("claim", "release", "open", "remove", "decline"):
        path = f"/desk/requests/{waiting.number}/{action}"
        sent = charlie.client.post(path, {"csrfmiddlewaretoken": token, "opening_reason": "check_location"})
        assert sent.status_code == 302
        assert sent.headers["Location"].startswith("/desk/sign-in?next=")
    assert state_of(waiting) is NoticeState.OPEN


@pytest.mark.parametrize("action", ["claim", "release", "open", "remove", "decline"])
def test_form_of_another_site_does_nothing(bobs: Window, waiting: Notice, action: str) -> None:
    sent = bobs.client.post(f"/desk/requests/{waiting.number}/{action}", {"opening_reason": "check_location"})

    assert sent.status_code == 403
    assert state_of(waiting) is NoticeState.OPEN


# --- what never stands on these pages


def every_page(window: Window, notice: Notice) -> str:
    """Every page of the desk on the way of one request, as one text."""
    number = notice.number
    seen = [window.open("/desk/").html, window.open(f"/desk/requests/{number}").html]
    act(window, notice, "claim")
    seen.append(window.open("/desk/").html)
    seen.append(window.open(f"/desk/requests/{number}").html)
    seen.append(act(window, notice, "open", opening_reason="check_location").html)
    seen.append(act(window, notice, "decline").html)
    act(window, notice, "remove")
    seen += [window.open("/desk/closed").html, window.open(f"/desk/requests/{number}").html]
    return "\n".join(seen)


def test_no_page_of_the_desk_shows_a_picture_a_fingerprint_or_a_digest(bobs: Window, forum: Platform) -> None:
    # Given a request with registered pictures about a post that the catalog knows
    item = an_item()
    case = open_case_with_pictures([item], now=NOW)
    content = some_content(forum, 1, digests=item.digests, fingerprints=item.fingerprints)
    filed = file_request(a_draft(content.content_url), case_number=case.number, now=NOW)

    # When Bob goes through every page
    seen = every_page(bobs, filed.notices[0])

    # Then
    assert "It is the very picture that the requester registered." in seen
    assert "<img" not in seen
    assert not [secret for secret in secrets_of([item]) if secret in seen]
    assert case.key_phrase not in seen


@pytest.mark.parametrize(
    ("prepare", "sentence"),
    [
        (lambda forum, item: None, "No upload check told us about this post"),
        (lambda forum, item: some_content(forum, 1), "It matches none of the pictures"),
        (
            lambda forum, item: some_content(
                forum, 1, fingerprints=tuple(changed_by(code, bits=9) for code in item.fingerprints[:1])
            ),
            "It matches a picture that the requester registered (9 of 256 bits differ).",
        ),
    ],
)
def test_page_says_what_is_known_of_the_post_without_showing_it(
    bobs: Window, forum: Platform, prepare: Callable[..., Any], sentence: str
) -> None:
    item = an_item()
    case = open_case_with_pictures([item], now=NOW)
    prepare(forum, item)
    filed = file_request(a_draft("http://127.0.0.1:8001/posts/1"), case_number=case.number, now=NOW)

    assert bobs.open(f"/desk/requests/{filed.notices[0].number}").says(sentence)


def test_post_of_somebody_who_registered_nothing_says_so(bobs: Window, forum: Platform) -> None:
    content = some_content(forum, 1)
    waiting = a_filed_request(content.content_url)

    page = bobs.open(f"/desk/requests/{waiting.number}")

    assert page.says("The requester registered no picture to compare.")


@pytest.mark.parametrize("element", ["signature", "statement", "contact", "url"])
def test_nothing_that_a_requester_types_runs_at_the_desk(bobs: Window, forum: Platform, element: str) -> None:
    # Given a request with a script in one of its elements
    if element == "url":
        draft = a_draft(f"http://127.0.0.1:8001/posts/1?q={SCRIPT}")
    else:
        draft = a_draft(**{element: SCRIPT})
    notice = file_request(draft, now=NOW).notices[0]

    # When
    seen = every_page(bobs, notice)

    # Then
    assert "<script>alert" not in seen
    assert "&lt;script&gt;alert" in seen


def test_case_withdrawn_after_the_decision_changes_nothing_on_the_page(
    bobs: Window, waiting: Notice, clock: Clock
) -> None:
    act(bobs, waiting, "claim")
    act(bobs, waiting, "remove")
    withdraw_everything(case_number=waiting.case_number, now=clock.now)

    check_page(bobs.open(f"/desk/requests/{waiting.number}"))
    assert state_of(waiting) is NoticeState.REMOVED


def test_two_reviewers_pressing_claim_at_once_get_one_claim(
    bobs: Window, dana: Window, bob: int, waiting: Notice
) -> None:
    page = dana.open(f"/desk/requests/{waiting.number}")
    act(bobs, waiting, "claim")

    second = dana.send_from(page, action=f"/desk/requests/{waiting.number}/claim")

    assert second.status == 409
    assert claims_on([waiting.number])[waiting.number].reviewer_id == bob
    assert window_of(bob).open("/desk/").says("claimed by bob")
