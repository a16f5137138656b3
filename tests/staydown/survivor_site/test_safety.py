"""What holds on every address of the survivor site, whoever added it: exit, neutral names, no way out.

The addresses come from the routing itself; a new one with a part to fill in must be named here.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest

from staydown.access.terms import Platform
from staydown.config.csp import PAGE_CSP
from staydown.journeys.file_request import file_request
from staydown.survivor_site.urls import urlpatterns
from tests.staydown.conftest import a_draft
from tests.staydown.doors import Clock, Screen, Window
from tests.staydown.survivor_site.conftest import AliceCase, open_with

# What stands in an address with a part to fill in; None: a test below opens it, or it is never opened by GET.
FILLED_IN = {
    "case/withdraw/<str:what>": "case/withdraw/all",
    "places/<str:channel_id>": None,
    "case/elsewhere/<str:request_id>": None,
    "case/notes/files/<str:file_id>": None,
    "case/notes/files/<str:file_id>/delete": None,
}
# Leaving, and the page after it, which must not know of an exit; the demonstration's picture.
WITHOUT_EXIT = {"exit", "calendar", "demo/picture"}
NEUTRAL_TITLES = {"Notes", "Choose files", "Calendar"}
NEUTRAL_FILE = re.compile(r"(?:notes|receipt|list|letter|page)(?:-\d+)?\.(?:txt|json|age|html|pdf)")
PERMISSIONS = ("camera=()", "microphone=()", "geolocation=()")


class _Links(HTMLParser):
    """Every link and everything that a browser would load by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[dict[str, str]] = []
        self.loaded: list[str] = []
        self.file_names: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in named:
            self.links.append(named)
        if tag in {"script", "img", "iframe", "video", "audio", "source", "embed", "object"}:
            self.loaded += [named[name] for name in ("src", "data", "srcset", "poster") if name in named]
        if tag == "link":
            self.loaded.append(named.get("href", ""))
        if tag == "form":
            self.loaded.append(named.get("action", ""))
        self.file_names += [named[name] for name in ("data-file-name", "download") if named.get(name)]


def is_outside(address: str) -> bool:
    """Whether an address names another server."""
    return bool(urlsplit(address).netloc)


def troubles(page: Screen, *, with_exit: bool = True) -> list[str]:
    """What is wrong with one answer."""
    headers = page.response.headers
    wanted = {
        "Cache-Control": "no-store",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
    }
    wrong = [name for name, value in wanted.items() if headers.get(name) != value]
    wrong += [rule for rule in PERMISSIONS if rule not in headers.get("Permissions-Policy", "")]
    if headers.get("Content-Security-Policy", "").replace("'self'", "'none'") != PAGE_CSP.replace(
        "'self'", "'none'"
    ):
        wrong.append("another policy than that of pages")
    saved_as = re.search(r'filename="([^"]*)"', headers.get("Content-Disposition", ""))
    if saved_as and not NEUTRAL_FILE.fullmatch(saved_as[1]):
        wrong.append(f"a file is named {saved_as[1]}")
    if headers.get("Content-Type", "").startswith("text/html") and page.status == 200:
        found = _Links()
        found.feed(page.html)
        if page.title not in NEUTRAL_TITLES:
            wrong.append(f"the title tells: {page.title}")
        if with_exit and not any(link["href"] == "/exit" and "data-exit" in link for link in found.links):
            wrong.append("no exit")
        wrong += [f"loads {address}" for address in found.loaded if is_outside(address)]
        wrong += [
            f"tells {link['href']} where the person comes from"
            for link in found.links
            if is_outside(link["href"]) and "noreferrer" not in link.get("rel", "").split()
        ]
        wrong += [f"a file is named {name}" for name in found.file_names if not NEUTRAL_FILE.fullmatch(name)]
    return wrong


def addresses() -> dict[str, str | None]:
    """Every pattern of the survivor site with an address to open."""
    patterns = [str(route.pattern) for route in urlpatterns]
    return {pattern: FILLED_IN[pattern] if "<" in pattern else pattern for pattern in patterns}


@pytest.mark.parametrize("pattern", list(addresses()))
def test_every_address_is_safe_to_open(
    alice: Window, forum: Platform, her_case: AliceCase, clock: Clock, pattern: str
) -> None:
    # Given Alice's open case with pictures and a request, and an address
    address = addresses()[pattern]
    if address is None:
        pytest.skip("needs a row of its own; its story opens it")
    file_request(a_draft(), case_number=her_case.number, now=clock.now)
    open_with(alice, her_case.receipt)

    # When she opens it
    page = alice.open("/" + address)

    # Then
    assert page.status in {200, 302, 303, 403, 404, 405}
    assert troubles(page, with_exit=pattern not in WITHOUT_EXIT) == []


def test_places_elsewhere_are_safe_to_open(alice: Window, forum: Platform) -> None:
    listed = [link for link in alice.open("/places").links if link.startswith("/places/")]

    assert listed
    assert troubles(alice.open(listed[0])) == []


def test_failure_pages_have_the_exit_too(alice: Window) -> None:
    for path in ("/nowhere", "/places/nowhere"):
        page = alice.open(path)
        assert page.status == 404
        assert "data-exit" in page.html
        assert page.title in NEUTRAL_TITLES


@pytest.mark.parametrize(
    ("html", "what"),
    [
        (
            '<title>Notes</title><a href="/exit" data-exit></a><a href="https://a.example/">x</a>',
            "comes from",
        ),
        (
            '<title>Notes</title><a href="/exit" data-exit></a><script src="//cdn.example/x.js"></script>',
            "loads",
        ),
        ('<title>Remove my picture</title><a href="/exit" data-exit></a>', "title"),
        ('<title>Notes</title><a href="/exit" data-exit></a><p data-file-name="my-nudes.txt">', "file"),
        ("<title>Notes</title><p>Nothing</p>", "no exit"),
    ],
)
def test_control_each_fault_is_found(alice: Window, html: str, what: str) -> None:
    page = alice.open("/safety")
    assert troubles(page) == []
    page.response.content = html.encode()

    assert any(what in trouble for trouble in troubles(Screen(page.response, path="/safety")))


def test_control_missing_headers_are_found(alice: Window) -> None:
    page = alice.open("/safety")
    for name in list(page.response.headers):
        if name not in {"Content-Type"}:
            del page.response.headers[name]

    assert {"Cache-Control", "Referrer-Policy", "camera=()"} <= set(troubles(page))
