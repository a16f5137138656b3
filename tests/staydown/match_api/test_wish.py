"""A caller's wish where no check can be made: answered, marked and counted; never for a stranger."""

import asyncio
import json

import httpx
import pytest

from staydown.fingerprint import SandboxUnavailable
from staydown.journal import CheckJournalWriter
from staydown.match_api import MatchApiSettings, create_app, decoding
from tests.staydown.fingerprint.files import jpeg
from tests.staydown.match_api.house import (
    ENDPOINTS,
    GOOD,
    UPLOADS,
    WRONG,
    WRONG_SCOPE,
    assert_problem,
    code_of,
    post_lines,
    sent,
    token_row,
)

PICTURE = jpeg(64, 64)
GATED = {"allow": 200, "hold": 202}


def wishing(wish):
    return {"Staydown-If-Unavailable": wish}


class Broken:
    """Ways in which a house cannot check."""

    @staticmethod
    def bank_missing(house, monkeypatch):
        (house.data_dir / "bank.journal").unlink()
        return "bank-missing"

    @staticmethod
    def bank_unreadable(house, monkeypatch):
        (house.data_dir / "bank.journal").write_bytes(b"nonsense\n" * 9)
        return "bank-unreadable"

    @staticmethod
    def journal_not_writable(house, monkeypatch):
        def full(self, record):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(CheckJournalWriter, "append", full)
        return "check-not-recorded"

    @staticmethod
    def no_decoding_process(house, monkeypatch):
        def gone(self, media, level):
            raise SandboxUnavailable("no process")

        monkeypatch.setattr(decoding.SandboxPool, "query", gone)
        return "sandbox-unavailable"


BROKEN = [
    Broken.bank_missing,
    Broken.bank_unreadable,
    Broken.journal_not_writable,
    Broken.no_decoding_process,
]
WAYS = {
    "fingerprints": {"json": sent(code_of(1))},
    "form": {"files": {"media": PICTURE}},
    "body": {"content": PICTURE, "headers": {"Content-Type": "image/jpeg"}},
}


def ask(client, path, way, headers):
    asked = WAYS[way]
    return client.post(path, **{**asked, "headers": {**asked.get("headers", {}), **headers}})


@pytest.mark.parametrize("path", UPLOADS)
@pytest.mark.parametrize("wish", ["allow", "hold"])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("breaks", BROKEN)
def test_wish_is_the_answer_where_no_check_can_be_made(house, monkeypatch, path, wish, way, breaks):
    if breaks is Broken.no_decoding_process and way == "fingerprints":
        pytest.skip("checks by fingerprints need no decoding process")
    # Given
    house.publish_tokens(token_row(GOOD, scopes=["check", "metrics"]))
    reason = breaks(house, monkeypatch)
    with house.open() as client:
        # When asked without a wish and with one
        refused = ask(client, path, way, {})
        answer = ask(client, path, way, wishing(wish))
        metrics = client.get("/metrics").text

    # Then
    assert_problem(refused, 503, reason)
    assert answer.status_code == (GATED[wish] if path.endswith("gate") else 200)
    assert answer.json() == {
        "action": wish,
        "degraded_reason": reason,
        "degraded": True,
        "matches": [],
        "check_id": None,
    }
    assert answer.headers["retry-after"] == "1" == refused.headers["retry-after"]
    assert f'staydown_degraded_answers_total{{reason="{reason}",wish="{wish}"}} 1.0' in metrics
    assert f'staydown_refusals_total{{slug="{reason}"}} 1.0' in metrics


@pytest.mark.parametrize("wish", ["allow", "hold"])
def test_wish_is_the_answer_where_bodies_have_no_room(house, wish):
    with house.open(max_held_bytes=100) as client:
        assert_problem(client.post("/api/v1/check", json=sent(code_of(1))), 429, "busy")
        answer = client.post("/api/v1/check", json=sent(code_of(1)), headers=wishing(wish))

    assert (answer.status_code, answer.json()["action"]) == (200, wish)
    assert answer.json()["degraded_reason"] == "busy"


