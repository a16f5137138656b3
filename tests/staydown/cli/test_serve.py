"""`staydown serve`: ready before it answers, a worker that comes back, everything stopped on the way out."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from click.testing import CliRunner

from staydown.cli import serve
from staydown.journal import BankJournalReader
from tests.staydown.conftest import an_entry


class Worker:
    """Stands for the worker's process; `ends` says that it dies by itself, `stubborn` that it ignores us."""

    started: list[Worker] = []

    def __init__(self, command: list[str], *, ends: bool = False, stubborn: bool = False) -> None:
        self.command, self.stubborn = command, stubborn
        self.code: int | None = 1 if ends else None
        self.told: list[str] = []
        self.started.append(self)

    def poll(self) -> int | None:
        return self.code

    def terminate(self) -> None:
        self.told.append("terminate")
        self.code = None if self.stubborn else 0

    def wait(self, timeout: float) -> int:
        if self.code is None:
            raise subprocess.TimeoutExpired("worker", timeout)
        return self.code

    def kill(self) -> None:
        self.told.append("kill")
        self.code = -9


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Worker]:
    """The worker processes that were started."""
    monkeypatch.setattr(Worker, "started", [])
    monkeypatch.setattr(serve, "RESTART_AFTER_SECONDS", 0.01)
    monkeypatch.setattr(subprocess, "Popen", Worker)
    return Worker.started


def keep_worker_until(count: int, started: list[Worker]) -> None:
    """Keeps the worker until so many were started, then stops."""
    stop = threading.Event()
    keeper = threading.Thread(target=serve._keep_worker, args=(stop,))
    keeper.start()
    for _ in range(500):
        if len(started) >= count:
            break
        stop.wait(0.01)
    stop.set()
    keeper.join(timeout=10)
    assert not keeper.is_alive()


def test_worker_is_terminated_when_the_server_stops(started: list[Worker]) -> None:
    keep_worker_until(1, started)

    [worker] = started
    assert worker.command == [sys.executable, "-m", "staydown.jobs"]
    assert worker.told == ["terminate"]


def test_worker_that_dies_is_started_again(started: list[Worker], monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a worker that dies at once, twice
    monkeypatch.setattr(subprocess, "Popen", lambda command: Worker(command, ends=len(started) < 2))

    # When
    keep_worker_until(3, started)

    # Then the third is the one that is stopped
    assert len(started) == 3
    assert [worker.told for worker in started] == [[], [], ["terminate"]]


def test_worker_that_does_not_stop_is_killed(started: list[Worker], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "Popen", lambda command: Worker(command, stubborn=True))

    keep_worker_until(1, started)

    assert started[0].told == ["terminate", "kill"]


def test_what_the_upload_check_needs_is_there_before_anything_is_served(db: None, house: Path) -> None:
    # Given an entry that was never published, as after a kill between commit and file
    entry = an_entry()

    # When
    serve._prepare()

    # Then
    told = BankJournalReader(house / "bank.journal").poll()
    assert entry.id in str(told)
    assert json.loads((house / "tokens.json").read_text())["tokens"] == []


def test_server_listens_where_it_is_told_and_keeps_no_list_of_who_came(
    db: None, started: list[Worker], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a server that only remembers how it was set
    seen: list[Any] = []
    monkeypatch.setattr(uvicorn.Server, "run", lambda self: seen.append(self.config))
    handlers: dict[int, Any] = {}
    monkeypatch.setattr(signal, "signal", handlers.__setitem__)

    # When
    result = CliRunner().invoke(serve.command, ["--host", "127.0.0.1", "--port", "8099"])

    # Then
    assert result.exit_code == 0, result.output
    [config] = seen
    assert (config.host, config.port, config.app) == ("127.0.0.1", 8099, "staydown.config.asgi:application")
    assert config.access_log is False
    assert config.server_header is False
    assert handlers == {signal.SIGTERM: serve.stop_in_good_order}


def test_worker_is_stopped_also_when_the_server_breaks_down(
    db: None, started: list[Worker], monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(server: uvicorn.Server) -> None:
        while not started:
            pass
        raise RuntimeError("the port is taken")

    monkeypatch.setattr(uvicorn.Server, "run", break_down)
    monkeypatch.setattr(signal, "signal", lambda *_: None)

    result = CliRunner().invoke(serve.command, [])

    assert isinstance(result.exception, RuntimeError)
    assert started[0].told == ["terminate"]


def test_termination_leaves_through_every_finally() -> None:
    with pytest.raises(SystemExit) as left:
        serve.stop_in_good_order(signal.SIGTERM, None)

    assert left.value.code == 0


@pytest.mark.parametrize("port", ["-1", "65536", "eighty"])
def test_impossible_port_is_refused(port: str) -> None:
    assert CliRunner().invoke(serve.command, ["--port", port]).exit_code == 2
