"""The calls of the notes page: locked things in and out for whoever has the case open, refusals in words."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from django.http import HttpResponse

from staydown.access.rules import open_key_of
from staydown.evidence import rules
from staydown.evidence.queries import notes_of
from staydown.survivor_site import notes
from tests.staydown.doors import Clock, Window
from tests.staydown.survivor_site.conftest import AliceCase, open_with

RECIPIENT = "age1" + "q" * 58
CALLS = ["words", "start", "wrap", "save", "files", "files/att_x/delete", "delete"]


@pytest.fixture(autouse=True)
def _same_time(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notes, "now_utc", clock)


def plain(text: str) -> str:
    return base64.b64encode(rules.HEADER + text.encode()).decode()


def tell(window: Window, path: str, content: Any = None) -> HttpResponse:
    body = content if isinstance(content, bytes) else json.dumps({} if content is None else content)
    forms = window.open("/case").forms
    token = next(form.values["csrfmiddlewaretoken"] for form in forms if "csrfmiddlewaretoken" in form.values)
    answer: HttpResponse = window.client.post(
        f"/case/notes/{path}",
        data=body,
        content_type="application/octet-stream",
        headers={"X-CSRFToken": token},
    )
    return answer


def start(window: Window, **changes: Any) -> HttpResponse:
    sent = {"recipient": RECIPIENT, "kind": "key_phrase", "wrapped": plain("i"), "document": plain("first")}
    return tell(window, "start", {**sent, **changes})


@pytest.fixture
def hers(alice: Window, her_case: AliceCase) -> Window:
    """Alice's window with her case open and notes started."""
    open_with(alice, her_case.receipt)
    assert start(alice).status_code == 200
    return alice


def test_page_alone_may_make_calls_and_only_to_this_site(hers: Window) -> None:
    policy = hers.client.get("/case/notes").headers["Content-Security-Policy"]
    assert "connect-src 'self'" in policy
    assert "connect-src 'none'" in hers.client.get("/case").headers["Content-Security-Policy"]
    assert (
        policy.replace("connect-src 'self'", "connect-src 'none'")
        == (hers.client.get("/case").headers["Content-Security-Policy"])
    )


def test_page_says_what_it_needs_and_warns_before_public_copies(hers: Window) -> None:
    page = hers.open("/case/notes")
    assert "That needs JavaScript." in page.html
    for warning in ("web archive", "DMCA", "18 or older", "It is your choice"):
        assert warning in page.html


def test_without_the_case_open_the_page_leads_to_the_case(charlie: Window) -> None:
    assert charlie.open("/case/notes").goes_to == "/case"


def test_call_of_another_site_changes_nothing(hers: Window, her_case: AliceCase) -> None:
    refused = hers.client.post("/case/notes/delete", data=b"{}", content_type="text/plain")
    assert refused.status_code == 403
    assert notes_of(her_case.number) is not None


@pytest.mark.parametrize("call", CALLS)
def test_charlie_can_do_nothing_without_the_case(hers: Window, charlie: Window, call: str) -> None:
    assert tell(charlie, call).status_code == 403


def test_charlie_reads_nothing(hers: Window, charlie: Window, her_case: AliceCase) -> None:
    file_id = json.loads(tell(hers, "files", rules.HEADER + b"shot").content)["id"]
    assert charlie.client.get("/case/notes/stored").status_code == 403
    assert charlie.client.get(f"/case/notes/files/{file_id}").status_code == 403
    # The control: Alice can
    assert hers.client.get(f"/case/notes/files/{file_id}").content == rules.HEADER + b"shot"


def test_stored_notes_come_back_locked(hers: Window) -> None:
    stored = json.loads(hers.client.get("/case/notes/stored").content)["notes"]
    assert stored == {
        "recipient": RECIPIENT,
        "wrapped": {"key_phrase": plain("i")},
        "document": plain("first"),
        "revision": 1,
        "files": {},
    }


def test_window_that_saves_late_learns_the_stored_revision(hers: Window, her_case: AliceCase) -> None:
    assert tell(hers, "save", {"document": plain("mine"), "revision": 1}).status_code == 200
    late = tell(hers, "save", {"document": plain("theirs"), "revision": 1})
    assert (late.status_code, json.loads(late.content)["revision"]) == (409, 2)
    kept = notes_of(her_case.number)
    assert kept is not None
    assert kept.document == rules.HEADER + b"mine"


@pytest.mark.parametrize(
    ("call", "content", "status"),
    [
        ("save", {"document": base64.b64encode(b"My ex posted it.").decode(), "revision": 1}, 422),
        ("save", {"document": "not base64!", "revision": 1}, 422),
        ("save", {"document": plain("x"), "revision": "1"}, 422),
        ("save", ["a list"], 422),
        ("save", b"\xff", 422),
        ("save", b"[" * 100_000, 422),
        ("wrap", {"kind": "master_key", "wrapped": plain("x")}, 422),
        ("wrap", {"kind": "recovery_key", "wrapped": plain("x" * rules.MAX_WRAPPED_BYTES)}, 413),
        ("files", b"\xff\xd8\xff\xe0 a picture", 422),
        ("files", rules.HEADER + bytes(rules.MAX_FILE_BYTES), 413),
        ("files/att_none/delete", {}, 404),
    ],
)
def test_what_cannot_be_kept_is_refused_in_a_sentence(
    hers: Window, her_case: AliceCase, call: str, content: Any, status: int
) -> None:
    before = notes_of(her_case.number)
    refused = tell(hers, call, content)
    assert refused.status_code == status
    assert json.loads(refused.content)["trouble"]
    assert notes_of(her_case.number) == before


def test_second_start_is_refused(hers: Window) -> None:
    assert start(hers).status_code == 409


def test_words_of_another_case_lock_nothing(hers: Window, her_case: AliceCase) -> None:
    right = tell(hers, "words", {"open_key": open_key_of(her_case.receipt.key_phrase or "")})
    assert json.loads(right.content) == {"kind": "key_phrase"}
    wrong = tell(hers, "words", {"open_key": open_key_of("able baker charlie double enter five game")})
    assert wrong.status_code == 403


def test_deleted_notes_are_gone(hers: Window, her_case: AliceCase) -> None:
    assert tell(hers, "delete").status_code == 200
    assert notes_of(her_case.number) is None
    assert json.loads(hers.client.get("/case/notes/stored").content) == {"notes": None}
