"""Joining, signing in, and forms: only our own pages may send them."""

from __future__ import annotations

import pytest

from forum.members import FAILURES_ALLOWED, FailedSignIns
from tests.examples.harbour import PASSWORD, Harbour, painting


def test_the_first_member_moderates_and_the_second_does_not(harbour: Harbour) -> None:
    harbour.member("Alice")
    harbour.member("Bob")

    assert [(row[0], row[2]) for row in harbour.rows("member")] == [("Alice", 1), ("Bob", 0)]


@pytest.mark.parametrize("name", ["Alice", "alice", "  ALICE ", "\uff21lice"])
def test_a_name_is_taken_only_once(harbour: Harbour, name: str) -> None:
    harbour.member("Alice")

    answer = harbour.window().send("/join", name=name, password=PASSWORD)

    assert answer.status_code == 409
    assert "Somebody uses this name already" in answer.text
    assert len(harbour.rows("member")) == 1


@pytest.mark.parametrize(
    ("name", "password", "said"),
    [
        ("", PASSWORD, "A name has 2 to 40"),
        ("x" * 41, PASSWORD, "A name has 2 to 40"),
        ("Ali\u202ece", PASSWORD, "A name has 2 to 40"),
        ("Alice", "short", "A password has 8 to 200"),
        ("Alice", "x" * 201, "A password has 8 to 200"),
    ],
)
def test_what_cannot_be_a_name_or_password_is_said(
    harbour: Harbour, name: str, password: str, said: str
) -> None:
    answer = harbour.window().send("/join", name=name, password=password)

    assert answer.status_code == 422
    assert said in answer.text
    assert harbour.rows("member") == []


def test_no_password_is_stored_or_shown(harbour: Harbour) -> None:
    harbour.member("Alice")

    wrong = harbour.window().send("/sign-in", name="Alice", password="another password")

    assert PASSWORD.encode() not in harbour.database_bytes()
    assert "another password" not in wrong.text


def test_signing_in_and_out(harbour: Harbour) -> None:
    harbour.member("Alice")
    window = harbour.window()

    signed_in = window.send("/sign-in", page="/sign-in", name="alice", password=PASSWORD)
    assert "Sign out" in signed_in.text
    window.send("/sign-out", page="/")

    assert window.open("/mine").url.path == "/sign-in"


@pytest.mark.parametrize("name", ["Alice", "Nobody"])
def test_a_wrong_password_and_an_unknown_name_answer_alike(harbour: Harbour, name: str) -> None:
    harbour.member("Alice")
    window = harbour.window()

    answer = window.send("/sign-in", name=name, password="wrong password")

    assert answer.status_code == 403
    assert "This name and this password do not belong together." in answer.text
    assert window.open("/mine").url.path == "/sign-in"


def test_after_many_wrong_passwords_even_the_right_one_has_to_wait(harbour: Harbour) -> None:
    harbour.member("Alice")
    harbour.member("Bob")
    window = harbour.window()
    for _ in range(FAILURES_ALLOWED):
        window.send("/sign-in", name="Alice", password="wrong password")

    answer = window.send("/sign-in", name="ALICE", password=PASSWORD)

    assert answer.status_code == 429
    assert "Wait 15 minutes" in answer.text
    assert window.send("/sign-in", name="Bob", password=PASSWORD).status_code == 200


def test_failed_sign_ins_are_forgotten_with_time_and_success(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr("forum.members.time.monotonic", lambda: now[0])
    failed = FailedSignIns()
    for _ in range(FAILURES_ALLOWED):
        failed.note("Alice", "192.0.2.1")

    assert failed.are_too_many("alice", "192.0.2.1")
    assert not failed.are_too_many("Alice", "192.0.2.2")
    now[0] += 15 * 60
    assert not failed.are_too_many("Alice", "192.0.2.1")
    failed.note("Bob", "192.0.2.1")
    failed.forget("Bob", "192.0.2.1")
    assert not failed.are_too_many("Bob", "192.0.2.1")


def test_failed_sign_ins_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forum.members._MOST_REMEMBERED", 10)
    failed = FailedSignIns()

    for number in range(100):
        failed.note(f"name {number}", "192.0.2.1")

    assert len(failed._failures) == 10


@pytest.mark.parametrize("token", [None, "", "wrong", "wröng", "0" * 500])
def test_a_form_from_elsewhere_is_refused(harbour: Harbour, token: str | None) -> None:
    alice = harbour.member("Alice")
    post = alice.post(painting())
    data = {} if token is None else {"form_token": token}

    answers = [
        alice.client.post(path, data=data | values)
        for path, values in (
            ("/upload", {"title": "x"}),
            ("/sign-out", {}),
            ("/join", {"name": "Eve", "password": PASSWORD}),
            ("/sign-in", {"name": "Alice", "password": PASSWORD}),
            (f"/posts/{post}/decision", {"decision": "remove"}),
        )
    ]

    assert [answer.status_code for answer in answers] == [403] * 5
    assert "Go back, load the page again" in answers[0].text
    assert harbour.window().status(f"/posts/{post}") == 200
    assert len(harbour.rows("member")) == 1


def test_the_token_of_another_window_does_not_fit(harbour: Harbour) -> None:
    alice, charlie = harbour.member("Alice"), harbour.window()

    answer = alice.client.post("/sign-out", data={"form_token": charlie.token()})

    assert answer.status_code == 403


def test_the_token_changes_when_somebody_signs_in(harbour: Harbour) -> None:
    window = harbour.window()
    before = window.token()

    window.send("/join", name="Alice", password=PASSWORD)

    assert window.token("/upload") != before


def test_the_session_cookie_is_out_of_reach(harbour: Harbour) -> None:
    answer = harbour.window().open("/join")

    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie  # strict would sign out who follows a link from another site


def test_a_forged_session_is_nobody(harbour: Harbour) -> None:
    harbour.member("Alice")
    window = harbour.window()
    window.client.cookies.set("harbour", "eyJtZW1iZXIiOiAiQWxpY2UifQ==.x.y")

    assert window.open("/mine").url.path == "/sign-in"
