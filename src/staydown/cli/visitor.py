"""A visitor without a screen: opens pages, fills in their forms and sends them, over real HTTP with cookies.

Only for `staydown demo`; it knows nothing of what the pages mean.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

import httpx

# A page of the demonstration answers in milliseconds; half a minute means that something hangs.
TIMEOUT_SECONDS = 30.0


class FormNotFound(Exception):
    """The page has no such form: the story and the pages have come apart."""


@dataclass
class Form:
    """A form as a browser would send it: where to, and the values it starts with."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)


class _Forms(HTMLParser):
    """Collects the forms of a page with the hidden and preset values of their inputs."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Form] = []
        self._inside: Form | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._inside = Form(action=values.get("action", ""))
            self.found.append(self._inside)
        elif tag == "input" and self._inside is not None and values.get("name"):
            chosen = "checked" in values or values.get("type") not in ("radio", "checkbox")
            if chosen and values.get("type") not in ("file", "submit"):
                self._inside.fields[values["name"]] = values.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = None


class Visitor:
    """One person's window: keeps cookies, follows redirects within the site."""

    def __init__(self, site: str) -> None:
        self.site = site
        self._client = httpx.Client(
            base_url=site, follow_redirects=True, timeout=TIMEOUT_SECONDS, trust_env=False
        )

    def __enter__(self) -> Visitor:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the window."""
        self._client.close()

    def open(self, path: str) -> httpx.Response:
        """Opens a page."""
        return self._client.get(path)

    def send(self, page: str, *, action: str, files: Any = None, **values: str) -> httpx.Response:
        """Opens `page`, fills in the form that goes to `action` with `values`, and sends it.

        Raises FormNotFound if the page has no such form.
        """
        opened = self.open(page)
        parser = _Forms()
        parser.feed(opened.text)
        for form in parser.found:
            if form.action == action:
                break
        else:
            raise FormNotFound(f"{page} has no form that goes to {action} (status {opened.status_code})")
        where = urljoin(str(opened.url), form.action)
        return self._client.post(
            where, data={**form.fields, **values}, files=files, headers={"Referer": str(opened.url)}
        )
