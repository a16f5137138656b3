"""The English of every page of the survivor site can be read after six to eight years of school.

Left out: what stands in English on purpose from legal rows and other organisations (lang="en"), addresses,
numbers, code and the demonstration's tour. Pages are measured as they are shown, with a case open.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from staydown.access.terms import Platform
from tests.staydown.doors import Clock, Window
from tests.staydown.survivor_site.conftest import AliceCase, open_with
from tests.staydown.survivor_site.reading import reading, syllables
from tests.staydown.survivor_site.test_words import words as words

HARDEST_GRADE = 8.0
LONGEST_SENTENCE = 32
OPEN_PAGES = [
    *("/", "/register", "/request", "/case", "/steps", "/places", "/options", "/options?place=us-ca"),
    *("/help", "/help/friends", "/help/schools", "/help/under-18"),
    *("/how-it-works", "/how-it-works/check", "/safety"),
]
CASE_PAGES = [
    "/case",
    "/case/add",
    "/case/withdraw/all",
    "/case/keys",
    "/case/erase",
    "/case/elsewhere",
    "/case/notes",
]
BLOCKS = {
    *("p", "li", "h1", "h2", "h3", "dt", "dd", "div", "button", "label", "legend", "summary", "option", "a"),
    *("caption", "td", "th", "ul", "ol", "section", "aside", "nav", "footer", "br", "strong", "span"),
}
INLINE_IN_SENTENCE = {"a", "strong", "span"}
SKIPPED = {"script", "style", "head", "code", "pre", "time", "textarea"}
VOID = {"br", "hr", "input", "meta", "link", "img", "wbr", "source"}


class _Shown(HTMLParser):
    """The text of a page, a line for each block."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""
        self._open: list[bool] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in BLOCKS - INLINE_IN_SENTENCE:
            self.text += "\n"
        if tag in VOID:
            return
        named = dict(attrs)
        foreign = named.get("lang") == "en" and tag != "html"
        kind = set((named.get("class") or "").split())
        self._open.append(
            tag in SKIPPED or foreign or bool(kind & {"source", "address", "number", "languages"})
        )

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID and self._open:
            self._open.pop()
        if tag in BLOCKS - INLINE_IN_SENTENCE:
            self.text += "\n"

    def handle_data(self, data: str) -> None:
        if not any(self._open):
            self.text += re.sub(r"\s+", " ", data)


def shown(html: str) -> str:
    """What a person reads on a page, in blocks."""
    parser = _Shown()
    parser.feed(html)
    return parser.text


def too_hard(text: str) -> list[str]:
    """What is wrong with a text for somebody who reads little, or is afraid."""
    found = reading(text)
    wrong = [f"grade {found.grade:.1f}"] if found.grade > HARDEST_GRADE else []
    sentences = re.split(r"(?<=[.!?])\s+|\n+", text)
    wrong += [sentence for sentence in sentences if reading(sentence).words > LONGEST_SENTENCE]
    return wrong


@pytest.mark.parametrize("path", OPEN_PAGES)
def test_every_page_reads_easily(alice: Window, forum: Platform, path: str) -> None:
    page = alice.open(path)

    assert page.status == 200
    assert too_hard(shown(page.html)) == []


@pytest.mark.parametrize("path", CASE_PAGES)
def test_every_page_of_a_case_reads_easily(
    alice: Window, forum: Platform, her_case: AliceCase, clock: Clock, path: str
) -> None:
    open_with(alice, her_case.receipt)

    page = alice.open(path)

    assert page.status == 200
    assert too_hard(shown(page.html)) == []


def test_sentences_that_few_pages_show_read_easily_too(words) -> None:  # type: ignore[no-untyped-def]
    texts = [row.text if isinstance(row.text, str) else row.text[1] for row in words.all_found()]
    assert len(texts) > 300
    assert [text for text in texts if (found := reading(text)).words > 10 and found.grade > 11] == []


def test_control_the_language_of_authorities_is_too_hard() -> None:
    hard = (
        "Notwithstanding the aforementioned considerations, registered applicants are hereby respectfully "
        "requested to communicate supplementary documentation substantiating their identification."
    )
    assert too_hard(hard) != []
    assert too_hard("You can stop at any time. We keep nothing. Your picture stays on your phone.") == []
    long = "You can stop " + "and start again " * 12 + "now."
    assert too_hard(long) != []


@pytest.mark.parametrize(
    ("word", "number"),
    [
        *(("picture", 2), ("device", 2), ("registered", 3), ("deleted", 3), ("changes", 2), ("please", 1)),
        *(("little", 2), ("idea", 3), ("create", 2), ("organisation", 5), ("fingerprint", 3), ("people", 2)),
        *(("video", 3), ("e-mail", 2), ("you’re", 1), ("asked", 1)),
    ],
)
def test_syllables_are_counted_as_spoken(word: str, number: int) -> None:
    assert syllables(word) == number


def test_the_grade_is_that_of_the_formula() -> None:
    # 10 words in 2 sentences, 13 syllables
    found = reading("We keep nothing about you here. You can always stop.")
    assert (found.sentences, found.words, found.syllables) == (2, 10, 13)
    assert found.grade == pytest.approx(0.39 * 5 + 11.8 * 1.3 - 15.59)
