"""Keeps the catalogues of the survivor site: finds every sentence, updates each .po file, compiles the .mo.

Templates are read as Django reads them, Python as Babel does. A changed sentence is a new one, without a
translation; translations of sentences that went away stay at the end of the file. It never invents,
guesses or deletes a translation. Run it by script/words; both kinds of file are committed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from gettext import GNUTranslations
from io import BytesIO
from pathlib import Path

from babel.messages import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "staydown"
SITE = SOURCE / "survivor_site"
LOCALE = SITE / "locale"
# Pages of the door, and the failure pages, which are shown in its frame.
PYTHON_SOURCES = [*sorted(SITE.rglob("*.py")), SOURCE / "config" / "failures.py"]
# The letters (.txt) are written to platforms, in English.
TEMPLATE_SOURCES = sorted((SITE / "templates").rglob("*.html"))
LANGUAGES = ("es", "ar")
KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
# A date in the head of a file would make every run a change.
DATED = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Found:
    """One sentence where it stands. `text` is a pair for singular and plural."""

    text: str | tuple[str, str]
    context: str | None
    comments: tuple[str, ...]
    path: Path
    line: int


def _extracted(code: str, path: Path) -> Iterator[Found]:
    stream = BytesIO(code.encode("utf-8"))
    rows = extract(
        "python", stream, keywords=KEYWORDS, comment_tags=("Translators:",), strip_comment_tags=True
    )
    for line, text, comments, context in rows:
        kept = text if isinstance(text, str) else (text[0], text[1])
        yield Found(kept, context, tuple(comments), path, line)


def from_template(text: str, path: Path) -> Iterator[Found]:
    """The sentences of a Django template."""
    # Django writes the template as a line of code for each line; indentation of HTML means nothing in it.
    lines = templatize(text, origin=str(path)).splitlines()
    yield from _extracted("\n".join(line.strip() for line in lines) + "\n", path)


def from_python(text: str, path: Path) -> Iterator[Found]:
    """The sentences of a Python module."""
    yield from _extracted(text, path)


def all_found() -> list[Found]:
    """Every sentence of the survivor site, in the order of files and lines."""
    found: list[Found] = []
    for path in TEMPLATE_SOURCES:
        found += from_template(path.read_text(encoding="utf-8"), path)
    for path in PYTHON_SOURCES:
        found += from_python(path.read_text(encoding="utf-8"), path)
    return found


def template_catalog() -> Catalog:
    """All sentences, without translations."""
    catalog = Catalog(project="Staydown", copyright_holder="the Staydown authors", charset="utf-8")
    for row in all_found():
        place = (str(row.path.relative_to(ROOT)), row.line)
        catalog.add(row.text, locations=[place], auto_comments=row.comments, context=row.context)
    return catalog


def po_path(language: str) -> Path:
    """The catalogue that people edit."""
    return LOCALE / language / "LC_MESSAGES" / "django.po"


def read_catalog(language: str) -> Catalog:
    """The catalogue as it lies there; an empty one if there is none."""
    path = po_path(language)
    if not path.exists():
        return Catalog(locale=language, domain="django", project="Staydown")
    with path.open("rb") as file:
        return read_po(file, locale=language, domain="django")


def _dated(catalog: Catalog) -> Catalog:
    catalog.creation_date = catalog.revision_date = DATED
    catalog.version = ""
    catalog.fuzzy = False
    catalog.last_translator, catalog.language_team = "Staydown", "Staydown"
    catalog.header_comment = (
        "# Words of the survivor site. Edit the translations; script/words keeps the rest."
    )
    return catalog


def po_bytes(catalog: Catalog) -> bytes:
    """The .po file."""
    out = BytesIO()
    write_po(out, _dated(catalog), width=110, include_lineno=False, sort_by_file=True)
    # Another version of Babel is no change of the catalogue.
    lines = out.getvalue().splitlines(keepends=True)
    return b"".join(line for line in lines if not line.startswith(b'"Generated-By'))


def mo_bytes(catalog: Catalog) -> bytes:
    """The .mo file: what is translated, and nothing fuzzy."""
    out = BytesIO()
    write_mo(out, _dated(catalog))
    return out.getvalue()


def updated(language: str, template: Catalog) -> Catalog:
    """The catalogue with the sentences of today; translations are kept, none is guessed."""
    catalog = read_catalog(language)
    # A sentence that went away and came back finds its translation among the obsolete ones.
    kept = {key: message.string for key, message in catalog.obsolete.items()}
    catalog.update(template, no_fuzzy_matching=True)
    for message in catalog:
        key = message.id[0] if isinstance(message.id, tuple) else message.id
        if message.id and not any(message.string if isinstance(message.string, tuple) else [message.string]):
            message.string = kept.get(key, message.string)
            if kept.get(key):
                catalog.obsolete.pop(key, None)
    return catalog


def compiled(content: bytes) -> dict[object, str]:
    """What a .mo file translates."""
    held: dict[object, str] = dict(GNUTranslations(BytesIO(content))._catalog)  # type: ignore[attr-defined]
    held.pop("", None)
    return held


def is_current(path: Path, content: bytes) -> bool:
    """Whether the file says what it should. A .mo file's head may name another version of Babel."""
    if not path.exists():
        return False
    if path.suffix == ".mo":
        return compiled(path.read_bytes()) == compiled(content)
    return path.read_bytes() == content


def main(arguments: list[str] | None = None) -> int:
    """Writes the catalogues, or with --check says which would change."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a file would change")
    options = parser.parse_args(arguments)
    template = template_catalog()
    stale = []
    for language in LANGUAGES:
        catalog = updated(language, template)
        for path, content in (
            (po_path(language), po_bytes(catalog)),
            (po_path(language).with_suffix(".mo"), mo_bytes(catalog)),
        ):
            if is_current(path, content):
                continue
            stale.append(str(path.relative_to(ROOT)))
            if not options.check:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
        untranslated = sum(1 for message in catalog if message.id and not translated(message.string))
        print(f"{language}: {len(catalog)} sentences, {untranslated} without a translation")
    if stale:
        print(("would change: " if options.check else "written: ") + ", ".join(stale))
    return 1 if stale and options.check else 0


def translated(string: str | tuple[str, ...]) -> bool:
    """Whether every form has text."""
    return all(string) if isinstance(string, tuple) else bool(string)


if __name__ == "__main__":
    sys.exit(main())
