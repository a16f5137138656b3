"""Every anticipated error has a sentence that says what to do, and none that blames or leaks."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from staydown.access.errors import TooManyAttempts
from staydown.cases import errors as case_errors
from staydown.cases.errors import CaseError, SubmissionRefused, TooManyItems
from staydown.notices import errors as notice_errors
from staydown.notices.errors import (
    AddressNotUnderstood,
    ElementsMissing,
    NoticeError,
    NotOnThisPlatform,
    TextTooLong,
    TooManyAddresses,
    TransitionRefused,
)
from staydown.notices.terms import Element, NoticeAction, NoticeState
from staydown.survivor_site.sentences import (
    missing_sentence,
    request_trouble,
    submission_trouble,
    wait_sentence,
)

SERVED = "https://forum.example/"
SUBMISSIONS = [
    SubmissionRefused("a digest is malformed"),
    SubmissionRefused("a digest is malformed", item=3),
    case_errors.NothingToRegister(),
    TooManyItems(found=101, allowed=100),
    case_errors.CaseIsWithdrawn(),
    case_errors.RegistrationNotFound(),
    case_errors.OutsideRequestNotFound(),
    case_errors.TooManyOutsideRequests(allowed=100),
    case_errors.SentInTheFuture(),
]
REQUESTS = [
    ElementsMissing([Element.CONTACT, Element.SIGNATURE]),
    NotOnThisPlatform(2),
    AddressNotUnderstood(2),
    TooManyAddresses(found=21, allowed=20),
    TextTooLong(Element.CONTACT, allowed=300),
    notice_errors.NoticeNotFound(),
    TransitionRefused(state=NoticeState.OPEN, action=NoticeAction.REMOVE),
]


def errors_of(base: type[Exception]) -> Iterator[type[Exception]]:
    for error in base.__subclasses__():
        yield error
        yield from errors_of(error)


def check_sentence(sentence: str) -> None:
    assert re.fullmatch(r"[A-Z0-9].*\.", sentence)
    assert "%(" not in sentence
    assert not re.search(r"\b(oops|sorry|invalid|error|failed|must not|illegal|your fault)\b", sentence, re.I)


def test_the_lists_below_hold_every_error_of_their_stages() -> None:
    assert {type(error) for error in SUBMISSIONS} == set(errors_of(CaseError))
    assert {type(error) for error in REQUESTS} == set(errors_of(NoticeError))


@pytest.mark.parametrize("error", SUBMISSIONS, ids=lambda error: type(error).__name__)
def test_every_error_of_a_submission_has_a_sentence(error: CaseError) -> None:
    check_sentence(submission_trouble(error))


@pytest.mark.parametrize("error", REQUESTS, ids=lambda error: type(error).__name__)
def test_every_error_of_a_request_has_a_sentence_at_a_field_of_the_form(error: NoticeError) -> None:
    trouble = request_trouble(error, served=SERVED)

    assert set(trouble) <= {element.value for element in Element}
    assert trouble
    for sentence in trouble.values():
        check_sentence(sentence)


@pytest.mark.parametrize("element", list(Element))
def test_every_element_has_a_sentence_that_says_what_to_add(element: Element) -> None:
    check_sentence(missing_sentence(element))
    assert request_trouble(ElementsMissing([element]), served="") == {element: missing_sentence(element)}


def test_sentences_carry_the_numbers_that_help() -> None:
    assert submission_trouble(TooManyItems(found=101, allowed=100)).startswith(
        "101 pictures arrived; 100 can"
    )
    assert "Picture 3 could not be used" in submission_trouble(SubmissionRefused("why", item=3))
    assert "line 2" in request_trouble(NotOnThisPlatform(2), served=SERVED)["location"]
    assert SERVED in request_trouble(NotOnThisPlatform(2), served=SERVED)["location"]
    assert "Line 2" in request_trouble(AddressNotUnderstood(2), served=SERVED)["location"]
    assert "300" in request_trouble(TextTooLong(Element.CONTACT, allowed=300), served=SERVED)["contact"]


@pytest.mark.parametrize(
    ("seconds", "minutes"),
    [(1, "1 minute,"), (60, "1 minute,"), (61, "2 minutes,"), (3600, "60 minutes,")],
)
def test_time_to_wait_is_rounded_up_to_minutes(seconds: int, minutes: str) -> None:
    sentence = wait_sentence(TooManyAttempts(seconds))

    assert f"Please wait {minutes} then try again." in sentence
    assert sentence.endswith("Nothing is lost.")
