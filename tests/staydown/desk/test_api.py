"""What a platform calls: one error shape, its own requests and copies only, marked calls once."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from staydown.access.models import ApiToken
from staydown.access.operations import check_receipt, make_token
from staydown.access.terms import KeyKind, Platform, Scope
from staydown.action.models import CopyRecord
from staydown.action.queries import copies_of
from staydown.action.terms import Copy
from staydown.bank.models import EntryRecord
from staydown.cases.models import CaseRecord
from staydown.journeys.work_on_request import grant_request
from staydown.ledger.models import LedgerEntry
from staydown.notices.models import NoticeRecord
from staydown.notices.queries import notice_by_number
from staydown.notices.terms import Notice
from tests.staydown.conftest import (
    NOW,
    a_claimed_request,
    a_filed_request,
    a_platform,
    an_entry,
    an_item,
    some_content,
)

BODY = {
    "urls": ["http://127.0.0.1:8001/posts/1"],
    "signature": "Alice",
    "good_faith": True,
    "contact": "alice@example.org",
}


class Caller:
    """A platform's program with a token."""

    def __init__(self, token: str | None) -> None:
        self.client = Client(headers={"Authorization": f"Bearer {token}"} if token else {})

    def get(self, path: str) -> Any:
        return self.client.get(f"/api/v1/{path}")

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        text = body if isinstance(body, str | bytes) else json.dumps(body)
        return self.client.post(
            f"/api/v1/{path}", data=text, content_type="application/json", headers=headers or None
        )


def token_for(platform: Platform, *scopes: Scope) -> str:
    return make_token(platform_id=platform.id, scopes=scopes or tuple(Scope), now=NOW).secret


@pytest.fixture
def harbour(forum: Platform) -> Caller:
    """The forum's program."""
    return Caller(token_for(forum))


@pytest.fixture
def lagoon(db: None) -> Caller:
    """Another platform's program."""
    return Caller(token_for(a_platform("Lagoon", url_prefix="https://lagoon.example/")))


@pytest.fixture
def charlie(db: None) -> Caller:
    """Charlie's program: a token that nobody gave him."""
    return Caller("sdk_" + "x" * 43)


@pytest.fixture
def waiting(forum: Platform) -> Notice:
    """Alice's request against the forum."""
    return a_filed_request()


@pytest.fixture
def copy(forum: Platform, bob: int) -> Copy:
    """A copy that the forum was ordered to remove."""
    content = some_content(forum)
    notice = a_claimed_request(content.content_url, reviewer_id=bob)
    grant_request(notice_number=notice.number, reviewer_id=bob, now=NOW)
    return copies_of([notice.number])[notice.number][0]


def check_problem(answer: Any, *, status: int, slug: str) -> dict[str, Any]:
    """The one shape of every error (RFC 9457)."""
    problem: dict[str, Any] = json.loads(answer.content)
    assert answer.status_code == status, problem
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert set(problem) >= {"type", "title", "status", "detail"}
    assert problem["type"] == f"urn:staydown:problem:{slug}"
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    return problem


def everything_stored() -> list[int]:
    tables = (CaseRecord, NoticeRecord, CopyRecord, EntryRecord, LedgerEntry)
    return [table.objects.count() for table in tables]


ENDPOINTS = [
    ("post", "notices", Scope.NOTICES),
    ("get", "notices/R-0000-0000", Scope.NOTICES),
    ("get", "copies/cpy_none", Scope.COPIES),
    ("post", "copies/cpy_none/gone", Scope.COPIES),
    ("get", "entries/ent_none", Scope.ENTRIES),
]


# --- one shape


@pytest.mark.parametrize(("method", "path", "scope"), ENDPOINTS)
@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer ", "Bearer sdk_wrong", "Basic Ym9iOmJvYg==", "sdk_wrong", "Bearer \x00"],
)
def test_call_without_a_good_token_is_told_how_to_come(
    forum: Platform, method: str, path: str, scope: Scope, authorization: str | None
) -> None:
    client = Client(headers={} if authorization is None else {"Authorization": authorization})

    answer = getattr(client, method)(f"/api/v1/{path}")

    check_problem(answer, status=401, slug="token-not-recognised")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert "sdk_wrong" not in answer.content.decode()


