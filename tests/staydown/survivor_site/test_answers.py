"""Answers travel as single signs; what cannot be read counts as skipped, and nothing crashes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from staydown.survivor_site.answers import Question, What, Where, read_answers


def test_answers_are_asked_in_order_and_come_back_from_the_address() -> None:
    # When
    answers = read_answers("")
    asked = []
    for sign in ("1", "1", "4", "3", "us-tx"):
        asked.append(answers.next_question)
        answers = answers.and_then(sign)

    # Then
    assert asked == list(Question)
    assert answers.next_question is None
    assert answers.in_danger
    assert (answers.where, answers.what) == (Where.THREATENED, What.MADE_UP)
    assert answers.place is not None
    assert answers.place.name == "Texas"
    assert read_answers(answers.code) == answers


def test_skipped_question_leaves_no_answer() -> None:
    answers = read_answers("0.0.0.0.0")
    assert (answers.in_danger, answers.where, answers.what, answers.place) == (False, None, None, None)


@pytest.mark.parametrize("code", ["9.9.9.9.9", "x", "1.1.1.1.us-zz", "....", "1.1.1.1.1.1.1.1", "\x00", "²"])
def test_sign_that_nobody_knows_counts_as_skipped(code: str) -> None:
    answers = read_answers(code)
    assert set(answers.given) <= {"0", "1"}
    assert len(answers.given) <= len(Question)


def test_back_takes_the_last_answer_away() -> None:
    assert read_answers("1.2.3").without_last().code == "1.2"
    assert read_answers("").without_last().code == ""


@given(st.text(max_size=80))
def test_any_text_in_the_address_is_read(code: str) -> None:
    answers = read_answers(code)
    assert read_answers(answers.code) == answers
