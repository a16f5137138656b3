"""One process, two applications: checks never wait for pages, and each address reaches the right one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from staydown.config import asgi
from staydown.config.asgi import CHECK_PATHS, Router
from staydown.journal import BankJournalWriter, write_tokens
from staydown.match_api import MatchApiSettings, create_app


@pytest.fixture
def data_dir(house: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STAYDOWN_DATA_DIR", str(house))
    with BankJournalWriter(house / "bank.journal"):
        pass
    write_tokens(house / "tokens.json", [])
    return house


Ask = Callable[..., httpx.Response]


@pytest.fixture
def ask(data_dir: Path) -> Ask:
    """Asks the assembled application one thing."""
    router = asgi.application()

    async def send(method: str, path: str, **values: Any) -> httpx.Response:
        transport = httpx.ASGITransport(app=router)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
            return await client.request(method, path, **values)

    return lambda *call, **values: asyncio.run(send(*call, **values))


def test_router_knows_every_address_of_the_upload_check_and_no_other(tmp_path: Path) -> None:
    app = create_app(MatchApiSettings(data_dir=tmp_path))

    assert app.paths == set(CHECK_PATHS)


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_are_answered_by_the_upload_check(ask: Ask, path: str) -> None:
    assert ask("GET", path).status_code == 200


@pytest.mark.parametrize("path", ["/api/v1/check", "/api/v1/check/batch", "/api/v1/gate"])
def test_checks_are_answered_by_the_upload_check(ask: Ask, path: str) -> None:
    answer = ask("POST", path, json={})

    assert answer.status_code == 401
    assert answer.json()["type"] == "urn:staydown:problem:unauthenticated"
    # Django would have asked for its own cookie.
    assert "Content-Security-Policy" not in answer.headers


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/how-it-works", 200),
        ("/nothing", 404),
        ("/api/v1/check/", 404),
        ("/api/v1/checks", 404),
        ("/healthz/", 404),
        ("/static/site.css", 200),
    ],
)
def test_everything_else_is_answered_by_the_pages(ask: Ask, path: str, status: int) -> None:
    answer = ask("GET", path)

    assert answer.status_code == status
    assert "Content-Security-Policy" in answer.headers


def test_worker_file_has_its_own_policy_and_pages_have_theirs(ask: Ask) -> None:
    worker = ask("GET", "/static/dist/fingerprint-worker.js")

    assert worker.status_code == 200
    assert worker.headers["Content-Security-Policy"] == "default-src 'none'; script-src 'wasm-unsafe-eval'"
    assert "connect-src 'none'" in ask("GET", "/how-it-works").headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["/static/../pyproject.toml", "/static/%2e%2e/pyproject.toml", "/static/"])
def test_nothing_beside_the_browser_files_is_served(ask: Ask, path: str) -> None:
    assert ask("GET", path).status_code == 404


def test_start_and_stop_reach_the_upload_check(data_dir: Path) -> None:
    # Given
    seen: list[str] = []

    async def check(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["type"])

    router = Router()
    router._check = check

    # When the server starts and stops
    asyncio.run(router({"type": "lifespan"}, None, None))

    # Then
    assert seen == ["lifespan"]