@pytest.mark.parametrize(("method", "path", "scope"), ENDPOINTS)
def test_token_that_is_revoked_or_expired_is_no_token(
    forum: Platform, method: str, path: str, scope: Scope
) -> None:
    for gone in ({"revoked_at": NOW}, {"expires_at": NOW}):
        caller = Caller(token_for(forum))
        ApiToken.objects.filter(pk=ApiToken.objects.latest("pk").pk).update(**gone)

        answer = getattr(caller, method)(path)

        check_problem(answer, status=401, slug="token-not-recognised")


@pytest.mark.parametrize(("method", "path", "scope"), ENDPOINTS)
def test_token_of_other_scopes_may_not_do_this(forum: Platform, method: str, path: str, scope: Scope) -> None:
    caller = Caller(token_for(forum, *(set(Scope) - {scope})))

    answer = getattr(caller, method)(path)

    problem = check_problem(answer, status=403, slug="scope-missing")
    assert scope.value in problem["detail"]


@pytest.mark.parametrize(("method", "path", "scope"), ENDPOINTS[1:])
def test_what_does_not_exist_is_not_found(harbour: Caller, method: str, path: str, scope: Scope) -> None:
    check_problem(getattr(harbour, method)(path), status=404, slug="not-found")


@pytest.mark.parametrize(("method", "path", "scope"), ENDPOINTS)
@pytest.mark.parametrize("other", ["get", "post", "put", "patch", "delete"])
def test_other_method_is_refused_in_the_same_shape_and_says_which_is_allowed(
    harbour: Caller, method: str, path: str, scope: Scope, other: str
) -> None:
    if other == method:
        return
    answer = getattr(harbour.client, other)(f"/api/v1/{path}")

    problem = check_problem(answer, status=405, slug="method-not-allowed")
    assert answer.headers["Allow"] == method.upper()
    assert method.upper() in problem["detail"]


@pytest.mark.parametrize(
    "path", ["nothing", "", "notices/", "copies", "check/nothing", "entries/ent_a/b", "%00"]
)
def test_unknown_address_is_not_found_in_the_same_shape(harbour: Caller, path: str) -> None:
    check_problem(harbour.get(path), status=404, slug="not-found")


UNREADABLE = {
    "nothing": (b"", {400, 422}),
    "half": (b'{"urls": [', {400}),
    "not utf-8": (b'{"signature": "\xff\xfe"}', {400}),
    "deep": (b"[" * 100_000, {400}),
    "a list": (b"[]", {422}),
    "a number": (b"7", {422}),
    "null": (b"null", {422}),
    "wrong types": (b'{"urls": "x", "signature": 1, "good_faith": "perhaps"}', {422}),
    "unknown signer": (b'{"signer": "mallory"}', {422}),
    "null members": (b'{"urls": null, "contact": null}', {422}),
    "half a surrogate": (json.dumps(BODY | {"signature": "\ud800"}).encode(), {400, 422}),
    "half a surrogate in an address": (
        json.dumps(BODY | {"urls": ["http://127.0.0.1:8001/\ud800"]}).encode(),
        {400, 422},
    ),
    "huge number": (b'{"signature": ' + b"9" * 10_000 + b"}", {400, 422}),
}


@pytest.mark.parametrize("name", list(UNREADABLE))
def test_body_that_cannot_be_used_is_said_and_never_breaks_anything(harbour: Caller, name: str) -> None:
    body, statuses = UNREADABLE[name]

    answer = harbour.post("notices", body)

    problem = json.loads(answer.content)
    assert answer.status_code in statuses, problem
    check_problem(answer, status=answer.status_code, slug=problem["type"].rsplit(":", 1)[1])
    assert everything_stored() == [0, 0, 0, 0, 0]


def test_problem_with_a_body_repeats_nothing_of_it(harbour: Caller) -> None:
    answer = harbour.post("notices", BODY | {"signer": "a secret of Alice's"})

    problem = check_problem(answer, status=422, slug="malformed-body")
    assert "signer" in problem["detail"]
    assert "a secret of Alice's" not in answer.content.decode()


