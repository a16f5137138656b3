"""The start questions and their answers as they travel in an address: one sign each, and nothing readable.

Nothing here is stored. An answer that is not understood counts as skipped. Whoever skips the question about
age gets a plan that names the minors' way before its first step.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from staydown.law import Place, place
from staydown.law.errors import PlaceNotFound

SKIPPED = "0"


class Question(StrEnum):
    """The questions in the order in which they are asked."""

    AGE = "age"
    DANGER = "danger"
    WHERE = "where"
    WHAT = "what"
    PLACE = "place"


class Where(StrEnum):
    """Where the picture is."""

    LINKS = "1"
    SITE = "2"
    UNKNOWN = "3"
    THREATENED = "4"


class What(StrEnum):
    """What kind of picture it is."""

    REAL = "1"
    ALTERED = "2"
    MADE_UP = "3"


# What may stand at each question's place beside SKIPPED; the place is an id of the legal rows.
CHOICES: dict[Question, tuple[str, ...]] = {
    Question.AGE: ("1", "2"),
    Question.DANGER: ("1", "2"),
    Question.WHERE: tuple(Where),
    Question.WHAT: tuple(What),
}
YES = "1"  # for the age: yes, everyone was an adult
NOT_ADULT = "2"


@dataclass(frozen=True, slots=True)
class Answers:
    """What was answered so far, in the questions' order; SKIPPED where a question was passed over."""

    given: tuple[str, ...] = ()

    @property
    def next_question(self) -> Question | None:
        """The question to ask now; None after the last."""
        questions = tuple(Question)
        return questions[len(self.given)] if len(self.given) < len(questions) else None

    def _at(self, question: Question) -> str:
        position = tuple(Question).index(question)
        return self.given[position] if position < len(self.given) else SKIPPED

    @property
    def all_adult(self) -> bool:
        """Whether the person said that everyone was 18 or older."""
        return self._at(Question.AGE) == YES

    @property
    def in_danger(self) -> bool:
        """Whether the person said so."""
        return self._at(Question.DANGER) == YES

    @property
    def where(self) -> Where | None:
        """Where the picture is; None if that was passed over."""
        found = self._at(Question.WHERE)
        return None if found == SKIPPED else Where(found)

    @property
    def what(self) -> What | None:
        """What kind of picture it is; None if that was passed over."""
        found = self._at(Question.WHAT)
        return None if found == SKIPPED else What(found)

    @property
    def place(self) -> Place | None:
        """Where the person lives; None if that was passed over."""
        found = self._at(Question.PLACE)
        return None if found == SKIPPED else place(found.upper())

    @property
    def code(self) -> str:
        """The answers as they stand in an address."""
        return ".".join(self.given)

    def and_then(self, sign: str) -> Answers:
        """These answers and one more. A sign that the question does not know counts as SKIPPED."""
        question = self.next_question
        if question is None:
            return self
        return replace(self, given=(*self.given, _known(question, sign)))

    def without_last(self) -> Answers:
        """These answers without the last."""
        return replace(self, given=self.given[:-1])


def _known(question: Question, sign: str) -> str:
    sign = sign.lower()
    if question is Question.PLACE:
        try:
            return place(sign.upper()).id.lower()
        except PlaceNotFound:
            return SKIPPED
    return sign if sign in CHOICES[question] else SKIPPED


def read_answers(code: str) -> Answers:
    """The answers in an address; what cannot be read counts as skipped, and what is too much is left out."""
    answers = Answers()
    for sign in code.split(".") if code else ():
        answers = answers.and_then(sign)
    return answers
