"""Signing in: tries are counted, the way back stays on this site, nothing tells who works here."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from staydown.access import rules
from staydown.access.models import StaffMember
from staydown.access.operations import add_staff_member
from staydown.access.terms import Role
from staydown.config.csp import PAGE_CSP
from tests.staydown.doors import Clock, Window

PASSWORD = "a password of Bob's"


@pytest.fixture(autouse=True)
def bob_with_a_password(db: None, settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    add_staff_member(username="bob", password=PASSWORD, role=Role.REVIEWER)


def test_bob_signs_in_and_lands_where_he_wanted_to_go(charlie: Window) -> None:
    # Given a page that needs signing in
    asked = charlie.open("/desk/closed")
    assert (asked.status, asked.goes_to) == (302, "/desk/sign-in?next=/desk/closed")

    # When Bob signs in there
    page = charlie.open(asked.goes_to)
    sent = charlie.send_from(page, action="/desk/sign-in", username="bob", password=PASSWORD)

    # Then
    assert (sent.status, sent.goes_to) == (302, "/desk/closed")
    assert charlie.open("/desk/closed").status == 200


def test_sign_in_page_protects_who_reads_it(charlie: Window) -> None:
    page = charlie.open("/desk/sign-in")

    assert page.response.headers["Cache-Control"] == "no-store"
    assert page.response.headers["Content-Security-Policy"] == PAGE_CSP
    assert page.title == "Desk"
    assert page.headings == ["Sign in"]
    assert page.without_label == []


@pytest.mark.parametrize(
    "wanted",
    [
        "//evil.example/",
        "https://evil.example/",
        "http:evil.example",
        "/\\evil.example/",
        "\\\\evil.example",
        "/\t/evil.example",
        "\n//evil.example",
        "javascript:alert(1)",
        "evil",
        "platform-api:api-root",
        "",
    ],
)
def test_way_back_never_leads_to_another_site(charlie: Window, wanted: str) -> None:
    # When somebody makes Bob sign in through a link of theirs
    page = charlie.open("/desk/sign-in")
    sent = charlie.send_from(page, action="/desk/sign-in", username="bob", password=PASSWORD, next=wanted)

    # Then he lands at the desk
    assert (sent.status, sent.goes_to) == (302, "/desk/")


def test_way_back_in_the_link_is_refused_and_written_as_text(charlie: Window) -> None:
    for wanted in ("//evil.example", '"><script>alert(1)</script>'):
        page = Window().open(f"/desk/sign-in?next={wanted}")
        assert page.form_to("/desk/sign-in").values["next"] == "/desk/"
        assert "<script>alert" not in page.html


@pytest.mark.parametrize("username", ["bob", "nobody", "bob\x00", '"><script>alert(1)</script>'])
def test_wrong_password_and_unknown_name_are_answered_alike(charlie: Window, username: str) -> None:
    page = charlie.send("/desk/sign-in", username=username, password="wrong")

    assert page.status == 403
    assert page.says("This name and this password do not belong together.")
    form = page.form_to("/desk/sign-in")
    assert form.values["username"] == username.replace("\0", "\ufffd")
    assert form.values["password"] == ""
    assert "<script>alert" not in page.html
    assert charlie.open("/desk/").status == 302


def test_account_that_was_closed_does_not_sign_in(charlie: Window) -> None:
    StaffMember.objects.update(is_active=False)

    assert charlie.send("/desk/sign-in", username="bob", password=PASSWORD).status == 403


def test_guessing_one_name_from_one_address_is_slowed_down(clock: Clock) -> None:
    # Given as many wrong tries as are allowed
    charlie = Window(REMOTE_ADDR="192.0.2.7")
    for _ in range(rules.SIGN_IN_RULE.limit):
        assert charlie.send("/desk/sign-in", username="bob", password="wrong").status == 403

    # When one more comes, even with the right password
    clock.goes_on(minutes=5, seconds=0.5)
    page = charlie.send("/desk/sign-in", username="bob", password=PASSWORD)

    # Then it must wait
    assert page.status == 429
    assert page.response.headers["Retry-After"] == "600"
    assert page.says("Wait 10 minutes, then try again.")
    assert page.form_to("/desk/sign-in").values["username"] == "bob"
    assert charlie.open("/desk/").status == 302

    # And Bob, at his own address, need not; nor must another name at Charlie's
    assert Window().send("/desk/sign-in", username="bob", password=PASSWORD).status == 302
    assert charlie.send("/desk/sign-in", username="dana", password="wrong").status == 403

    # And after a quarter of an hour it may again
    clock.goes_on(minutes=10)
    assert charlie.send("/desk/sign-in", username="bob", password=PASSWORD).status == 302


def test_many_names_from_one_address_are_slowed_down(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    from staydown.desk import sign_in

    monkeypatch.setattr(sign_in, "ADDRESS_RULE", rules.ThrottleRule(limit=3, window=timedelta(hours=1)))
    charlie = Window(REMOTE_ADDR="192.0.2.7")

    tried = [charlie.send("/desk/sign-in", username=f"name{n}", password="x").status for n in range(4)]

    assert tried == [403, 403, 403, 429]


def test_signing_in_makes_a_new_session_key(clock: Clock) -> None:
    # Given a session that somebody else may know
    window = Window()
    window.send("/desk/sign-in", username="bob", password=PASSWORD)
    known = window.client.cookies["s"].value
    window.send("/desk/", action="/desk/sign-out")

    # When Bob signs in again
    window.send("/desk/sign-in", username="bob", password=PASSWORD)

    # Then the old key opens nothing
    assert window.client.cookies["s"].value != known
    window.client.cookies["s"] = known
    assert window.open("/desk/").status == 302


def test_signing_out_ends_the_session(bobs_own: Window) -> None:
    sent = bobs_own.send("/desk/", action="/desk/sign-out")

    assert (sent.status, sent.goes_to) == (302, "/desk/sign-in")
    assert bobs_own.open("/desk/").status == 302


@pytest.fixture
def bobs_own(clock: Clock) -> Window:
    window = Window()
    window.send("/desk/sign-in", username="bob", password=PASSWORD)
    assert window.open("/desk/").status == 200
    return window


def test_link_cannot_sign_anybody_out(bobs_own: Window) -> None:
    assert bobs_own.open("/desk/sign-out").status == 405
    assert bobs_own.client.post("/desk/sign-out").status_code == 403
    assert bobs_own.open("/desk/").status == 200


def test_sign_in_from_a_page_of_another_site_is_refused(charlie: Window) -> None:
    answer = charlie.client.post("/desk/sign-in", {"username": "bob", "password": PASSWORD})

    assert answer.status_code == 403
    assert charlie.open("/desk/").status == 302
