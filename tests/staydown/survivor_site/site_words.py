"""Finds words that a person may read and that do not go through gettext, in templates, Python and scripts."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser

TRANSLATED = re.compile(
    r"{%\s*blocktrans(?:late)?\b.*?{%\s*endblocktrans(?:late)?\s*%}|{%\s*comment\s*%}.*?{%\s*endcomment\s*%}",
    re.DOTALL,
)
TAGS = re.compile(r"{%.*?%}|{{.*?}}|{#.*?#}", re.DOTALL)
LETTERS = re.compile(r"[A-Za-z]{2,}")
READ_ALOUD = {"alt", "aria-label", "aria-description", "placeholder", "title"}
# Our name, a zone, and what a browser or a file calls itself.
NAMES = {"Staydown", "UTC", "utf", "UTF"}
VOID = {"area", "br", "hr", "img", "input", "link", "meta", "source", "wbr"}
# A sentence as somebody would write it on a page: two words, the first with a capital letter.
SENTENCE = re.compile(r"^[A-Z“][\w’'-]*,? [\w’'%(-]+")
SCRIPT_COMMENT = re.compile(r"/\*.*?\*/|(?:^|(?<=\s))//[^\n]*", re.DOTALL | re.MULTILINE)
SCRIPT_STRING = re.compile(r"""(['"`])((?:\\.|(?!\1).)*)\1""")
GETTEXT = {
    "_",
    "gettext",
    "gettext_lazy",
    "gettext_noop",
    "ngettext",
    "ngettext_lazy",
    "pgettext",
    "npgettext",
}


class _Bare(HTMLParser):
    """Text and spoken attributes, but not of elements that are English on purpose (lang="en") or code."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[int, str]] = []
        self._skipped: list[bool] = []

    def _note(self, text: str) -> None:
        if not any(self._skipped) and [word for word in LETTERS.findall(text) if word not in NAMES]:
            self.found.append((self.getpos()[0], text.strip()))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        for name in READ_ALOUD & set(named):
            self._note(named[name] or "")
        if tag not in VOID:
            self._skipped.append(named.get("lang") == "en" or tag in {"code", "script", "style"})

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID and self._skipped:
            self._skipped.pop()

    def handle_data(self, data: str) -> None:
        self._note(data)


def bare_in_template(text: str) -> list[tuple[int, str]]:
    """Words of a template outside gettext, with their line."""

    def blank(found: re.Match[str]) -> str:
        return "\n" * found[0].count("\n")

    parser = _Bare()
    parser.feed(TAGS.sub(blank, TRANSLATED.sub(blank, text)))
    parser.close()
    return parser.found


def bare_in_python(text: str) -> list[tuple[int, str]]:
    """Strings of a module that read like a sentence and stand outside gettext, with their line.

    What goes into a Problem is an answer of the API, which speaks English.
    """
    tree = ast.parse(text)
    spared = {id(node) for node in _docstrings(tree)}
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in {*GETTEXT, "Problem"}
        ):
            spared |= {id(inner) for argument in node.args for inner in ast.walk(argument)}
    return [
        (node.lineno, node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if id(node) not in spared and SENTENCE.match(node.value)
    ]


def bare_in_script(text: str) -> list[tuple[int, str]]:
    """Strings of a page's script that read like a sentence, with their line. The page gives them words."""

    def blank(found: re.Match[str]) -> str:
        return "\n" * found[0].count("\n")

    code = SCRIPT_COMMENT.sub(blank, text)
    return [
        (code.count("\n", 0, found.start()) + 1, found[2])
        for found in SCRIPT_STRING.finditer(code)
        if SENTENCE.match(found[2].strip())
    ]


def _docstrings(tree: ast.Module) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            for statement in node.body:
                # Also a sentence under an attribute, which documents it.
                if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                    yield statement.value
