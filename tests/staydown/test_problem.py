"""The one error shape of every API is RFC 9457's."""

from __future__ import annotations

import json

import pytest

from staydown.problem import CONTENT_TYPE, Problem


def test_problem_has_the_members_of_rfc_9457_and_its_own_last() -> None:
    problem = Problem(
        422, "elements-missing", "The request is not complete", "Missing: contact.", {"missing": ["contact"]}
    )

    assert CONTENT_TYPE == "application/problem+json"
    assert json.loads(json.dumps(problem.as_dict())) == {
        "type": "urn:staydown:problem:elements-missing",
        "title": "The request is not complete",
        "status": 422,
        "detail": "Missing: contact.",
        "missing": ["contact"],
    }
    assert list(problem.as_dict())[-1] == "missing"


def test_problem_without_members_of_its_own_has_the_four() -> None:
    assert list(Problem(404, "not-found", "Not found", "No such copy.").as_dict()) == [
        "type",
        "title",
        "status",
        "detail",
    ]


def test_members_of_one_problem_are_not_those_of_another() -> None:
    first, second = Problem(400, "a", "A", "a"), Problem(400, "a", "A", "a")

    first.members["x"] = 1

    assert second.members == {}


@pytest.mark.parametrize("member", ["type", "title", "status", "detail"])
def test_caller_who_names_a_member_of_the_rfc_is_seen_to_replace_it(member: str) -> None:
    # Said out loud rather than guarded: members are written in this repository only.
    assert Problem(400, "a", "A", "a", {member: "mine"}).as_dict()[member] == "mine"
