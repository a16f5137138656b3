"""Which language a page speaks: chosen, asked for by the browser, and never at the desk."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.test import Client
from django.utils import translation

from staydown.config.language import stays_english
from staydown.survivor_site.templatetags.clock import moment

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def english_again() -> Iterator[None]:
    """What a request activates stays active in its thread; the next test starts in English."""
    yield
    translation.activate("en")


@pytest.mark.parametrize(
    ("asked", "spoken", "direction"),
    [
        ("es-MX,es;q=0.9,en;q=0.5", "es", "ltr"),
        ("ar-EG", "ar", "rtl"),
        ("fr", "en", "ltr"),
        ("", "en", "ltr"),
    ],
)
def test_a_page_speaks_what_the_browser_asks_for(asked: str, spoken: str, direction: str) -> None:
    page = Client(headers={"Accept-Language": asked}).get("/safety")

    assert f'<html lang="{spoken}" dir="{direction}">' in page.content.decode()
    assert page.headers["Content-Language"] == spoken


@pytest.mark.parametrize("path", ["/desk/sign-in", "/ledger/nothing", "/api/v1/nothing"])
def test_the_desk_the_log_and_the_api_stay_english(path: str) -> None:
    client = Client(headers={"Accept-Language": "es"})
    client.cookies["l"] = "es"

    assert client.get(path).headers["Content-Language"] == "en"


@pytest.mark.parametrize(
    ("path", "english"), [("/desk", True), ("/desk/x", True), ("/desks", False), ("/", False)]
)
def test_only_whole_parts_of_an_address_count(path: str, english: bool) -> None:
    assert stays_english(path) is english


def test_a_time_names_its_zone_in_every_language() -> None:
    at = datetime(2026, 11, 24, 15, 19, tzinfo=UTC)
    told = {}
    for language in ("en", "es", "ar"):
        with translation.override(language):
            told[language] = str(moment(at))
    assert "Tuesday 24 November 2026, 15:19 UTC" in told["en"]
    assert "martes 24 de noviembre de 2026, 15:19 UTC" in told["es"]
    assert "24" in told["ar"]
    assert all(
        "15:19 UTC" in text and 'datetime="2026-11-24T15:19:00+00:00"' in text for text in told.values()
    )


def test_a_failure_page_speaks_the_language_too() -> None:
    page = Client(headers={"Accept-Language": "es"}).get("/nowhere")

    assert page.status_code == 404
    assert "Esta página no existe" in page.content.decode()
