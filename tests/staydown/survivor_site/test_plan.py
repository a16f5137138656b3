"""The plan that the answers lead to: what comes first, what is left out, and what it rests on."""

from __future__ import annotations

import itertools
import re

import pytest

from staydown.law import Confidence
from staydown.survivor_site.answers import CHOICES, Question, read_answers
from staydown.survivor_site.plan import PlanStep, plan_for

EVERYTHING = [
    ".".join(("1", danger, where, what, place))
    for danger, where, what, place in itertools.product(
        ("0", *CHOICES[Question.DANGER]),
        ("0", *CHOICES[Question.WHERE]),
        ("0", *CHOICES[Question.WHAT]),
        ("0", "us-tx", "us-oh", "us-mp", "gb", "us-fed"),
    )
]


def steps(code: str) -> dict[str, PlanStep]:
    return {step.id: step for step in plan_for(read_answers(code))}


def test_danger_comes_before_all_else() -> None:
    assert next(iter(steps("1.1.1.1.us-tx"))) == "danger"
    assert "danger" not in steps("1.2.1.1.us-tx")


def test_threat_alone_asks_for_no_removal() -> None:
    # When nothing is published yet
    found = steps("1.2.4.1.0")

    # Then the threat comes first and nothing is reported
    assert next(iter(found)) == "threat"
    assert found["threat"].source is not None
    assert not {"request", "elsewhere", "search"} & set(found)


def test_unknown_place_of_the_picture_leads_to_search_engines_too() -> None:
    assert "search" in steps("1.2.3.1.0")
    assert "search" not in steps("1.2.1.1.0")


def test_law_that_we_could_not_confirm_is_not_told_as_a_no() -> None:
    assert "does not mean no" in steps("1.2.1.3.us-oh")["law"].text
    assert "reaches altered or made-up pictures too" in steps("1.2.1.3.us-tx")["law"].text
    assert steps("1.2.1.3.us-tx")["law"].source is not None
    assert steps("1.2.1.3.us-tx")["law"].links[0].href == "/options?place=us-tx"


def test_helpers_of_another_country_are_left_out() -> None:
    # When
    here = [link.text for link in steps("1.1.1.1.gb")["support"].links]
    there = [link.text for link in steps("1.1.1.1.us-ny")["support"].links]

    # Then
    assert any("UK" in name for name in here)
    assert not any("UK" in name for name in there)


@pytest.mark.parametrize("code", EVERYTHING)
def test_every_plan_is_whole(code: str) -> None:
    found = plan_for(read_answers(code))
    ids = [step.id for step in found]
    assert len(ids) == len(set(ids))
    assert {"quiet", "keep", "register", "police", "law", "support"} <= set(ids)
    for step in found:
        assert re.fullmatch(r"[A-Z].*[^.]", step.heading)
        assert step.text.endswith((".", "?"))
        assert step.source is None or step.source.confidence in (Confidence.PRIMARY, Confidence.SECONDARY)
        for link in step.links:
            assert link.href.startswith("https://" if link.outside else "/")
