"""Words that the house does not say, on screen or in code (conventions 3 and 51).

Looks at text that a person may read: templates, browser code, strings in Python, documents. Names of
organisations and laws that use such a word are listed, with the whole name.
"""

import ast
import re

import pytest

from tests.architecture.survey import ROOT, SRC

FORBIDDEN = {
    r"\bvictims?\b": "say depicted person, or you",
    r"\brevenge[ -]?porn\b": "say intimate images shared without consent",
    r"\boops\b": "say what happened",
    r"\bsuccess!": "say what happened and what is next",
    r"\bare you sure\b": 'offer the choice: "Keep it" / "Withdraw it"',
}
NAMES = ("Revenge Porn Helpline", "revengepornhelpline.org.uk")
LEGAL_ADVICE = re.compile(r"\blegal advice\b", re.IGNORECASE)
DENIAL = re.compile(r"\b(not|no|nothing|never|none|cannot|isn't|instead of|nor)\b", re.IGNORECASE)
SENTENCE = re.compile(r"[^.!?]*")

TEXTS = {".html", ".txt", ".js", ".mjs", ".css", ".svg", ".md"}
# Documents say what we avoid; vendored code and word lists are other people's.
SKIPPED = {"vendor", "words", "node_modules", "dist", "build", "__pycache__"}
FOLDERS = (SRC, ROOT / "examples", ROOT / "web", ROOT / "docs")


def troubles(text):
    """Forbidden words in a text, with the line and what to say instead."""
    for name in NAMES:
        text = re.sub(re.escape(name), lambda found: " " * len(found[0]), text, flags=re.IGNORECASE)
    found = []
    for pattern, instead in FORBIDDEN.items():
        found += [
            (text.count("\n", 0, match.start()) + 1, f"{match[0]!r}: {instead}")
            for match in re.finditer(pattern, text, re.IGNORECASE)
        ]
    flat = text.replace("\n", " ")
    for match in LEGAL_ADVICE.finditer(flat):
        start = max(flat.rfind(end, 0, match.start()) for end in ".!?>") + 1
        end = SENTENCE.match(flat, match.end()).end()
        if not DENIAL.search(flat[start:end]):
            found.append(
                (
                    text.count("\n", 0, match.start()) + 1,
                    "'legal advice': we give none; say so, or say nothing",
                )
            )
    return sorted(found)


def strings(path):
    """Every string in a Python file, docstrings too, with its line."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def unsaid_words(folders):
    """Every forbidden word under the folders."""
    found = []
    for folder in folders:
        for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
            if not path.is_file() or SKIPPED & set(path.parts):
                continue
            if path.suffix == ".py":
                for line, text in strings(path):
                    found += [f"{path}:{line + at - 1}: {why}" for at, why in troubles(text)]
            elif path.suffix in TEXTS:
                found += [f"{path}:{at}: {why}" for at, why in troubles(path.read_text(encoding="utf-8"))]
    return found


def test_nobody_reads_a_word_that_we_do_not_say():
    assert unsaid_words(FOLDERS) == []


@pytest.mark.parametrize(
    "text",
    [
        "The victim may file a request.",
        "Stop revenge porn",
        "<h1>Oops, something went wrong</h1>",
        "<p>Success! Your request was sent.</p>",
        "Are you sure?",
        "Here is our legal advice.",
        "This is not a game. We give legal advice here.",
    ],
)
def test_forbidden_words_are_noticed(text):
    assert len(troubles(text)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "The Revenge Porn Helpline answers on weekdays.",
        "This is not legal advice.",
        "None of it is legal advice,\nand nothing here is about one case.",
        "Your request was received successfully",
        "We are sure of this.",
    ],
)
def test_other_words_pass(text):
    assert troubles(text) == []


def test_string_in_code_is_read_and_a_name_is_not(tmp_path):
    # Given
    (tmp_path / "pages.py").write_text('oops = 1\nmessage = "Oops"\n')

    # Then
    assert len(unsaid_words([tmp_path])) == 1
