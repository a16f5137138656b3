"""The edge door: the bank that the database side published reaches whoever may fetch it, and nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import settings

from staydown.access.operations import make_token
from staydown.access.terms import Platform, Scope
from staydown.client import Staydown
from staydown.client.edge import EdgeBank
from staydown.fingerprint.terms import MediaFingerprints
from staydown.journeys.publish_edge import publish_edge
from staydown.journeys.publishing import publish_tokens
from staydown.journeys.set_up_platform import give_edge_token
from staydown.match_api import MatchApiSettings
from staydown.match_api.edge import EdgeDoor
from staydown.matching.terms import EntryState
from tests.staydown.conftest import NOW, an_entry, changed_by

Ask = Callable[..., httpx.Response]


async def behind(scope: Any, receive: Any, send: Any) -> None:
    """What the door passes on to."""
    await send({"type": "http.response.start", "status": 418, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@pytest.fixture(autouse=True)
def house(settings: Any, tmp_path: Path) -> Path:
    """The files of both sides; the other tests of this folder have no database side."""
    folder = tmp_path / "house"
    settings.STAYDOWN_LEDGER_KEY_PATH = folder / "ledger.key"
    settings.STAYDOWN_BANK_JOURNAL_PATH = folder / "bank.journal"
    settings.STAYDOWN_TOKENS_PATH = folder / "tokens.json"
    settings.STAYDOWN_EDGE_DIR = folder / "edge"
    return folder


@pytest.fixture
def ask(house: Path) -> Ask:
    door = EdgeDoor(MatchApiSettings(data_dir=house), behind=behind)

    def asked(path: str, *, token: str | None = None, method: str = "GET", **headers: str) -> httpx.Response:
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"

        async def talk() -> httpx.Response:
            transport = httpx.ASGITransport(app=door)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
                return await client.request(method, path, headers=headers)

        return asyncio.run(talk())

    return asked


@pytest.fixture
def token(forum: Platform) -> str:
    """A token that may fetch a bank that is published."""
    secret = give_edge_token(name=forum.name, now=NOW).token.secret
    an_entry(state=EntryState.CONFIRMED)
    publish_edge(now=datetime.now(UTC))
    return secret


def test_manifest_and_its_files_are_handed_out_whole(ask: Ask, token: str) -> None:
    manifest = ask("/api/v1/edge/manifest", token=token)

    assert manifest.status_code == 200
    folder: Path = settings.STAYDOWN_EDGE_DIR
    assert manifest.content == (folder / "manifest.note").read_bytes()
    names = [path.name for path in folder.iterdir() if path.suffix in (".index", ".bin")]
    assert len(names) == 2
    for name in names:
        answer = ask(f"/api/v1/edge/files/{name}", token=token)
        assert (answer.status_code, answer.content) == (200, (folder / name).read_bytes())


def test_what_is_held_already_is_answered_304(ask: Ask, token: str) -> None:
    # Given
    [name] = [path.name for path in settings.STAYDOWN_EDGE_DIR.glob("codes-*")]

    for path in ("/api/v1/edge/manifest", f"/api/v1/edge/files/{name}"):
        # When
        tag = ask(path, token=token).headers["etag"]
        again = ask(path, token=token, **{"If-None-Match": tag})
        other = ask(path, token=token, **{"If-None-Match": '"other"'})

        # Then
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert other.status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/edge/",
        "/api/v1/edge/files/",
        "/api/v1/edge/files/manifest.note",
        "/api/v1/edge/files/../../ledger.key",
        "/api/v1/edge/files/%2e%2e%2fledger.key",
        "/api/v1/edge/files/.lock",
        "/api/v1/edge/files/codes-0000000000000000.index",
        "/api/v1/edge/codes-0000000000000000.index",
    ],
)
def test_other_names_are_not_there(ask: Ask, token: str, path: str) -> None:
    answer = ask(path, token=token)

    assert answer.status_code in (404, 418)
    assert b"PRIVATE" not in answer.content


def test_without_the_scope_nothing_is_handed_out(ask: Ask, token: str, forum: Platform) -> None:
    # Given Charlie, who may check and no more
    checks = make_token(platform_id=forum.id, scopes=(Scope.CHECK,), now=NOW).secret
    publish_tokens(now=NOW)
    [name] = [path.name for path in settings.STAYDOWN_EDGE_DIR.glob("codes-*")]

    for path in ("/api/v1/edge/manifest", f"/api/v1/edge/files/{name}", "/api/v1/edge/other"):
        # Then
        assert ask(path).status_code == 401
        assert ask(path, token="sdk_wrong").status_code == 401
        refused = ask(path, token=checks)
        assert (refused.status_code, refused.json()["scope"]) == (403, "edge")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_only_reading_is_possible(ask: Ask, token: str, method: str) -> None:
    assert ask("/api/v1/edge/manifest", token=token, method=method).status_code == 405


def test_nothing_is_there_before_the_first_publishing(ask: Ask, forum: Platform) -> None:
    token = give_edge_token(name=forum.name, now=NOW).token.secret

    answer = ask("/api/v1/edge/manifest", token=token)

    assert (answer.status_code, answer.json()["type"]) == (404, "urn:staydown:problem:edge-not-published")


def test_every_other_path_goes_on(ask: Ask) -> None:
    assert ask("/desk/").status_code == 418


def test_edge_bank_of_the_sdk_finds_what_this_installation_published(
    house: Path, forum: Platform, tmp_path: Path
) -> None:
    # Given an entry, and a partner who may fetch
    entry = an_entry(state=EntryState.CONFIRMED)
    access = give_edge_token(name=forum.name, now=NOW)
    publish_edge(now=datetime.now(UTC))
    door = EdgeDoor(MatchApiSettings(data_dir=house), behind=behind)

    def handled(request: httpx.Request) -> httpx.Response:
        async def talk() -> httpx.Response:
            transport = httpx.ASGITransport(app=door)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
                return await client.request(request.method, request.url.path, headers=request.headers)

        answer = asyncio.run(talk())
        return httpx.Response(answer.status_code, content=answer.content, headers=answer.headers)

    bank = EdgeBank(tmp_path / "copy", public_key=access.public_key)
    client = Staydown("http://127.0.0.1:8000", access.token.secret, transport=httpx.MockTransport(handled))

    # When
    assert bank.refresh(client) is True
    assert bank.refresh(client) is False

    # Then
    code = next(one for one in entry.fingerprints if one.derivation == "full")
    near = MediaFingerprints("image", entry.digests, 9, 9, (changed_by(code, bits=20),))
    assert bank.check(near).kind == "exact"
    stranger = MediaFingerprints(
        "image", type(entry.digests)("00" * 32, ""), 9, 9, (changed_by(code, bits=20),)
    )
    found = bank.check(stranger)
    assert (found.action.value, found.kind, found.distance_bits) == ("hold", "near", 20)
