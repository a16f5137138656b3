"""What went wrong is told in plain words on pages, in one shape under /api/, and never with its cause."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.test import RequestFactory

from staydown.config import failures
from tests.staydown.doors import Screen

FAILURES: list[tuple[Callable[..., HttpResponse], int, str]] = [
    (failures.form_expired, 403, "form-expired"),
    (failures.bad_request, 400, "not-understood"),
    (failures.not_allowed, 403, "not-allowed"),
    (failures.not_found, 404, "not-found"),
    (failures.defect, 500, "defect"),
]


@pytest.mark.parametrize(("failure", "status", "slug"), FAILURES)
def test_failure_on_a_page_is_a_page_with_a_way_back_and_a_way_out(
    rf: RequestFactory, failure: Callable[..., HttpResponse], status: int, slug: str
) -> None:
    page = Screen(failure(rf.get("/case")))

    assert page.status == status
    assert page.title == "Notes"
    assert len(page.headings) == 1
    assert {"/", "/exit"} <= set(page.links)


@pytest.mark.parametrize(("failure", "status", "slug"), FAILURES)
def test_failure_under_api_is_a_problem(
    rf: RequestFactory, failure: Callable[..., HttpResponse], status: int, slug: str
) -> None:
    answer = failure(rf.get("/api/v1/anything"))

    problem = json.loads(answer.content)
    assert answer.status_code == problem["status"] == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert problem["type"] == f"urn:staydown:problem:{slug}"
    assert problem["title"]
    assert problem["detail"]


@pytest.mark.parametrize("failure", [failures.bad_request, failures.not_allowed, failures.not_found])
def test_cause_is_not_shown(rf: RequestFactory, failure: Callable[..., HttpResponse]) -> None:
    for path in ("/case", "/api/v1/anything"):
        answer = failure(rf.get(path), Exception("what an attacker would like to know"))
        assert b"attacker" not in answer.content


# --- methods


def answering_with(response: HttpResponse) -> Callable[[HttpRequest], HttpResponse]:
    return failures.MethodProblems(lambda request: response)


def test_refused_method_under_api_becomes_a_problem_that_names_the_allowed_ones(rf: RequestFactory) -> None:
    answer = answering_with(HttpResponseNotAllowed(["GET", "HEAD"]))(rf.delete("/api/v1/anything"))

    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, HEAD"
    assert json.loads(answer.content) == {
        "type": "urn:staydown:problem:method-not-allowed",
        "title": "Method not allowed",
        "status": 405,
        "detail": "Allowed here: GET, HEAD.",
    }


@pytest.mark.parametrize(
    ("path", "response"),
    [("/case/close", HttpResponseNotAllowed(["POST"])), ("/api/v1/anything", HttpResponse("fine"))],
)
def test_every_other_answer_passes_as_it_is(rf: RequestFactory, path: str, response: Any) -> None:
    assert answering_with(response)(rf.get(path)) is response