def test_defect_is_told_in_the_same_shape_without_its_cause(
    forum: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given something that nobody anticipated
    from staydown.desk import api

    def break_down(*_: Any, **__: Any) -> None:
        raise RuntimeError("the secret of a token")

    monkeypatch.setattr(api, "notice_by_number", break_down)
    client = Client(raise_request_exception=False, headers={"Authorization": f"Bearer {token_for(forum)}"})

    # When
    answer = client.get("/api/v1/notices/R-0000-0000")

    # Then
    check_problem(answer, status=500, slug="defect")
    assert "secret" not in answer.content.decode()


# --- requests


def test_platform_files_a_request_for_its_member_and_hands_the_receipt_on(
    harbour: Caller, forum: Platform
) -> None:
    # When
    answer = harbour.post("notices", BODY)

    # Then
    told = answer.json()
    assert answer.status_code == 201
    assert set(told) == {"number", "state", "urls", "received_at", "deadline_at", "case"}
    received, deadline = (datetime.fromisoformat(told[name]) for name in ("received_at", "deadline_at"))
    assert deadline - received == timedelta(hours=48)
    assert received.utcoffset() == timedelta(0)
    assert check_receipt(**told["case"]) is KeyKind.KEY_PHRASE
    notice = notice_by_number(told["number"])
    assert (notice.platform_id, notice.signature, notice.state) == (forum.id, "Alice", told["state"])


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"signature": " "}, ["signature"]),
        ({"urls": []}, ["location"]),
        ({"urls": ["  "]}, ["location"]),
        ({"good_faith": False}, ["good_faith"]),
        ({"contact": ""}, ["contact"]),
        ({"contact": "", "urls": []}, ["location", "contact"]),
    ],
)
def test_missing_elements_are_listed_and_nothing_is_stored(
    harbour: Caller, changes: dict[str, Any], missing: list[str]
) -> None:
    problem = check_problem(harbour.post("notices", BODY | changes), status=422, slug="elements-missing")

    assert problem["missing"] == missing
    for element in missing:
        assert element in problem["detail"]
    assert everything_stored() == [0, 0, 0, 0, 0]


def test_empty_request_lacks_all_four_elements(harbour: Caller) -> None:
    problem = check_problem(harbour.post("notices", {}), status=422, slug="elements-missing")

    assert problem["missing"] == ["signature", "location", "good_faith", "contact"]


@pytest.mark.parametrize(
    ("urls", "slug", "position"),
    [
        (["http://127.0.0.1:8001/1", "https://elsewhere.example/1"], "another-site", 2),
        (["nothing like it"], "not-an-address", 1),
        (["javascript:alert(1)"], "not-an-address", 1),
    ],
)
def test_address_that_cannot_be_used_is_named_by_its_place(
    harbour: Caller, urls: list[str], slug: str, position: int
) -> None:
    problem = check_problem(harbour.post("notices", BODY | {"urls": urls}), status=422, slug=slug)

    assert problem["position"] == position
    assert everything_stored() == [0, 0, 0, 0, 0]


def test_platform_cannot_file_against_another_platform(harbour: Caller, lagoon: Caller) -> None:
    answer = harbour.post("notices", BODY | {"urls": ["https://lagoon.example/1"]})

    check_problem(answer, status=422, slug="another-site")


@pytest.mark.parametrize("changes", [{"contact": "x" * 301}, {"urls": ["http://127.0.0.1:8001/1"] * 21}])
def test_request_beyond_a_limit_is_refused_whole(harbour: Caller, changes: dict[str, Any]) -> None:
    check_problem(harbour.post("notices", BODY | changes), status=422, slug="request-refused")

    assert everything_stored() == [0, 0, 0, 0, 0]


def test_platform_reads_its_own_request_without_the_receipt(harbour: Caller, waiting: Notice) -> None:
    told = harbour.get(f"notices/{waiting.number}").json()

    assert (told["number"], told["state"], told["urls"]) == (waiting.number, "open", list(waiting.urls))
    assert told["case"] is None
    # Who signed, and how to reach them, is not told back.
    assert not {"signature", "contact", "statement"} & set(told)


def test_request_of_another_platform_does_not_exist(lagoon: Caller, harbour: Caller, waiting: Notice) -> None:
    other, none = lagoon.get(f"notices/{waiting.number}"), lagoon.get("notices/R-0000-0000")

    check_problem(other, status=404, slug="not-found")
    assert other.content == none.content


# --- marked calls


def test_marked_call_that_comes_twice_files_once_and_tells_the_words_once(harbour: Caller) -> None:
    # When
    first = harbour.post("notices", BODY, **{"Idempotency-Key": "one"}).json()
    again = harbour.post("notices", BODY, **{"Idempotency-Key": "one"})

    # Then
    assert again.status_code == 201
    told = again.json()
    assert told["number"] == first["number"]
    assert told["case"] == {"number": first["case"]["number"], "key_phrase": None}
    assert NoticeRecord.objects.count() == 1


