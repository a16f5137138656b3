"""How tests come in by the doors: a window without scripts, what a page shows, and a clock that stands still.

Forms are sent as a browser would send them, with the hidden values that the page gave, so a page whose form
lost its protection token or its address fails here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from html.parser import HTMLParser
from typing import Any

from django.test import Client

from staydown.cases.terms import SubmittedItem
from tests.staydown.conftest import NOW

# Inputs that need no label: nobody fills them in.
UNSEEN = ("hidden", "submit")


class Clock:
    """The time at the doors. Patched over `now_utc` of each page module."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def goes_on(self, **span: float) -> None:
        """Moves on by `minutes=…`, `hours=…`."""
        self.now += timedelta(**span)


@dataclass
class Form:
    """A form as it stands on the page."""

    action: str
    method: str
    values: dict[str, str] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)


class Screen(HTMLParser):
    """An answer, and its page as a person and a screen reader meet it."""

    def __init__(self, response: Any, *, path: str = "") -> None:
        super().__init__()
        self.response, self.path = response, path
        self.status: int = response.status_code
        self.goes_to: str = response.headers.get("Location", "")
        self.html = "" if response.streaming else response.content.decode()
        self.title, self.text = "", ""
        self.headings: list[str] = []
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.tags: list[str] = []
        self.without_label: list[str] = []
        self._labelled: set[str] = set()
        self._inputs: list[tuple[str, str]] = []
        self._open: list[str] = []
        self._textarea: tuple[Form | None, str] | None = None
        if "html" in response.headers.get("Content-Type", ""):
            self.feed(self.html)
        self.without_label = [name for name, id_ in self._inputs if id_ not in self._labelled]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        if "id" in given:
            self.ids.append(given["id"])
        match tag:
            case "title" | "h1" | "label" | "script" | "template" | "textarea":
                self._open.append(tag)
            case "form":
                self.forms.append(Form(given.get("action", self.path), given.get("method", "get"), {}, set()))
                self._open.append(tag)
            case "a":
                self.links.append(given.get("href", ""))
        if tag == "h1":
            self.headings.append("")
        if tag == "label" and "for" in given:
            self._labelled.add(given["for"])
        if tag in ("input", "textarea", "select"):
            self._field(tag, given)

    def _field(self, tag: str, given: dict[str, str]) -> None:
        name, kind = given.get("name", ""), given.get("type", "")
        form = self.forms[-1] if "form" in self._open else None
        if kind not in UNSEEN and "label" not in self._open and "aria-label" not in given:
            self._inputs.append((f"{tag} {name or given.get('id', '?')}", given.get("id", "?")))
        if form is not None and name:
            form.names.add(name)
        if tag == "textarea":
            self._textarea = (form, name)
            if form is not None:
                form.values[name] = ""
        elif form is not None and name and (kind not in ("radio", "checkbox") or "checked" in given):
            form.values[name] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open:
            del self._open[len(self._open) - 1 - self._open[::-1].index(tag)]
        if tag == "textarea":
            self._textarea = None

    def handle_data(self, data: str) -> None:
        if "title" in self._open:
            self.title += data
        elif "h1" in self._open:
            self.headings[-1] += data
        if self._textarea and self._textarea[0] is not None:
            form, name = self._textarea
            form.values[name] = form.values.get(name, "") + data
        if not {"script", "template", "title"} & set(self._open):
            self.text += data

    def form_to(self, action: str) -> Form:
        """The form of this page that goes to an address."""
        found = [form for form in self.forms if form.action == action]
        assert len(found) == 1, f"{self.path} ({self.status}) has {len(found)} forms that go to {action}"
        return found[0]

    def says(self, words: str) -> bool:
        """Whether the words stand on the page, however its lines are broken."""
        return " ".join(words.split()) in " ".join(self.text.split())


class Window:
    """One person's browser window, without scripts: keeps cookies, follows no redirect by itself."""

    def __init__(self, **defaults: Any) -> None:
        self.client = Client(enforce_csrf_checks=True, **defaults)

    def open(self, path: str) -> Screen:
        """Opens a page."""
        return Screen(self.client.get(path), path=path)

    def send(self, path: str, *, action: str | None = None, **values: Any) -> Screen:
        """Opens a page, fills in its form that goes to `action` (else to the page itself), and sends it."""
        return self.send_from(self.open(path), action=action or path, **values)

    def send_from(self, page: Screen, *, action: str, **values: Any) -> Screen:
        """Fills in a form of a page that is open and sends it. A value of None leaves the field out."""
        form = page.form_to(action)
        assert form.method.lower() == "post"
        filled = {**form.values, **values}
        answer = self.client.post(action, {name: text for name, text in filled.items() if text is not None})
        return Screen(answer, path=action)


def a_submission(*items: SubmittedItem, **changes: Any) -> str:
    """What the device's script puts into the form for these pictures."""
    rows = [
        {
            "media": item.media,
            "sha256": item.digests.sha256,
            "md5": item.digests.md5,
            "codes": [
                [code.algorithm, code.derivation, code.quality, code.hex] for code in item.fingerprints
            ],
        }
        for item in items
    ]
    return json.dumps({"version": 1, "items": rows, **changes})


def secrets_of(items: Sequence[SubmittedItem]) -> Iterator[str]:
    """Every text that must stand in no log, no address and on no page of staff."""
    for item in items:
        yield item.digests.sha256
        yield item.digests.md5
        yield from (code.hex for code in item.fingerprints)
