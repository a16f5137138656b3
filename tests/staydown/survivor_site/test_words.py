"""Every word of the survivor site goes through gettext; Spanish is complete, Arabic covers the main path.

Covers: staydown.survivor_site.apps.
"""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest
from babel.messages.catalog import Catalog, Message

from tests.staydown.survivor_site.site_words import bare_in_python, bare_in_script, bare_in_template

ROOT = Path(__file__).resolve().parents[3]
# What somebody meets from the first page to leaving. The Python sentences of all pages belong to it.
MAIN_PATH = {
    *("page.html", "languages.html", "in_english.html", "failure.html", "calendar.html", "start.html"),
    *("question.html", "plan.html", "register.html", "request.html", "receipt.html", "open_case.html"),
    *(
        "case.html",
        "case_more.html",
        "request_row.html",
        "sent_before.html",
        "withdraw.html",
        "under_18.html",
    ),
    *("copy_state.html", "notice_state.html", "reason.html", "source.html", "time_limit.html"),
    *("words.html", "keys.html", "new_words.html", "erase.html", "erased.html"),
    *("help.html", "helper.html", "need_kind.html", "people_kind.html", "safety.html"),
}
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w+\}")
MARKUP = re.compile(r"<[^>]+>")


@pytest.fixture(scope="module")
def words() -> ModuleType:
    spec = importlib.util.spec_from_file_location("script_words", ROOT / "script" / "words.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["script_words"] = module
    spec.loader.exec_module(module)
    return module


def forms(message: Message) -> list[str]:
    """All translated forms."""
    return list(message.string) if isinstance(message.string, tuple | list) else [message.string]


def sources(message: Message) -> list[str]:
    """The English, singular and plural."""
    return list(message.id) if isinstance(message.id, tuple | list) else [message.id]


def sentences(catalog: Catalog) -> list[Message]:
    """All messages but the head."""
    return [message for message in catalog if message.id]


def is_on_main_path(message: Message) -> bool:
    """Whether an Arabic reader meets it on the main path."""
    files = {Path(name) for name, _line in message.locations}
    return any(file.suffix == ".py" or file.name in MAIN_PATH for file in files)


def uneven(message: Message) -> list[str]:
    """Forms whose placeholders or markup differ from the English."""
    wanted = sources(message)
    allowed = [sorted(PLACEHOLDER.findall(text)) for text in wanted]
    markup = [sorted(MARKUP.findall(text)) for text in wanted]
    found = []
    for form in forms(message):
        if sorted(MARKUP.findall(form)) not in markup:
            found.append(f"{form!r}: other markup")
        placeholders = sorted(PLACEHOLDER.findall(form))
        # A form for one or two may say the number as a word: "an hour", "two hours" (one word in Arabic).
        if placeholders not in allowed and not (
            len(wanted) == 2 and len(allowed[0]) == 1 and not placeholders
        ):
            found.append(f"{form!r}: other placeholders than {wanted[0]!r}")
    return found


def test_catalogues_hold_every_sentence_and_are_compiled(words: ModuleType) -> None:
    assert words.main(["--check"]) == 0, "run script/words and translate what is new"


def test_spanish_is_complete(words: ModuleType) -> None:
    catalog = words.read_catalog("es")
    assert [message.id for message in sentences(catalog) if not all(forms(message))] == []
    assert [message.id for message in sentences(catalog) if message.fuzzy] == []


def test_arabic_covers_the_main_path(words: ModuleType) -> None:
    catalog = words.read_catalog("ar")
    missing = [m.id for m in sentences(catalog) if is_on_main_path(m) and not all(forms(m))]
    assert missing == []
    assert [message.id for message in sentences(catalog) if message.fuzzy] == []


@pytest.mark.parametrize("language", ["es", "ar"])
def test_placeholders_and_markup_are_the_same_on_both_sides(words: ModuleType, language: str) -> None:
    wrong = [
        trouble for m in sentences(words.read_catalog(language)) if all(forms(m)) for trouble in uneven(m)
    ]
    assert wrong == []


@pytest.mark.parametrize(("language", "number"), [("es", 2), ("ar", 6)])
def test_every_plural_has_all_forms_of_the_language(words: ModuleType, language: str, number: int) -> None:
    catalog = words.read_catalog(language)
    assert catalog.num_plurals == number
    plural = [message for message in sentences(catalog) if isinstance(message.id, tuple)]
    assert plural
    assert {len(message.string) for message in plural} == {number}


def test_no_word_of_a_page_stands_outside_gettext(words: ModuleType) -> None:
    found = []
    for path in words.TEMPLATE_SOURCES:
        found += [f"{path.name}:{line}: {text}" for line, text in bare_in_template(path.read_text())]
    for path in words.PYTHON_SOURCES:
        found += [f"{path.name}:{line}: {text}" for line, text in bare_in_python(path.read_text())]
    assert found == []


def test_no_script_of_a_page_brings_words_of_its_own() -> None:
    found = []
    for path in sorted((ROOT / "web").glob("*.js")):
        found += [f"{path.name}:{line}: {text}" for line, text in bare_in_script(path.read_text())]
    assert found == []
    assert bare_in_script("// It's fine here\nstatus.textContent = 'Please wait.';\n") == [
        (2, "Please wait.")
    ]


@pytest.mark.parametrize(
    "template",
    [
        "<p>Plain words</p>",
        '<p>{% translate "Good" %} and bad</p>',
        '<a aria-label="Plain words" href="/">{{ number }}</a>',
        "{% blocktranslate %}Good{% endblocktranslate %}<b>Bad</b>",
    ],
)
def test_control_bare_words_in_a_template_are_found(template: str) -> None:
    assert len(bare_in_template(template)) == 1


def test_control_what_is_translated_or_english_on_purpose_is_not_found() -> None:
    good = '{% if a == "word" %}<p title="{% translate \'x\' %}">{% translate "Some words" %}</p>{% endif %}'
    assert bare_in_template(good + '<q lang="en">The law says</q><code>connect-src</code>') == []


def test_control_bare_sentences_in_python_are_found() -> None:
    code = (
        '"""A docstring here."""\nA = "Please wait a moment."\nB = _("Please wait.")\nC = f("key", "Notes")\n'
    )
    assert bare_in_python(code) == [(2, "Please wait a moment.")]


@pytest.mark.parametrize(
    ("english", "translation"),
    [
        ("Case %(number)s", "Caso"),
        ("Case %(number)s", "Caso %(numero)s"),
        ("Source: <bdi>%(a)s</bdi>", "Fuente: %(a)s"),
        ("File {number}", "Archivo {n}"),
    ],
)
def test_control_a_translation_that_loses_a_part_is_found(english: str, translation: str) -> None:
    assert uneven(Message(english, translation)) != []


def test_a_new_sentence_keeps_all_translations_and_gets_none_by_guessing(
    words: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a catalogue with one translation
    monkeypatch.setattr(words, "LOCALE", tmp_path)
    template = Catalog()
    template.add("Keep it", locations=[("a.html", 1)])
    catalog = words.updated("es", template)
    catalog["Keep it"].string = "Conservarla"
    words.po_path("es").parent.mkdir(parents=True)
    words.po_path("es").write_bytes(words.po_bytes(catalog))

    # When a similar sentence comes, and the first goes and comes back
    template.add("Keep it all", locations=[("a.html", 2)])
    later = words.updated("es", template)
    assert (later["Keep it"].string, later["Keep it all"].string or "") == ("Conservarla", "")
    gone = words.updated("es", Catalog())
    words.po_path("es").write_bytes(words.po_bytes(gone))
    back = words.updated("es", template)

    # Then its translation is there again, and the new one is still to be made
    assert back["Keep it"].string == "Conservarla"
    assert not back["Keep it all"].string


def test_templates_and_python_are_read_as_they_are_written(words: ModuleType) -> None:
    html = Path("a.html")
    template = '<p>\n  <b>{% translate "One" %}</b>{# not this #}\n'
    plural = "{% blocktranslate count n=x %}{{ n }} day{% plural %}{{ n }} days{% endblocktranslate %}</p>"
    found = list(words.from_template(template + plural, html))
    assert [(row.text, row.line) for row in found] == [("One", 2), (("%(n)s day", "%(n)s days"), 3)]
    python = 'from x import gettext as _\n\n\ndef f():\n    return _("Two " "words.")\n'
    assert [row.text for row in words.from_python(python, Path("a.py"))] == ["Two words."]
