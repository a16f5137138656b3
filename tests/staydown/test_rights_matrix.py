"""Every address, every method, everybody: whoever has no right is refused, and nothing changes.

The addresses come from the two routers. An address without a row in the table below fails, so nobody can add
a page or an endpoint without saying whose it is.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.test import Client
from django.urls import URLResolver, get_resolver

from staydown.access.models import ApiToken
from staydown.access.operations import make_token
from staydown.access.terms import KeyKind, Role, Scope
from staydown.action.queries import copies_of
from staydown.bank.queries import entries_of
from staydown.cases.queries import case_by_number
from staydown.evidence.rules import HEADER
from staydown.journeys.file_request import file_request
from staydown.journeys.follow_outside import follow_outside_request
from staydown.journeys.keep_notes import add_notes_file, start_notes
from staydown.journeys.keep_plan import keep_plan
from staydown.journeys.publish_edge import publish_edge
from staydown.journeys.publishing import publish_bank, publish_tokens
from staydown.journeys.register_pictures import open_case_with_pictures
from staydown.journeys.work_on_request import claim_request, grant_request
from staydown.match_api import MatchApiSettings, create_app
from staydown.match_api.edge import EdgeDoor
from tests.staydown.conftest import a_draft, a_platform, a_staff_member, an_item
from tests.staydown.fingerprint.files import jpeg
from tests.staydown.journeys.floods import a_flood

STAFF = frozenset(role.value for role in Role)
DECIDERS = STAFF - {Role.AUDITOR}
OWN_PLATFORM, OTHER_PLATFORM = "the platform's token", "another platform's token"
PLATFORMS = frozenset({OWN_PLATFORM, OTHER_PLATFORM})
OWNER, OTHER_OWNER = "the owner's window", "another owner's window"
OWNERS = frozenset({OWNER, OTHER_OWNER})
STRANGERS = frozenset({"nobody", "a wrong token", "a revoked token", "a token without a scope"})
EVERYBODY = STAFF | PLATFORMS | OWNERS | STRANGERS
NOBODY: frozenset[str] = frozenset()
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

FILED = {
    "urls": ["http://127.0.0.1:8001/posts/9"],
    "signature": "A",
    "good_faith": True,
    "contact": "a@example.org",
}


# Choosing a language writes nothing; tests/staydown/survivor_site/test_language.py has another site try it.
WITHOUT_TOKEN = {"/language"}


@dataclass(frozen=True)
class Row:
    """Who may do what at an address. `at` fills in the pattern; a pattern may have several rows."""

    at: str
    get: frozenset[str] = NOBODY
    post: frozenset[str] = NOBODY
    sent: dict[str, Any] = field(default_factory=dict)
    media: bytes = b""
    """Sent instead, to an address of the upload check that records nothing."""

    def may(self, who: str, method: str) -> bool:
        rights = {"GET": self.get, "HEAD": self.get, "POST": self.post}
        return who in rights.get(method, NOBODY)


# Routing pattern -> its rows. What stands in braces ({picture}, {waiting}, {copy} and so on) is Alice's.
TABLE: dict[str, list[Row]] = {
    # the survivor site: open to everybody; a case to whoever opened it with its receipt
    "": [Row("/", get=EVERYBODY)],
    "register": [Row("/register", get=EVERYBODY, post=EVERYBODY, sent={"adult": "yes"})],
    "request": [Row("/request", get=EVERYBODY, post=EVERYBODY, sent={"adult": "yes"})],
    "case": [Row("/case", get=EVERYBODY, post=EVERYBODY, sent={"number": "C-0000-0000"})],
    "case/add": [Row("/case/add", get=OWNERS, post=OWNERS, sent={"adult": "yes"})],
    "case/proof": [Row("/case/proof", get=OWNERS)],
    "case/close": [Row("/case/close", post=EVERYBODY)],
    "steps": [Row("/steps", get=EVERYBODY)],
    "places": [Row("/places", get=EVERYBODY)],
    "places/<str:channel_id>": [Row("/places/x", get=EVERYBODY, post=EVERYBODY)],
    "options": [Row("/options", get=EVERYBODY)],
    "help": [Row("/help", get=EVERYBODY)],
    "help/friends": [Row("/help/friends", get=EVERYBODY)],
    "help/schools": [Row("/help/schools", get=EVERYBODY)],
    "case/plan": [Row("/case/plan", get=frozenset({OWNER}), post=OWNERS, sent={"a": "1.2.1.1.0"})],
    "case/plan/delete": [Row("/case/plan/delete", post=frozenset({OWNER}))],
    "case/elsewhere": [Row("/case/elsewhere", get=OWNERS, post=OWNERS, sent={"channel": "x"})],
    "case/elsewhere/<str:request_id>": [
        Row("/case/elsewhere/{outside}", post=frozenset({OWNER}), sent={"state": "removed"})
    ],
    "case/notes": [Row("/case/notes", get=OWNERS)],
    "case/notes/stored": [Row("/case/notes/stored", get=OWNERS)],
    **{
        f"case/notes/{name}": [Row(f"/case/notes/{name}", post=OWNERS)]
        for name in ("words", "start", "wrap", "save", "files", "delete")
    },
    "case/notes/files/<str:file_id>": [Row("/case/notes/files/{file}", get=frozenset({OWNER}))],
    "case/notes/files/<str:file_id>/delete": [
        Row("/case/notes/files/{file}/delete", post=frozenset({OWNER}))
    ],
    "case/keys": [Row("/case/keys", get=OWNERS, post=OWNERS, sent={"what": "recovery_key"})],
    "case/export": [Row("/case/export", get=OWNERS)],
    "case/erase": [Row("/case/erase", get=OWNERS, post=OWNERS, sent={"understood": "yes"})],
    "case/withdraw/<str:what>": [
        Row("/case/withdraw/{picture}", get=frozenset({OWNER}), post=frozenset({OWNER})),
        Row("/case/withdraw/{waiting}", get=frozenset({OWNER}), post=frozenset({OWNER})),
        Row("/case/withdraw/all", get=OWNERS, post=OWNERS),
    ],
    "help/under-18": [Row("/help/under-18", get=EVERYBODY)],
    "how-it-works": [Row("/how-it-works", get=EVERYBODY)],
    "how-it-works/check": [Row("/how-it-works/check", get=EVERYBODY)],
    "safety": [Row("/safety", get=EVERYBODY)],
    "language": [Row("/language", post=EVERYBODY, sent={"language": "en"})],
    "exit": [Row("/exit", get=EVERYBODY)],
    "calendar": [Row("/calendar", get=EVERYBODY)],
    "demo/picture": [Row("/demo/picture")],
    # the desk: staff reads, reviewers decide
    "desk/": [Row("/desk/", get=STAFF)],
    "desk/closed": [Row("/desk/closed", get=STAFF)],
    "desk/sign-in": [Row("/desk/sign-in", get=EVERYBODY, post=EVERYBODY)],
    "desk/sign-out": [Row("/desk/sign-out", post=EVERYBODY)],
    "desk/requests/<str:number>": [Row("/desk/requests/{waiting}", get=STAFF)],
    "desk/requests/<str:number>/<str:action>": [
        Row(f"/desk/requests/{{waiting}}/{action}", post=DECIDERS, sent=sent)
        for action, sent in {
            "claim": {},
            "release": {},
            "open": {"opening_reason": "check_location"},
            "remove": {},
            "decline": {"reason": "not_found"},
        }.items()
    ],
    "desk/quarantine": [Row("/desk/quarantine", get=STAFF)],
    "desk/quarantine/<str:flood_id>/<str:action>": [
        Row(f"/desk/quarantine/{{flood}}/{action}", post=DECIDERS, sent={"reason": reason})
        for action, reason in {"put-back": "flood_is_over", "keep-out": "fits_many_pictures"}.items()
    ],
    # the log: public
    "ledger/<path:name>": [Row("/ledger/checkpoint", get=EVERYBODY)],
    # the platforms' API: each its own requests and copies; an entry's provenance is for every platform
    "api/v1/": [Row("/api/v1/")],
    "api/v1/openapi.json": [Row("/api/v1/openapi.json", get=EVERYBODY)],
    "api/v1/notices": [Row("/api/v1/notices", post=PLATFORMS, sent=FILED)],
    "api/v1/notices/<number>": [Row("/api/v1/notices/{waiting}", get=frozenset({OWN_PLATFORM}))],
    "api/v1/copies/<copy_id>": [Row("/api/v1/copies/{copy}", get=frozenset({OWN_PLATFORM}))],
    "api/v1/copies/<copy_id>/gone": [Row("/api/v1/copies/{copy}/gone", post=frozenset({OWN_PLATFORM}))],
    "api/v1/entries/<entry_id>": [Row("/api/v1/entries/{entry}", get=PLATFORMS)],
}
CHECK: dict[str, Any] = {"fingerprints": {"sha256": "ab" * 32, "md5": "ab" * 16}}
CHECK_TABLE = {
    "/api/v1/check": Row("/api/v1/check", post=PLATFORMS, sent=CHECK),
    "/api/v1/gate": Row("/api/v1/gate", post=PLATFORMS, sent=CHECK),
    "/api/v1/check/batch": Row("/api/v1/check/batch", post=PLATFORMS, sent=CHECK),
    "/api/v1/fingerprint": Row("/api/v1/fingerprint", post=PLATFORMS, media=jpeg()),
    "/metrics": Row("/metrics", get=PLATFORMS),
    "/health": Row("/health", get=PLATFORMS),
    "/healthz": Row("/healthz", get=EVERYBODY),
    "/readyz": Row("/readyz", get=EVERYBODY),
}


def patterns(parts: list[Any], before: str = "") -> Iterator[str]:
    for part in parts:
        if isinstance(part, URLResolver):
            yield from patterns(part.url_patterns, before + str(part.pattern))
        else:
            yield before + str(part.pattern)


def test_every_address_of_the_pages_has_its_row() -> None:
    assert sorted(patterns(get_resolver().url_patterns)) == sorted(TABLE)


def test_every_address_of_the_upload_check_has_its_row(tmp_path: Path) -> None:
    app = create_app(MatchApiSettings(data_dir=tmp_path))

    assert app.paths == set(CHECK_TABLE)


# --- the world: Alice's case with a picture, a copy and a waiting request, and everybody who may come


@dataclass(frozen=True)
class World:
    """Alice's things by the names that the table uses, and how each person comes."""

    things: dict[str, str]
    sessions: dict[str, str]
    tokens: dict[str, str]

    def client_of(self, who: str, **kind: Any) -> Client:
        """A fresh client that comes as somebody: with their session, or with their token."""
        if who in self.tokens:
            kind["headers"] = {"Authorization": f"Bearer {self.tokens[who]}"}
        client = Client(**kind)
        if who in self.sessions:
            client.cookies["s"] = self.sessions[who]
        return client


