"""How hard an English text is to read: the Flesch-Kincaid grade, a year of school in the United States.

Syllables are counted by rules of spelling: within one of a dictionary for nearly all words, and far less than
that for a page. No word list, no package.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

SENTENCE_END = re.compile(r"[.!?]+(?=\s|$)|\n+")
WORD = re.compile(r"[A-Za-z][A-Za-z’']*(?:-[A-Za-z]+)*")
SILENT_END = re.compile(r"(?:[^laeiouy]es|[^aeioudt]ed|[^laeiou]e)$")
FEWEST_WORDS = 4
VOWELS = re.compile(r"[aeiouy]+")
SPLIT_VOWELS = re.compile(
    r"(?<!t)(?<!c)(?<!s)ia(?!l)|ie(?=t)|io(?!n)|eo(?!p)|ua(?!r)|[aeiouy]ing|crea|(?:ar|id)ea$"
)


@dataclass(frozen=True)
class Reading:
    """What the formula needs, and its result."""

    sentences: int
    words: int
    syllables: int

    @property
    def grade(self) -> float:
        """0.39 words a sentence + 11.8 syllables a word - 15.59 (Kincaid and others, 1975)."""
        if not self.words:
            return 0.0
        return 0.39 * self.words / self.sentences + 11.8 * self.syllables / self.words - 15.59


def syllables(word: str) -> int:
    """How many syllables a word has, by its spelling."""
    parts = word.lower().replace("’", "").replace("'", "").split("-")
    return sum(_syllables_of_part(part) for part in parts if part)


def _syllables_of_part(word: str) -> int:
    if len(word) <= 3:
        return 1
    stem = SILENT_END.sub("", word) or word
    if word.endswith(("ses", "zes", "ches", "shes", "xes", "ges", "ces")):
        stem = word
    if word.endswith("le") and word[-3] not in "aeiouy":
        stem = word
    return max(1, len(VOWELS.findall(stem)) + len(SPLIT_VOWELS.findall(stem)))


def reading(text: str) -> Reading:
    """Counts a text whose sentences end in a full stop, a question mark or a line's end.

    Pieces of fewer than four words (labels, buttons) are left out: the formula is made for sentences, and
    they would only lower the grade.
    """
    pieces = [WORD.findall(piece) for piece in SENTENCE_END.split(text)]
    sentences = [words for words in pieces if len(words) >= FEWEST_WORDS]
    words = [word for sentence in sentences for word in sentence]
    return Reading(len(sentences), len(words), sum(syllables(word) for word in words))
