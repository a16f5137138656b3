"""Choosing a language: remembered in this window only, back to the same page, forgotten on leaving."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client
from django.utils import translation

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def english_again() -> Iterator[None]:
    yield
    translation.activate("en")


def test_the_choice_holds_for_the_window_and_leads_back() -> None:
    # Given a browser that checks every form's token, and a page without one
    client = Client(enforce_csrf_checks=True)

    # When Alice chooses Spanish
    answer = client.post("/language", {"language": "es", "next": "/request?url=http://a.example/1"})

    # Then she is back where she was, in Spanish, until the window closes
    assert (answer.status_code, answer.headers["Location"]) == (303, "/request?url=http://a.example/1")
    cookie = answer.cookies["l"]
    assert (cookie["expires"], cookie["max-age"]) == ("", "")
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Strict")
    page = client.get("/request")
    assert '<html lang="es"' in page.content.decode()
    assert sorted(client.cookies) == ["l", "t"]


def test_leaving_forgets_the_choice() -> None:
    client = Client()
    client.post("/language", {"language": "ar"})

    left = client.get("/exit")

    assert left.cookies["l"]["max-age"] == 0
    assert '<html lang="en"' in client.get("/calendar").content.decode()


@pytest.mark.parametrize(
    "elsewhere",
    ["", "http://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", "https:///x"],
)
def test_the_way_back_is_always_a_page_of_ours(elsewhere: str) -> None:
    answer = Client().post("/language", {"language": "es", "next": elsewhere})

    assert answer.headers["Location"] == "/"


@pytest.mark.parametrize("language", ["", "fr", "es\r\nX: y", "../es"])
def test_a_language_that_we_do_not_have_changes_nothing(language: str) -> None:
    assert "l" not in Client().post("/language", {"language": language}).cookies


def test_another_sites_form_changes_nothing() -> None:
    client = Client(headers={"Sec-Fetch-Site": "cross-site"})

    assert "l" not in client.post("/language", {"language": "ar"}).cookies


def test_a_page_that_cannot_be_opened_again_offers_no_change() -> None:
    # A receipt is shown once, as the answer to a form: choosing a language there would lose it.
    client = Client()
    assert 'action="/language"' in client.get("/case").content.decode()
    assert 'action="/language"' not in client.post("/case", {"number": "C-0"}).content.decode()


@pytest.mark.parametrize("spoken", ["en", "es", "ar"])
def test_each_language_is_offered_by_its_own_name(spoken: str) -> None:
    page = Client(headers={"Accept-Language": spoken}).get("/safety").content.decode()

    for code, name in {"en": "English", "es": "Español", "ar": "العربية"}.items():
        assert f'value="{code}" lang="{code}" dir="auto"' in page
        assert f">{name}</button>" in page
