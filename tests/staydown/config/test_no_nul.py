"""A NUL, wherever it is sent, reaches neither a page nor the database."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from staydown.config.no_nul import ReadNulAsReplacement


def seen_behind(request: HttpRequest) -> HttpRequest:
    """The request as the next in line gets it."""
    seen: list[HttpRequest] = []

    def look(request: HttpRequest) -> HttpResponse:
        seen.append(request)
        return HttpResponse()

    ReadNulAsReplacement(look)(request)
    return seen[0]


def test_nul_in_address_query_and_cookie_is_replaced() -> None:
    # Given a probe with a NUL in each
    request = RequestFactory().get("/desk/requests/R%00", {"next": "a\0b", "same": "c"})
    request.COOKIES["s"] = "key\0"

    # When it has come past
    seen = seen_behind(request)

    # Then no NUL is left, and what had none is as it was
    assert seen.path_info == "/desk/requests/R\ufffd"
    assert (seen.GET["next"], seen.GET["same"], seen.COOKIES["s"]) == ("a\ufffdb", "c", "key\ufffd")


@pytest.mark.parametrize("values", [["a\0"], ["a", "b\0c"]])
def test_nul_in_a_form_is_replaced_in_every_value(values: list[str]) -> None:
    seen = seen_behind(RequestFactory().post("/request", {"location": values, "adult": "yes"}))

    assert seen.POST.getlist("location") == [value.replace("\0", "\ufffd") for value in values]
    assert seen.POST["adult"] == "yes"


def test_body_of_an_api_call_is_left_unread() -> None:
    seen: Any = seen_behind(
        RequestFactory().post("/api/v1/notices", b"{}", "multipart/form-data; boundary=b")
    )

    assert not hasattr(seen, "_post")
