"""On both databases: every process hears of every change, also if the one that made it was killed at once.

The house, two upload checks and the worker are processes of their own.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.postgres.cluster import Cluster
from tests.stories.serving import end_group, free_port, wait_until, wait_until_ready

ALLOWED, HELD, BLOCKED = 200, 202, 451


class House:
    """The processes of one installation."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.folder = folder
        self.environment = {
            **os.environ,
            "STAYDOWN_DATA_DIR": str(folder / "data"),
            "STAYDOWN_DATABASE_URL": database_url,
            "DJANGO_SETTINGS_MODULE": "staydown.config.settings",
        }
        self.checks: list[str] = []
        self.token = ""
        self.process = self._python("tests.postgres.house", stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def _python(self, *arguments: str, **options: Any) -> subprocess.Popen[bytes]:
        with (self.folder / "output.txt").open("ab") as output:
            return subprocess.Popen(
                [sys.executable, "-m", *arguments],
                env=self.environment,
                start_new_session=True,
                **{"stdout": output, "stderr": output, **options},
            )

    def act(self, act: str, **given: str) -> dict[str, str]:
        """Has the house do something; returns what it says."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"act": act, **given}).encode() + b"\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, (self.folder / "output.txt").read_text()
        told: dict[str, str] = json.loads(line)
        return told

    @contextmanager
    def upload_check(self) -> Iterator[None]:
        """An upload check of its own."""
        port = free_port()
        arguments = ("uvicorn", "tests.postgres.upload_check:application", "--port", str(port))
        process = self._python(*arguments, "--log-level", "warning")
        try:
            url = f"http://127.0.0.1:{port}"
            wait_until_ready(process, url + "/readyz", output=self.folder / "output.txt")
            self.checks.append(url)
            yield
        finally:
            end_group(process)

    @contextmanager
    def worker(self) -> Iterator[None]:
        """The worker with its sweeps."""
        process = self._python("staydown.jobs")
        try:
            yield
        finally:
            end_group(process)

    def answers(self, sha256: str) -> list[int]:
        """What each upload check says about an upload of this file."""
        return [
            httpx.post(
                f"{url}/api/v1/gate",
                json={"fingerprints": {"sha256": sha256}},
                headers={"Authorization": f"Bearer {self.token}"},
                trust_env=False,
            ).status_code
            for url in self.checks
        ]

    def hears(self, sha256: str, answer: int) -> None:
        """Waits until every upload check gives this answer."""
        wait_until(lambda: self.answers(sha256) == [answer] * len(self.checks), what=f"all say {answer}")


@pytest.fixture(params=["sqlite", "postgresql"])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    """An installation with two upload checks."""
    url = ""
    if request.param == "postgresql":
        cluster: Cluster = request.getfixturevalue("cluster")
        url = cluster.new_database()
    made = House(tmp_path, url)
    with ExitStack() as stack:
        stack.callback(end_group, made.process, number=signal.SIGKILL)
        told = made.act("set_up")
        assert told["database"] == request.param
        made.token = told["token"]
        for _ in range(2):
            stack.enter_context(made.upload_check())
        yield made


def test_every_upload_check_hears_of_every_change_also_after_a_kill(house: House) -> None:
    # Given a picture that nobody registered
    assert house.answers("ab" * 32) == [ALLOWED, ALLOWED]

    # When Alice registers hers, then both upload checks hold it, without a worker
    registered = house.act("register")
    house.hears(registered["sha256"], HELD)

    # When it is confirmed, then both block it
    house.act("confirm", case=registered["case"])
    house.hears(registered["sha256"], BLOCKED)

    # When she withdraws, then both let it through
    house.act("withdraw_all", case=registered["case"])
    house.hears(registered["sha256"], ALLOWED)

    # When the process is killed in the instant in which it committed a registration
    registered = house.act("register_and_die")
    assert house.process.wait() == -signal.SIGKILL
    assert house.answers(registered["sha256"]) == [ALLOWED, ALLOWED]

    # Then both upload checks hold it as soon as a worker runs
    with house.worker():
        house.hears(registered["sha256"], HELD)