@pytest.fixture
def world(db: None, settings: Any) -> World:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    now = datetime.now(UTC)
    forum, lagoon = a_platform(), a_platform("Lagoon", url_prefix="https://lagoon.example/")
    receipts = {OWNER: open_case_with_pictures([an_item()], now=now)}
    receipts[OTHER_OWNER] = open_case_with_pictures([an_item()], now=now)
    number = receipts[OWNER].number
    [decided] = file_request(a_draft(), case_number=number, now=now).notices
    [waiting] = file_request(a_draft(), case_number=number, now=now).notices
    keep_plan(case_number=number, answers="1.2.1.1.0", ticked=[], now=now)
    locked = HEADER + b"..."
    start_notes(
        case_number=number,
        recipient="age1" + "q" * 58,
        kind=KeyKind.KEY_PHRASE,
        wrapped=locked,
        document=locked,
        now=now,
    )
    attachment = add_notes_file(case_number=number, content=locked, now=now)
    outside = follow_outside_request(case_number=number, channel_id="x", sent_at=now, now=now)
    sessions, staff = {}, {}
    for role in Role:
        staff[role] = a_staff_member(f"staff {role}", role=role)
        client = Client()
        client.force_login(get_user_model().objects.get(pk=staff[role]))
        sessions[role.value] = client.cookies["s"].value
    for who, receipt in receipts.items():
        client = Client()
        client.post("/case", {"number": receipt.number, "key_phrase": receipt.key_phrase})
        sessions[who] = client.cookies["s"].value
    claim_request(notice_number=decided.number, reviewer_id=staff[Role.REVIEWER], now=now)
    grant_request(notice_number=decided.number, reviewer_id=staff[Role.REVIEWER], now=now)
    [registration] = case_by_number(number).registrations
    [entry] = entries_of(registration_ids=[registration.id])
    scopes = tuple(Scope)
    tokens = {
        OWN_PLATFORM: make_token(platform_id=forum.id, scopes=scopes, now=now).secret,
        OTHER_PLATFORM: make_token(platform_id=lagoon.id, scopes=scopes, now=now).secret,
        "a wrong token": "sdk_" + "x" * 43,
        "a revoked token": make_token(platform_id=forum.id, scopes=scopes, now=now).secret,
        "a token without a scope": make_token(platform_id=forum.id, scopes=(), now=now).secret,
    }
    revoke(tokens["a revoked token"], now=now)
    things = {
        "picture": registration.id,
        "request": decided.number,
        "waiting": waiting.number,
        "copy": copies_of([decided.number])[decided.number][0].id,
        "entry": entry.id,
        "outside": outside,
        "file": attachment,
        "flood": a_flood(entry, forum, now=now).id,
    }
    return World(things=things, sessions=sessions, tokens=tokens)


