"""The policies say what the promise needs."""

from __future__ import annotations

import pytest

from staydown.config.csp import PAGE_CSP, STATIC_CSP, WORKER_CSP, add_static_headers, headers_for_static


def test_the_page_may_connect_to_nothing_and_load_no_picture_from_the_server() -> None:
    assert PAGE_CSP == (
        "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; img-src blob: data:; "
        "connect-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types staydown-worker"
    )


@pytest.mark.parametrize(
    "name",
    ["dist/fingerprint-worker.js", "/static/dist/fingerprint-worker.js", "/static/dist/heic-worker.js"],
)
def test_each_worker_has_a_policy_of_its_own(name: str) -> None:
    assert WORKER_CSP == "default-src 'none'; script-src 'wasm-unsafe-eval'"
    assert headers_for_static(name)["Content-Security-Policy"] == WORKER_CSP


@pytest.mark.parametrize(
    "name",
    [
        "register.js",
        "site.css",
        "device/worker.js",
        "device-worker.js",
        "dist/words.js",
        "dist/not-worker.js/a.js",
    ],
)
def test_every_other_static_file_can_reach_nothing_as_a_worker(name: str) -> None:
    assert headers_for_static(name)["Content-Security-Policy"] == STATIC_CSP


def test_the_form_for_whitenoise_adds_the_same_headers() -> None:
    headers: dict[str, str] = {}

    add_static_headers(headers, "/anywhere/register.js", "/static/register.js")

    assert headers == headers_for_static("register.js")
