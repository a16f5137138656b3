"""`staydown serve`: ready before it answers, a worker that comes back, everything stopped on the way out."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from click.testing import CliRunner

from staydown.cli import serve
from staydown.journal import BankJournalReader, BankJournalWriter, write_tokens
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


# --- roles and processes


def run_and_say(tmp_path: Path, role: str) -> str:
    """What a process of that role has imported of Django when its application is loaded."""
    script = (
        "import sys, uvicorn\n"
        "uvicorn.Server.run = lambda self: (self.config.load(), print('django' in sys.modules))\n"
        "from staydown.cli import main\n"
        f"sys.argv = ['staydown', 'serve', '--role', '{role}']\n"
        "main()"
    )
    environment = {**os.environ, "STAYDOWN_DATA_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=False
    )
    return done.stdout.strip() or done.stderr


def test_role_check_runs_without_django(tmp_path: Path) -> None:
    assert run_and_say(tmp_path, "check") == "False"


def test_role_pages_runs_with_django_and_brings_the_database_up_to_date(tmp_path: Path) -> None:
    assert run_and_say(tmp_path, "pages") == "True"
    assert (tmp_path / "bank.journal").exists()


@pytest.mark.parametrize(
    ("role", "application", "has_worker"),
    [
        ("all", "staydown.config.asgi:application", True),
        ("check", "staydown.config.check:application", False),
        ("pages", "staydown.config.asgi:pages_only", False),
    ],
)
def test_each_role_serves_its_part_and_only_all_runs_the_worker(
    db: None,
    started: list[Worker],
    monkeypatch: pytest.MonkeyPatch,
    role: str,
    application: str,
    has_worker: bool,
) -> None:
    seen: list[Any] = []

    def run(server: uvicorn.Server) -> None:
        seen.append(server.config.app)
        while has_worker and not started:
            pass

    monkeypatch.setattr(uvicorn.Server, "run", run)
    monkeypatch.setattr(signal, "signal", lambda *_: None)

    result = CliRunner().invoke(serve.command, ["--role", role])

    assert result.exit_code == 0, result.output
    assert seen == [application]
    assert bool(started) is has_worker


def test_role_jobs_keeps_the_worker_until_it_is_told_to_stop(
    db: None, started: list[Worker], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given signals that are only remembered
    handlers: dict[int, Any] = {}
    monkeypatch.setattr(signal, "signal", handlers.__setitem__)

    # When SIGTERM comes as soon as the worker runs
    class Stopped(Worker):
        def poll(self) -> int | None:
            handlers[signal.SIGTERM](signal.SIGTERM, None)
            return super().poll()

    monkeypatch.setattr(subprocess, "Popen", Stopped)
    result = CliRunner().invoke(serve.command, ["--role", "jobs"])

    # Then
    assert result.exit_code == 0, result.output
    assert [worker.told for worker in started] == [["terminate"]]
    assert set(handlers) == {signal.SIGTERM, signal.SIGINT}


@pytest.mark.parametrize(
    "arguments",
    [
        ["--role", "jobs", "--processes", "2"],
        ["--role", "survivor"],
        ["--processes", "0"],
        ["--processes", "65"],
        ["--processes", "two"],
    ],
)
def test_impossible_role_or_number_of_processes_is_refused(arguments: list[str]) -> None:
    assert CliRunner().invoke(serve.command, arguments).exit_code == 2


class Served:
    """A real upload check of two processes on a free port."""

    def __init__(self, folder: Path) -> None:
        with BankJournalWriter(folder / "bank.journal"):
            pass
        digest = hashlib.sha256(b"sdk_platform").hexdigest()
        row = {"digest": digest, "platform": "pf_a", "scopes": ["check"], "expires_at": None}
        write_tokens(folder / "tokens.json", [row])
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        command = [sys.executable, "-m", "staydown", "serve", "--role", "check", "--processes", "2"]
        environment = {**os.environ, "STAYDOWN_DATA_DIR": str(folder), "STAYDOWN_METRICS_OPEN": "1"}
        self.process = subprocess.Popen([*command, "--port", str(self.port)], env=environment)

    def ask(self, path: str, **values: Any) -> httpx.Response:
        # A connection for each call: the kernel gives it to any of the processes.
        return httpx.request("POST" if values else "GET", f"http://127.0.0.1:{self.port}{path}", **values)

    def number(self, name: str) -> float:
        text = self.ask("/metrics").text
        return float(next(line.rpartition(" ")[2] for line in text.splitlines() if line.startswith(name)))

    def children(self) -> set[int]:
        listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return {pid for pid in map(int, listed) if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()}

    def wait_until(self, is_so: Callable[[], bool]) -> None:
        for _ in range(600):
            with suppress(httpx.TransportError, OSError):
                if is_so():
                    return
            time.sleep(0.1)
        raise AssertionError("it did not come to be")


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    served = Served(tmp_path)
    try:
        served.wait_until(lambda: served.number("staydown_processes ") == 2)
        yield served
    finally:
        served.process.kill()
        served.process.wait()


def test_several_processes_share_a_port_and_their_numbers_and_one_that_is_killed_comes_back(
    served: Served,
) -> None:
    # Given checks at whichever process took them
    sent = {"fingerprints": {"md5": "0" * 32}}
    headers = {"Authorization": "Bearer sdk_platform"}
    for _ in range(20):
        assert served.ask("/api/v1/check", json=sent, headers=headers).status_code == 200
    name = 'staydown_checks_total{action="allow",by="fingerprints",door="check"}'
    assert {served.number(name) for _ in range(5)} == {20.0}

    # When one is killed
    before = served.children()
    assert len(before) == 2
    os.kill(min(before), signal.SIGKILL)
    served.wait_until(lambda: len(served.children() - before) == 1)
    served.wait_until(lambda: served.number("staydown_processes ") == 2)

    # Then no number is lost, and checks go on
    assert served.number(name) == 20
    assert served.ask("/api/v1/check", json=sent, headers=headers).status_code == 200

    # And SIGTERM ends all of them
    children = served.children()
    served.process.terminate()
    assert served.process.wait(timeout=30) == 0
    assert not any(Path(f"/proc/{pid}").exists() for pid in children)


def test_processes_do_not_outlive_a_killed_parent(served: Served) -> None:
    children = served.children()

    served.process.kill()
    served.process.wait()

    served.wait_until(lambda: not any(is_running(pid) for pid in children))


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("port", ["-1", "65536", "eighty"])
def test_impossible_port_is_refused(port: str) -> None:
    assert CliRunner().invoke(serve.command, ["--port", port]).exit_code == 2