def test_calls_with_other_marks_or_none_are_calls_of_their_own(harbour: Caller) -> None:
    for headers in ({"Idempotency-Key": "one"}, {"Idempotency-Key": "two"}, {}, {}):
        assert harbour.post("notices", BODY, **headers).status_code == 201

    assert NoticeRecord.objects.count() == 4


def test_mark_that_comes_with_another_body_is_refused(harbour: Caller) -> None:
    harbour.post("notices", BODY, **{"Idempotency-Key": "one"})

    answer = harbour.post("notices", BODY | {"contact": "other"}, **{"Idempotency-Key": "one"})

    check_problem(answer, status=422, slug="idempotency-key-reused")
    assert NoticeRecord.objects.count() == 1


def test_refused_call_does_not_use_its_mark_up(harbour: Caller) -> None:
    harbour.post("notices", BODY | {"contact": ""}, **{"Idempotency-Key": "one"})

    assert harbour.post("notices", BODY, **{"Idempotency-Key": "one"}).status_code == 201


def test_same_mark_of_another_platform_is_another_mark(harbour: Caller, lagoon: Caller) -> None:
    harbour.post("notices", BODY, **{"Idempotency-Key": "one"})

    answer = lagoon.post(
        "notices", BODY | {"urls": ["https://lagoon.example/1"]}, **{"Idempotency-Key": "one"}
    )

    assert answer.status_code == 201
    assert NoticeRecord.objects.count() == 2


@pytest.mark.parametrize("key", ["", "x" * 201])
def test_mark_of_an_impossible_length_is_refused(harbour: Caller, key: str) -> None:
    answer = harbour.post("notices", BODY, **{"Idempotency-Key": key})

    check_problem(answer, status=400, slug="not-understood")
    assert NoticeRecord.objects.count() == 0


# --- copies


def test_platform_reads_what_to_remove(harbour: Caller, copy: Copy) -> None:
    assert harbour.get(f"copies/{copy.id}").json() == {
        "copy_id": copy.id,
        "content_id": "post-1",
        "content_url": "http://127.0.0.1:8001/posts/1",
        "kind": "named",
        "state": "pending",
    }


def test_saying_that_a_copy_is_gone_twice_is_fine_and_recorded_once(harbour: Caller, copy: Copy) -> None:
    for _ in range(2):
        answer = harbour.post(f"copies/{copy.id}/gone")
        assert (answer.status_code, answer.json()["state"]) == (200, "gone")

    assert LedgerEntry.objects.filter(kind="copy.gone").count() == 1


def test_copy_of_another_platform_does_not_exist_and_stays(lagoon: Caller, copy: Copy) -> None:
    before = everything_stored()

    for answer in (lagoon.get(f"copies/{copy.id}"), lagoon.post(f"copies/{copy.id}/gone")):
        check_problem(answer, status=404, slug="not-found")
    assert CopyRecord.objects.get().state == "pending"
    assert everything_stored() == before


# --- entries


def test_entry_tells_its_provenance_and_never_its_fingerprints(harbour: Caller) -> None:
    # Given
    item = an_item()
    entry = an_entry(item=item)

    # When
    answer = harbour.get(f"entries/{entry.id}")

    # Then
    assert set(answer.json()) == {"entry_id", "bank", "state", "source", "created_at", "state_changed_at"}
    shown = answer.content.decode()
    assert item.digests.sha256 not in shown
    assert item.digests.md5 not in shown
    assert not [code for code in item.fingerprints if code.hex in shown]
    assert str(entry.registration_id) not in shown


def test_charlie_with_a_token_of_his_own_making_gets_nothing(
    charlie: Caller, waiting: Notice, copy: Copy
) -> None:
    entry = an_entry()
    before = everything_stored()

    for answer in (
        charlie.post("notices", BODY),
        charlie.get(f"notices/{waiting.number}"),
        charlie.get(f"copies/{copy.id}"),
        charlie.post(f"copies/{copy.id}/gone"),
        charlie.get(f"entries/{entry.id}"),
    ):
        check_problem(answer, status=401, slug="token-not-recognised")
    assert everything_stored() == before


def test_no_page_session_speaks_for_a_platform(bob: int, waiting: Notice) -> None:
    from tests.staydown.desk.conftest import window_of

    answer = window_of(bob).client.get(f"/api/v1/notices/{waiting.number}")

    check_problem(answer, status=401, slug="token-not-recognised")