def revoke(secret: str, *, now: datetime) -> None:
    ApiToken.objects.filter(digest=hashlib.sha256(secret.encode()).hexdigest()).update(revoked_at=now)


WRITE = re.compile(r"\s*(INSERT|UPDATE|DELETE|REPLACE)\b", re.IGNORECASE)
# A session's own expiry and the count of tries may change whoever comes.
OWN_TRACES = re.compile(r'"(django_session|access_throttle)"')


@contextmanager
def writes() -> Iterator[list[str]]:
    """Every statement that would change something in the database."""
    seen: list[str] = []

    def watch(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if WRITE.match(sql) and not OWN_TRACES.search(sql):
            seen.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        yield seen


def is_refusal(answer: Any, *, path: str) -> bool:
    """Whether an answer sends somebody away: to sign in, to open a case, or for good."""
    goes_to = answer.headers.get("Location", "")
    if answer.status_code == 302:
        return goes_to.startswith("/desk/sign-in") or (goes_to == "/case" and path != "/case")
    return answer.status_code in (401, 403, 404, 405)


ROWS = [row for found in TABLE.values() for row in found]


def sends(client: Client, row: Row, *, path: str, method: str) -> Any:
    if path.startswith("/api/"):
        return client.generic(method, path, json.dumps(row.sent), "application/json")
    if method == "POST":
        return client.post(path, row.sent)
    return client.generic(method, path)


def test_whoever_has_no_right_is_refused_and_nothing_changes(world: World) -> None:
    # One world for all of it: nothing may change in it. Every trouble is listed, not only the first.
    troubles = []
    for row in ROWS:
        path = row.at.format(**world.things)
        for who in sorted(EVERYBODY):
            for method in METHODS:
                if row.may(who, method):
                    continue
                with writes() as changed:
                    answer = sends(world.client_of(who), row, path=path, method=method)
                if changed or not is_refusal(answer, path=path):
                    troubles.append(f"{method} {row.at} as {who}: {answer.status_code}, {changed}")

    assert troubles == []


def test_whoever_has_the_right_is_let_in(world: World) -> None:
    # Without this half a site that refuses everybody everything would pass. Each call is rolled back.
    troubles = []
    for row in ROWS:
        path = row.at.format(**world.things)
        for who in sorted(EVERYBODY):
            for method in ("GET", "POST"):
                if not row.may(who, method):
                    continue
                with writes() as changed, transaction.atomic():
                    answer = sends(world.client_of(who), row, path=path, method=method)
                    transaction.set_rollback(True)
                if not is_let_in(answer, path=path, method=method, changed=changed):
                    troubles.append(f"{method} {row.at} as {who}: {answer.status_code}, {changed}")

    assert troubles == []


def is_let_in(answer: Any, *, path: str, method: str, changed: list[str]) -> bool:
    if method == "POST" and path.startswith(("/case/withdraw/", "/case/plan/delete")):
        return bool(changed)
    if method == "POST" and path in ("/case", "/desk/sign-in"):
        return answer.status_code == 403  # heard: the words, or the password, are wrong
    if path in ("/case/close", "/desk/sign-out"):
        return answer.status_code == 302
    return answer.status_code < 500 and not is_refusal(answer, path=path)


def test_form_of_another_site_does_nothing_whoever_is_signed_in(world: World) -> None:
    # The API is left out: a browser does not send a token on its own.
    troubles = []
    for row in ROWS:
        path = row.at.format(**world.things)
        for who in sorted(row.post if not path.startswith("/api/") else NOBODY):
            with writes() as changed:
                answer = world.client_of(who, enforce_csrf_checks=True).post(path, row.sent)
            if changed or (answer.status_code != 403 and path not in WITHOUT_TOKEN):
                troubles.append(f"{row.at} as {who}: {answer.status_code}, {changed}")

    assert troubles == []


# --- the upload check


def checks_kept(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*.journal")) if folder.exists() else 0


def test_only_a_platform_has_uploads_checked(world: World, house: Path) -> None:
    # Given what the database side tells the upload check
    publish_bank()
    publish_tokens(now=datetime.now(UTC))
    app = create_app(MatchApiSettings(data_dir=house))

    # When everybody tries everything, then only a platform's check is answered and kept
    troubles = []

    async def everybody() -> None:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
            for row in CHECK_TABLE.values():
                for who in sorted(EVERYBODY):
                    for method in METHODS:
                        before = checks_kept(house / "checks")
                        answer = await client.request(
                            method,
                            row.at,
                            headers=headers_of(world, who, row),
                            content=row.media or json.dumps(row.sent),
                        )
                        kept = checks_kept(house / "checks") - before
                        is_wrong = answer.status_code not in (401, 403, 405) or kept
                        if row.may(who, method):
                            is_wrong = answer.status_code != 200 or bool(kept) is not (
                                method == "POST" and not row.media
                            )
                        if is_wrong:
                            troubles.append(f"{method} {row.at} as {who}: {answer.status_code}, {kept}")

    asyncio.run(everybody())
    assert troubles == []


async def no_page(scope: Any, receive: Any, send: Any) -> None:
    """Behind the edge door, when it lets a request pass."""
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def test_only_a_platform_with_the_scope_fetches_the_edge_bank(world: World, house: Path) -> None:
    # Given an edge bank
    publish_tokens(now=datetime.now(UTC))
    publish_edge(now=datetime.now(UTC))
    files = [path.name for path in (house / "edge").iterdir() if path.suffix in (".index", ".bin")]
    rows = [
        Row(f"/api/v1/edge/{name}", get=PLATFORMS) for name in ("manifest", *(f"files/{f}" for f in files))
    ]
    door = EdgeDoor(MatchApiSettings(data_dir=house), behind=no_page)

    # When everybody tries everything, then it is fetched with the scope and by nobody else
    troubles = []

    async def everybody() -> None:
        transport = httpx.ASGITransport(app=door)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
            for row in rows:
                for who in sorted(EVERYBODY):
                    for method in METHODS:
                        answer = await client.request(method, row.at, headers=headers_of(world, who, row))
                        expected = (200,) if row.may(who, method) else (401, 403, 405)
                        if answer.status_code not in expected:
                            troubles.append(f"{method} {row.at} as {who}: {answer.status_code}")

    asyncio.run(everybody())
    assert len(rows) == 3
    assert troubles == []


def headers_of(world: World, who: str, row: Row) -> dict[str, str]:
    kind = "application/jsonl" if row.at.endswith("/batch") else "application/json"
    headers = {"Content-Type": "image/jpeg" if row.media else kind}
    if who in world.tokens:
        headers["Authorization"] = f"Bearer {world.tokens[who]}"
    if who in world.sessions:
        headers["Cookie"] = f"s={world.sessions[who]}"
    return headers
