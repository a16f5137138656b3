"""Requests to other platforms: the directory, a letter that is kept nowhere, and a clock for each."""

from __future__ import annotations

from datetime import timedelta

import pytest

from staydown.cases.models import OutsideRequestRecord
from staydown.cases.queries import outside_requests_of
from staydown.cases.rules import MAX_OUTSIDE_REQUESTS
from staydown.cases.terms import OutsideState
from staydown.journeys.follow_outside import follow_outside_request
from staydown.law import channels
from tests.staydown.conftest import NOW
from tests.staydown.doors import Clock, Screen, Window
from tests.staydown.survivor_site.conftest import AliceCase, open_with

SENT = {"channel": "x", "day": NOW.date().isoformat(), "time": NOW.strftime("%H:%M"), "utc_minutes": "0"}
LETTER = {
    "location": "https://x.example/1",
    "statement": "It is me.",
    "contact": "alias@example.org",
    "signature": "Alice <b>",
}


@pytest.fixture
def tracker(alice: Window, her_case: AliceCase) -> Screen:
    open_with(alice, her_case.receipt)
    return alice.open("/case/elsewhere")


def test_directory_has_every_channel_and_each_its_page(alice: Window) -> None:
    directory = alice.open("/places")
    for channel in channels():
        assert f"/places/{channel.id}" in directory.links
        page = alice.open(f"/places/{channel.id}")
        assert channel.url in page.links
        assert "could not confirm" in page.text or channel.statement.as_of in page.text


def test_letter_carries_the_four_elements_and_nothing_is_stored(alice: Window) -> None:
    # When
    page = alice.send_from(alice.open("/places/x"), action="/places/x", **LETTER)

    # Then
    letter = page.html.partition('id="letter-text"')[2].partition("</textarea>")[0]
    assert "https://x.example/1" in letter
    assert "in good faith" in letter
    assert "alias@example.org" in letter
    assert "Alice &lt;b&gt;" in letter
    assert "47 U.S.C. 223a(a)(3)" in letter
    assert "48 hours" in letter
    assert not OutsideRequestRecord.objects.exists()


def test_unknown_channel_is_not_found(alice: Window) -> None:
    assert alice.open("/places/nowhere").status == 404


def test_request_is_followed_with_its_own_clock(alice: Window, her_case: AliceCase, tracker: Screen) -> None:
    assert alice.send_from(tracker, action="/case/elsewhere", **SENT).goes_to == "/case/elsewhere"

    [followed] = outside_requests_of(her_case.number)
    assert followed.channel_id == "x"
    assert followed.sent_at == NOW.replace(second=0, microsecond=0)
    assert followed.deadline_at - followed.sent_at == timedelta(hours=48)
    assert "hours" in alice.open("/case/elsewhere").text
    assert "You follow 1 request" in alice.open("/case").text


@pytest.mark.parametrize(("minutes", "hours"), [("300", 5), ("-120", -2), ("99999", 0), ("", 0)])
def test_time_is_the_persons_own(
    alice: Window, her_case: AliceCase, tracker: Screen, minutes: str, hours: int
) -> None:
    day = (NOW - timedelta(days=1)).date().isoformat()
    alice.send_from(
        tracker, action="/case/elsewhere", **{**SENT, "day": day, "time": "12:00", "utc_minutes": minutes}
    )

    [followed] = outside_requests_of(her_case.number)
    assert followed.sent_at.isoformat() == f"{day}T{12 + hours:02}:00:00+00:00"


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"day": ""}, "Give the day and the time"),
        ({"day": "2026-02-31"}, "Give the day and the time"),
        ({"time": "nine"}, "Give the day and the time"),
        ({"utc_minutes": "x"}, "Give the day and the time"),
        ({"channel": "nowhere"}, "Choose where you sent it"),
        ({"channel": "ftc"}, "Choose where you sent it"),
        ({"day": "2027-12-01"}, "in the future"),
    ],
)
def test_slip_is_named_and_what_was_typed_is_kept(
    alice: Window, her_case: AliceCase, tracker: Screen, wrong: dict[str, str], sentence: str
) -> None:
    answer = alice.send_from(tracker, action="/case/elsewhere", **{**SENT, **wrong})

    assert answer.status == 422
    assert sentence in answer.text
    assert outside_requests_of(her_case.number) == ()


def test_when_the_time_has_passed_the_complaint_and_its_dates_are_shown(
    alice: Window, clock: Clock, her_case: AliceCase, tracker: Screen
) -> None:
    # Given a request that nobody answers
    alice.send_from(tracker, action="/case/elsewhere", **SENT)
    assert "takeitdown.ftc.gov" not in alice.open("/case/elsewhere").text

    # When its 48 hours are over (the window was closed meanwhile)
    clock.goes_on(hours=49)
    open_with(alice, her_case.receipt)
    page = alice.open("/case/elsewhere")

    # Then
    assert "no answer in time" in page.text
    assert "https://takeitdown.ftc.gov" in page.links
    assert f"removal request sent {NOW:%Y-%m-%d %H:%M} UTC" in page.text
    assert f"48 hours ended {NOW + timedelta(hours=48):%Y-%m-%d %H:%M} UTC" in page.text


def test_answer_is_noted_undone_and_deleted(alice: Window, her_case: AliceCase, tracker: Screen) -> None:
    alice.send_from(tracker, action="/case/elsewhere", **SENT)
    [followed] = outside_requests_of(her_case.number)
    path = f"/case/elsewhere/{followed.id}"

    def state() -> OutsideState:
        return outside_requests_of(her_case.number)[0].state

    for wanted in (OutsideState.REMOVED, OutsideState.WAITING, OutsideState.REFUSED):
        alice.send_from(alice.open("/case/elsewhere"), action=path, state=wanted.value)
        assert state() is wanted
    alice.send_from(alice.open("/case/elsewhere"), action=path, state="nonsense")
    assert state() is OutsideState.REFUSED
    alice.send_from(alice.open("/case/elsewhere"), action=path, state="delete")
    assert outside_requests_of(her_case.number) == ()


def test_charlie_can_neither_see_nor_change_it(
    alice: Window, charlie: Window, her_case: AliceCase, tracker: Screen
) -> None:
    alice.send_from(tracker, action="/case/elsewhere", **SENT)
    [followed] = outside_requests_of(her_case.number)

    assert charlie.open("/case/elsewhere").goes_to == "/case"
    answer = charlie.client.post(f"/case/elsewhere/{followed.id}", {"state": "delete"})
    assert answer.status_code == 403  # no page of hers gave Charlie a form to send
    assert outside_requests_of(her_case.number) == (followed,)


def test_one_case_follows_a_bounded_number(alice: Window, her_case: AliceCase, tracker: Screen) -> None:
    for _ in range(MAX_OUTSIDE_REQUESTS):
        follow_outside_request(case_number=her_case.number, channel_id="x", sent_at=NOW, now=NOW)

    answer = alice.send_from(tracker, action="/case/elsewhere", **SENT)

    assert answer.status == 422
    assert f"At most {MAX_OUTSIDE_REQUESTS}" in answer.text
