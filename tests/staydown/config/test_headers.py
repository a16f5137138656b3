"""Every answer protects who reads it, unless it says itself how; templates learn two things and no more."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory

from staydown.config.csp import PAGE_CSP
from staydown.config.headers import ProtectivePageHeaders, installation


@pytest.mark.parametrize(
    "path", ["/", "/nothing", "/api/v1/nothing", "/desk/", "/ledger/checkpoint", "/exit", "/case/close"]
)
def test_every_kind_of_answer_carries_the_protective_headers(db: None, path: str) -> None:
    headers = Client().get(path).headers

    assert headers["Content-Security-Policy"] == PAGE_CSP
    assert headers["Cache-Control"] == "no-store"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["X-Robots-Tag"] == "noindex, noarchive"
    assert "camera=()" in headers["Permissions-Policy"]
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_answer_keeps_a_header_of_its_own(rf: RequestFactory) -> None:
    own = HttpResponse("", headers={"Cache-Control": "public"})

    answer = ProtectivePageHeaders(lambda request: own)(rf.get("/"))

    assert answer.headers["Cache-Control"] == "public"
    assert answer.headers["Content-Security-Policy"] == PAGE_CSP


@pytest.mark.parametrize("demo", [True, False])
def test_templates_learn_the_address_and_whether_this_is_the_demonstration(
    rf: RequestFactory, settings: Any, demo: bool
) -> None:
    settings.STAYDOWN_DEMO, settings.STAYDOWN_PUBLIC_URL = demo, "https://staydown.example"

    found = installation(rf.get("/"))
    assert (found["demo"], found["public_url"]) == (demo, "https://staydown.example")
    assert found["languages"] == [("en", "English"), ("es", "Español"), ("ar", "العربية")]
