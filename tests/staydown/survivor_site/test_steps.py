"""The start questions at the door: one a page, Back and Skip, nothing stored, and the minors' way at once."""

from __future__ import annotations

from staydown.cases.queries import plan_of
from staydown.journeys.withdraw import withdraw_everything
from tests.staydown.conftest import NOW
from tests.staydown.doors import Window
from tests.staydown.survivor_site.conftest import AliceCase, open_with

ALL = "1.2.1.3.us-tx"


def test_questions_lead_to_a_plan_one_page_at_a_time(alice: Window) -> None:
    # When
    code, headings = "", []
    for sign in ALL.split("."):
        page = alice.open(f"/steps?a={code}")
        headings += page.headings[:1]
        code = alice.open(f"/steps?a={code}&v={sign}").goes_to.rpartition("=")[2]

    # Then
    assert code == ALL
    assert len(set(headings)) == 5
    plan = alice.open(f"/steps?a={code}")
    assert "Your next steps" in plan.headings
    assert "47 U.S.C. 223a(a)(3)" in plan.text


def test_skip_and_an_empty_answer_pass_the_question_over(alice: Window) -> None:
    assert alice.open("/steps?a=1&v=0").goes_to == "/steps?a=1.0"
    assert alice.open("/steps?a=1&v=").goes_to == "/steps?a=1.0"
    assert "/steps?a=1" in alice.open("/steps?a=1.0").links


def test_somebody_under_18_goes_the_minors_way_and_nothing_is_kept(alice: Window) -> None:
    for path in ("/steps?a=&v=2", "/steps?a=2", "/steps?a=2.1.1.1.us-tx"):
        answer = alice.open(path)
        assert answer.goes_to == "/help/under-18"
    assert not alice.client.cookies.get("s")


def test_whoever_skips_the_age_reads_where_minors_turn_before_the_first_step(alice: Window) -> None:
    for code in ("0.2.1.1.0", "x.2.1.1.0"):
        page = alice.open(f"/steps?a={code}")
        assert page.text.index("was under 18:") < page.text.index("Do not argue")
    assert "was under 18:" not in alice.open("/steps?a=1.2.1.1.0").text


def test_plan_is_kept_with_its_ticks_only_in_an_open_case(alice: Window, her_case: AliceCase) -> None:
    # Given nobody's case open: the page offers nothing to keep
    assert "Keep this plan in my case" not in alice.open(f"/steps?a={ALL}").text
    open_with(alice, her_case.receipt)

    # When
    page = alice.open(f"/steps?a={ALL}")
    kept = alice.send_from(page, action="/case/plan", done="keep")

    # Then
    assert kept.goes_to == "/case/plan"
    plan = plan_of(her_case.number)
    assert plan is not None
    assert (plan.answers, plan.ticked) == (ALL, ("keep",))
    assert 'value="keep" checked' in alice.open("/case/plan").html
    assert "Open the plan that you kept" in alice.open("/case").text


def test_tick_of_an_unknown_step_is_not_kept(alice: Window, her_case: AliceCase) -> None:
    open_with(alice, her_case.receipt)
    alice.send_from(alice.open(f"/steps?a={ALL}"), action="/case/plan", done="anything")
    plan = plan_of(her_case.number)
    assert plan is not None
    assert plan.ticked == ()


def test_plan_is_deleted(alice: Window, her_case: AliceCase) -> None:
    open_with(alice, her_case.receipt)
    alice.send_from(alice.open(f"/steps?a={ALL}"), action="/case/plan")

    assert alice.send_from(alice.open("/case/plan"), action="/case/plan/delete").goes_to == "/case"

    assert plan_of(her_case.number) is None
    assert alice.open("/case/plan").goes_to == "/case"


def test_withdrawn_case_keeps_no_plan(alice: Window, her_case: AliceCase) -> None:
    open_with(alice, her_case.receipt)
    page = alice.open(f"/steps?a={ALL}")
    withdraw_everything(case_number=her_case.number, now=NOW)

    assert alice.send_from(page, action="/case/plan").goes_to == "/case"
    assert plan_of(her_case.number) is None


def test_charlie_sees_nothing_of_it(alice: Window, charlie: Window, her_case: AliceCase) -> None:
    open_with(alice, her_case.receipt)
    alice.send_from(alice.open(f"/steps?a={ALL}"), action="/case/plan")

    assert charlie.open("/case/plan").goes_to == "/case"
