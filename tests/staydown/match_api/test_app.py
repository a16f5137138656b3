"""The application as a whole: start, stop, probes, unknown paths, and that Django stays away.

Covers: staydown.match_api.settings.
"""

import asyncio
import contextlib
import subprocess
import sys
import time
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from staydown.match_api import MatchApiSettings, create_app
from tests.staydown.fingerprint.files import jpeg
from tests.staydown.match_api.house import (
    ENDPOINTS,
    GOOD,
    assert_problem,
    code_of,
    entry,
    sent,
)


def test_upload_check_imports_no_django():
    # A process of its own: in this one, pytest-django has imported Django already.
    script = "import sys, staydown.match_api; sys.exit('django' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_healthz_only_says_that_the_process_is_alive(house):
    (house.data_dir / "tokens.json").unlink()
    (house.data_dir / "bank.journal").unlink()
    with house.open(token=None) as client:
        response = client.get("/healthz")

    assert (response.status_code, response.json()) == (200, {"status": "alive"})


def test_readyz_waits_for_the_tokens_and_the_bank_and_counts_them(house):
    # Given neither
    (house.data_dir / "tokens.json").unlink()
    (house.data_dir / "bank.journal").unlink()
    with house.open(token=None) as client:
        assert_problem(client.get("/readyz"), 503, "tokens-missing")

        # When the tokens come first
        house.publish_tokens()
        response = client.get("/readyz")
        assert_problem(response, 503, "bank-missing")
        assert response.headers["retry-after"] == "1"
        refused = client.post(
            "/api/v1/check", json=sent(code_of(1)), headers={"Authorization": f"Bearer {GOOD}"}
        )
        assert_problem(refused, 503, "bank-missing")

        # And then the bank
        house.put(entry("ent_a", codes=[code_of(1), code_of(2)]), entry("ent_b"))
        response = client.get("/readyz")

        # Then
        assert response.status_code == 200
        assert response.json()["isolation"] in ("network-namespace", "none")
        assert response.json() == {
            "status": "ready",
            "entries": 2,
            "codes": 2,
            "entries_left_out": 0,
            "videos": "frames",
            "isolation": response.json()["isolation"],
        }


def test_bank_is_followed_while_no_request_comes(house, monkeypatch):
    # Given a door that does not look at requests
    seen = []
    from staydown.match_api.bank_view import BankView

    refresh = BankView.refresh
    monkeypatch.setattr(BankView, "refresh", lambda bank: (refresh(bank), seen.append(bank.counts())))
    with house.open(refresh_seconds=0.01):
        # When
        house.put(entry("ent_a"))
        until = time.monotonic() + 5
        while not any(counts["entries"] for counts in seen) and time.monotonic() < until:
            time.sleep(0.01)

    # Then
    assert seen[-1]["entries"] == 1


def test_following_goes_on_after_a_defect(house, monkeypatch, caplog):
    from staydown.match_api.bank_view import BankView

    calls = []

    def broken(bank):
        calls.append(1)
        if len(calls) == 2:
            raise KeyError(code_of(1).hex)

    monkeypatch.setattr(BankView, "refresh", broken)
    with house.open(refresh_seconds=0.005):
        until = time.monotonic() + 5
        while len(calls) < 5 and time.monotonic() < until:
            time.sleep(0.01)

    assert len(calls) >= 5
    assert code_of(1).hex not in caplog.text


@pytest.mark.parametrize(
    "path", ["/", "/api/v1/check/", "/api/v1/nothing", "/api/v1/check/batch/x", "//healthz"]
)
def test_unknown_path_is_a_problem_and_never_a_redirect(client, path):
    assert_problem(client.get(path, follow_redirects=False), 404, "not-found")


@pytest.mark.parametrize("path", ENDPOINTS)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods_are_a_problem_that_names_the_right_one(client, path, method):
    response = client.request(method, path)

    assert_problem(response, 405, "method-not-allowed")
    assert response.headers["allow"] == "POST"


def test_no_answer_may_be_kept_by_a_cache(client):
    for response in (
        client.post("/api/v1/check", json=sent(code_of(1))),
        client.post("/api/v1/check", json={}),
        client.get("/readyz"),
        client.get("/nothing"),
    ):
        assert response.headers["cache-control"] == "no-store"


def living_children():
    """Ids of child processes of this process that have not ended."""
    found = set()
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(FileNotFoundError):  # a thread that has just ended
            found |= set((task / "children").read_text().split())
    return found


def test_stop_ends_the_decoding_processes_and_a_new_start_works(house):
    # Given an application that has read a picture
    before = living_children()
    app = create_app(MatchApiSettings(data_dir=house.data_dir))
    headers = {"Authorization": f"Bearer {GOOD}"}
    for _ in range(2):
        with TestClient(app, headers=headers) as client:
            assert client.post("/api/v1/check", files={"media": jpeg(64, 64)}).status_code == 200
            assert living_children() - before

        # When it stops, then nothing is left
        assert living_children() == before

    assert len(house.checks()) == 2


def test_mounted_behind_a_router_that_passes_lifespan_on(house):
    # Given a router as `staydown serve` has it
    check = create_app(MatchApiSettings(data_dir=house.data_dir))

    async def router(scope, receive, send):
        if scope["type"] == "lifespan" or scope["path"] in check.paths:
            await check(scope, receive, send)
        else:
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body", "body": b""})

    # When
    with TestClient(router, headers={"Authorization": f"Bearer {GOOD}"}) as client:
        # Then
        assert client.get("/desk/").status_code == 204
        assert client.get("/readyz").status_code == 200
        assert client.post("/api/v1/gate", json=sent(code_of(1))).status_code == 200


def test_door_without_a_start_answers_too(house):
    client = TestClient(create_app(MatchApiSettings(data_dir=house.data_dir)))

    response = client.post(
        "/api/v1/check", json=sent(code_of(1)), headers={"Authorization": f"Bearer {GOOD}"}
    )

    assert response.status_code == 200


def test_start_and_stop_leave_no_task_behind(house):
    app = create_app(MatchApiSettings(data_dir=house.data_dir))

    async def start_and_stop():
        async with app.running():
            await asyncio.sleep(0)
            assert len(asyncio.all_tasks()) == 2
        return len(asyncio.all_tasks())

    assert asyncio.run(start_and_stop()) == 1
