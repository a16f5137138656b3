"""The page about floods: what it shows, who may act on it, and nothing of whose picture it is."""

from __future__ import annotations

import pytest

from staydown.access.terms import Platform
from staydown.bank.queries import entry_by_id
from staydown.bank.terms import Flood
from staydown.desk.quarantine import CHART_HEIGHT, bars_of
from staydown.journeys.judge_flood import floods_for_desk
from staydown.matching.terms import EntryState
from tests.staydown.conftest import NOW, an_entry, an_item
from tests.staydown.doors import Window, secrets_of
from tests.staydown.journeys.floods import a_flood, uploads_near

PAGE = "/desk/quarantine"


@pytest.fixture
def flood(forum: Platform) -> Flood:
    """Eighty different uploads near one unconfirmed entry, which is paused."""
    return a_flood(an_entry(), forum, now=NOW)


def state_of(flood: Flood) -> EntryState:
    return entry_by_id(flood.entry_id).state


def test_without_a_flood_the_page_says_so_and_the_queue_is_quiet(bobs: Window) -> None:
    assert bobs.open(PAGE).says("Nothing is paused.")
    assert not bobs.open("/desk/").says("more than usual")


def test_flood_stands_above_the_queue_until_somebody_decides(bobs: Window, flood: Flood) -> None:
    # Given a paused entry, then whoever opens the queue is told and led to it
    queue = bobs.open("/desk/")
    assert queue.says("1 picture matches far more than usual.")
    assert PAGE in queue.links

    # When Bob keeps it out, then the queue is quiet
    bobs.send(PAGE, action=f"{PAGE}/{flood.id}/keep-out", reason="fits_many_pictures")
    assert not bobs.open("/desk/").says("more than usual")


def test_page_tells_counts_and_cause_and_nothing_of_whose_picture_it_is(
    forum: Platform, bobs: Window
) -> None:
    # Given a paused entry of a picture
    item = an_item()
    entry = an_entry(item=item)
    a_flood(entry, forum, now=NOW)

    # When Bob looks
    page = bobs.open(PAGE)

    # Then he reads where, how many and how many are usual, with every bar also as a number
    assert page.says("On Forum, 80 different files were near this picture within an hour")
    assert page.says("in a busy hour it is usually 0")
    assert page.says("The flood guard paused it by itself.")
    assert page.tags.count("rect") == 24
    assert "<td>80</td><td>0</td>" in page.html
    assert page.without_label == []

    # Then neither the picture's fingerprints nor its entry, registration or case are there
    hidden = [*secrets_of([item]), entry.id, str(entry.registration_id), "C-"]
    assert [text for text in hidden if text in page.html] == []
    assert "img" not in page.tags


def test_entry_is_put_back_with_a_reason(bobs: Window, flood: Flood) -> None:
    answer = bobs.send(PAGE, action=f"{PAGE}/{flood.id}/put-back", reason="flood_is_over")

    assert (answer.status, answer.goes_to) == (302, PAGE)
    assert state_of(flood) is EntryState.UNCONFIRMED
    assert bobs.open(PAGE).says("Nothing is paused.")


def test_entry_that_is_kept_out_says_by_whom_and_can_be_put_back_only(bobs: Window, flood: Flood) -> None:
    bobs.send(PAGE, action=f"{PAGE}/{flood.id}/keep-out", reason="made_to_disturb")

    page = bobs.open(PAGE)
    assert page.says("bob kept it out: somebody made the flood on purpose")
    assert [form.action for form in page.forms if PAGE in form.action] == [f"{PAGE}/{flood.id}/put-back"]
    assert state_of(flood) is EntryState.QUARANTINED


@pytest.mark.parametrize("action", ["put-back", "keep-out"])
@pytest.mark.parametrize("reason", [None, "", "because", "the other"])
def test_without_a_reason_that_fits_nothing_changes_and_the_page_says_what_to_do(
    bobs: Window, flood: Flood, action: str, reason: str | None
) -> None:
    if reason == "the other":
        reason = "made_to_disturb" if action == "put-back" else "flood_is_over"

    answer = bobs.send(PAGE, action=f"{PAGE}/{flood.id}/{action}", reason=reason)

    assert answer.status == 422
    assert answer.says("Choose a reason; it is written down.")
    assert (state_of(flood), entry_by_id(flood.entry_id).state) == (EntryState.QUARANTINED,) * 2


def test_decision_that_comes_second_is_told_so(bobs: Window, dana: Window, flood: Flood) -> None:
    # Given a page that Dana has open while Bob decides
    danas = dana.open(PAGE)
    bobs.send(PAGE, action=f"{PAGE}/{flood.id}/put-back", reason="flood_is_over")

    # When she decides too
    answer = dana.send_from(danas, action=f"{PAGE}/{flood.id}/keep-out", reason="made_to_disturb")

    # Then she is told, and Bob's decision stands
    assert answer.status == 409
    assert answer.says("This was decided in the meantime")
    assert state_of(flood) is EntryState.UNCONFIRMED


def test_what_does_not_exist_is_a_page_that_says_so(bobs: Window, flood: Flood) -> None:
    page = bobs.open(PAGE)
    token = page.form_to(f"{PAGE}/{flood.id}/put-back").values

    for path in (f"{PAGE}/fld_none/put-back", f"{PAGE}/{flood.id}/delete"):
        assert bobs.client.post(path, {**token, "reason": "flood_is_over"}).status_code == 404


def test_alarm_about_a_confirmed_entry_says_that_it_is_still_at_work(forum: Platform, bobs: Window) -> None:
    flood = a_flood(an_entry(state=EntryState.CONFIRMED), forum, now=NOW)

    page = bobs.open(PAGE)
    assert page.says("still at work")
    assert page.says("A reviewer had confirmed it")

    bobs.send(PAGE, action=f"{PAGE}/{flood.id}/put-back", reason="copies_of_it")
    assert state_of(flood) is EntryState.CONFIRMED


def test_auditor_reads_and_does_not_decide(auditor: Window, flood: Flood) -> None:
    page = auditor.open(PAGE)

    assert page.says("Your role reads; it does not decide.")
    assert not [form for form in page.forms if PAGE in form.action]


def test_charlie_is_sent_to_the_sign_in(charlie: Window, flood: Flood) -> None:
    assert charlie.open(PAGE).goes_to.startswith("/desk/sign-in")


def test_chart_shows_every_hour_with_anything_in_it(forum: Platform) -> None:
    # Given one upload in an hour before a flood of a thousand
    entry = an_entry()
    uploads_near(entry, forum, 1, at=NOW.replace(hour=12))
    a_flood(entry, forum, now=NOW, count=1_000)

    # Then the single one can be seen, and the tallest fills the chart
    bars = bars_of(floods_for_desk(now=NOW)[0])
    assert {bar.height for bar in bars} == {0, 1, CHART_HEIGHT}
    assert all(bar.y + bar.height == CHART_HEIGHT for bar in bars)