def test_wish_is_the_answer_where_too_many_pictures_wait(house):
    # Given a queue without a place
    app = create_app(MatchApiSettings(data_dir=house.data_dir, max_waiting_files=0))

    async def story():
        headers = {"Authorization": f"Bearer {GOOD}", **wishing("hold")}
        async with (
            app.running(),
            httpx.AsyncClient(
                transport=httpx.ASGITransport(app), base_url="http://x", headers=headers
            ) as client,
        ):

            async def one():
                return await client.post("/api/v1/gate", files={"media": PICTURE})

            return await asyncio.gather(*(one() for _ in range(3)))

    answers = asyncio.run(story())

    assert sorted(answer.status_code for answer in answers) == [200, 202, 202]
    held = [answer.json() for answer in answers if answer.status_code == 202]
    assert {answer["degraded_reason"] for answer in held} == {"busy"}


@pytest.mark.parametrize("path", ENDPOINTS)
@pytest.mark.parametrize("wish", ["", "block", "yes", "allow,hold", "ållow"])
def test_unknown_wish_is_refused_by_name_whether_or_not_a_check_could_be_made(client, house, path, wish):
    headers = {"Staydown-If-Unavailable": wish.encode(), "Content-Type": "application/json"}
    if path.endswith("batch"):
        headers["Content-Type"] = "application/jsonl"
    body = json.dumps(sent(code_of(1)))

    problem = assert_problem(client.post(path, content=body, headers=headers), 400, "wish-unknown")

    assert problem["detail"] == "Staydown-If-Unavailable is allow or hold."
    assert house.checks() == []


def test_wish_is_read_in_any_case(house):
    (house.data_dir / "bank.journal").unlink()
    with house.open() as client:
        answer = client.post("/api/v1/check", json=sent(code_of(1)), headers=wishing(" Hold "))

    assert answer.json()["action"] == "hold"


@pytest.mark.parametrize("path", UPLOADS)
@pytest.mark.parametrize(("token", "status"), [(WRONG, 401), (WRONG_SCOPE, 403), ("", 401)])
def test_charlie_gets_no_wish(house, path, token, status):
    (house.data_dir / "bank.journal").unlink()
    with house.open(token=token) as client:
        assert_problem(client.post(path, json=sent(code_of(1)), headers=wishing("allow")), status)


@pytest.mark.parametrize("content", ["missing", "nonsense"])
def test_unreadable_list_of_tokens_is_never_answered_by_a_wish(house, content):
    tokens = house.data_dir / "tokens.json"
    tokens.unlink() if content == "missing" else tokens.write_text("nonsense")
    with house.open() as client:
        answer = client.post("/api/v1/check", json=sent(code_of(1)), headers=wishing("allow"))

    assert answer.status_code in (401, 503)


@pytest.mark.parametrize(("body", "status"), [(b"{", 400), (b"{}", 422), (b'{"fingerprints":{}}', 422)])
def test_what_the_caller_did_wrong_is_not_answered_by_a_wish(client, body, status):
    headers = {"Content-Type": "application/json", **wishing("allow")}

    assert_problem(client.post("/api/v1/check", content=body, headers=headers), status)


def test_wish_changes_nothing_where_a_check_is_made(client, house):
    answer = client.post("/api/v1/check", json=sent(code_of(1)), headers=wishing("hold")).json()

    assert answer["action"] == "allow"
    assert "degraded" not in answer
    assert [record["check_id"] for record in house.checks()] == [answer["check_id"]]


def test_lines_of_a_batch_are_answered_by_the_wish_and_bad_lines_are_not(house):
    (house.data_dir / "bank.journal").unlink()
    with house.open() as client:
        assert_problem(post_lines(client, sent(code_of(1)))[0], 503, "bank-missing")
        _, answers = post_lines(client, sent(code_of(1)), b"nonsense", headers=wishing("allow"))

    assert [answer.get("degraded") for answer in answers] == [True, None]
    assert answers[0]["action"] == "allow"
    assert answers[1]["status"] == 400


def test_degraded_answer_is_not_kept_for_a_repeated_request(house):
    # Given a request that was answered by the wish
    journal = house.data_dir / "bank.journal"
    kept = journal.read_bytes()
    journal.unlink()
    headers = {"Idempotency-Key": "6a0c", **wishing("hold")}
    with house.open() as client:
        assert client.post("/api/v1/check", json=sent(code_of(1)), headers=headers).json()["degraded"]

        # When it comes again and can be checked
        journal.write_bytes(kept)
        answer = client.post("/api/v1/check", json=sent(code_of(1)), headers=headers).json()

    # Then
    assert answer["action"] == "allow"
    assert answer["check_id"].startswith("chk_")
