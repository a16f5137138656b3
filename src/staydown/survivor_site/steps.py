"""The start questions, one a page, and the plan that they end in. Keeps nothing unless the person says so.

The answers travel in the address as single signs (survivor_site/answers.py), so that Back works and nothing
has to be stored, with JavaScript or without.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from staydown.cases.errors import CaseIsWithdrawn
from staydown.cases.queries import plan_of
from staydown.cases.terms import Plan
from staydown.journeys.keep_plan import forget_plan, keep_plan
from staydown.law import places
from staydown.survivor_site import session
from staydown.survivor_site.answers import NOT_ADULT, SKIPPED, Answers, Question, read_answers
from staydown.survivor_site.doorway import now_utc
from staydown.survivor_site.plan import plan_for

UNDER_18 = "/help/under-18"


@require_safe
def steps(request: HttpRequest) -> HttpResponse:
    """The next question, or the plan after the last."""
    answers = read_answers(request.GET.get("a", ""))
    if "v" in request.GET:
        return _take(answers, request.GET["v"])
    if answers.given and answers.given[0] == NOT_ADULT:
        return redirect(UNDER_18)
    question = answers.next_question
    if question is None:
        return _plan(
            request, answers, kept=None, case_number=session.open_case_number(request, now=now_utc())
        )
    context = {
        "question": question.value,
        "number": len(answers.given) + 1,
        "total": len(Question),
        "answers": answers,
        "back": f"/steps?a={answers.without_last().code}" if answers.given else "/",
        "places": places() if question is Question.PLACE else (),
    }
    return render(request, "survivor_site/question.html", context)


def _take(answers: Answers, sign: str) -> HttpResponse:
    if answers.next_question is Question.AGE and sign == NOT_ADULT:
        return redirect(UNDER_18)
    return redirect(f"/steps?a={answers.and_then(sign or SKIPPED).code}")


def _plan(
    request: HttpRequest, answers: Answers, *, kept: Plan | None, case_number: str | None
) -> HttpResponse:
    context = {
        "steps": plan_for(answers),
        "answers": answers,
        "kept": kept,
        "ticked": kept.ticked if kept else (),
        "case_number": case_number,
        "back": f"/steps?a={answers.without_last().code}",
    }
    return render(request, "survivor_site/plan.html", context)


@require_http_methods(["GET", "POST"])
@session.needs_open_case
def kept_plan(request: HttpRequest, number: str) -> HttpResponse:
    """The plan that the open case keeps; a POST keeps it, with its ticks."""
    now = now_utc()
    if request.method == "GET":
        kept = plan_of(number)
        return (
            redirect("/case")
            if kept is None
            else _plan(request, read_answers(kept.answers), kept=kept, case_number=number)
        )
    answers = read_answers(request.POST.get("a", ""))
    known = {step.id for step in plan_for(answers)}
    ticked = tuple(sorted(known & set(request.POST.getlist("done"))))
    try:
        keep_plan(case_number=number, answers=answers.code, ticked=ticked, now=now)
    except CaseIsWithdrawn:
        return redirect("/case")
    return redirect("/case/plan")


@require_POST
@session.needs_open_case
def forget_kept_plan(request: HttpRequest, number: str) -> HttpResponse:
    """Deletes the plan from the open case."""
    forget_plan(case_number=number, now=now_utc())
    return redirect("/case")
