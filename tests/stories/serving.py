"""Starts and stops what the stories look at: the demonstration, and installations that a story may break.

Everything is a process of its own, as in life; nothing of the server runs inside the test.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

from staydown.cli.demo import Demo
from staydown.cli.demo_setup import EXAMPLES, FORUM_NAME, DemoSecrets

# Far above the three seconds that a start takes on two idle cores.
READY_WITHIN_SECONDS = 60.0


@dataclass(frozen=True)
class ServedDemo(Demo):
    """A demonstration that runs as a process group of its own; `pid` leads it."""

    pid: int


def free_port() -> int:
    """A port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(url: str) -> bool:
    """Whether something answers there, and not with a failure of its own."""
    try:
        return httpx.get(url, timeout=2.0, trust_env=False).status_code < 500
    except httpx.HTTPError:
        return False


def wait_until(holds: Callable[[], object], *, what: str, seconds: float = READY_WITHIN_SECONDS) -> None:
    """Waits until a condition holds; fails with `what` if it never does."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"not within {seconds:g} s: {what}"
        time.sleep(0.05)


def wait_until_ready(process: subprocess.Popen[bytes], url: str, *, output: Path) -> None:
    """Waits until a server answers; fails at once with what it said if it stopped."""
    wait_until(lambda: process.poll() is not None or answers(url), what=f"{url} answers")
    assert process.poll() is None, output.read_text()


def end_group(process: subprocess.Popen[bytes], *, number: int = signal.SIGTERM) -> None:
    """Ends a process and all that it started: in good order, or with SIGKILL at once."""
    if number == signal.SIGTERM:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=15)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@contextmanager
def demonstration(folder: Path) -> Iterator[ServedDemo]:
    """`staydown demo`, with a forum that has posts."""
    port, forum_port = free_port(), free_port()
    url, forum_url = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{forum_port}"
    where = ["--port", str(port), "--forum-port", str(forum_port), "--data", str(folder)]
    with (folder / "output.txt").open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "staydown", "demo", *where],
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        tour = folder / "staydown" / "demo" / "tour.json"
        wait_until(
            lambda: process.poll() is not None or (tour.exists() and answers(url + "/readyz")),
            what="the demonstration is ready",
        )
        assert process.poll() is None, (folder / "output.txt").read_text()
        secrets = DemoSecrets(**json.loads((folder / "secrets.json").read_text()))
        yield ServedDemo(folder=folder, url=url, forum_url=forum_url, secrets=secrets, pid=process.pid)
    finally:
        end_group(process)


def run_staydown(*arguments: str | Path, data: Path | None = None) -> subprocess.CompletedProcess[str]:
    """The `staydown` command, for an installation whose data lies in `data`."""
    environment = {**os.environ, "STAYDOWN_DEMO": ""}
    if data is not None:
        environment["STAYDOWN_DATA_DIR"] = str(data)
    return subprocess.run(
        [sys.executable, "-m", "staydown", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )


def add_reviewer(data: Path, *, name: str) -> str:
    """Adds a reviewer as an administrator would; returns the password that is shown once."""
    added = run_staydown("manage", "add-staff", name, data=data)
    assert added.returncode == 0, added.stderr
    return added.stdout.split()[-1]


class OwnHouse:
    """Staydown and a forum of a story's own, to be killed, stopped and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.data = folder, folder / "staydown"
        self.port, self.forum_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.forum_url = f"http://127.0.0.1:{self.forum_port}"
        self.staydown: subprocess.Popen[bytes] | None = None
        self.forum: subprocess.Popen[bytes] | None = None
        # What a forum without a Staydown would be given; `set_up` puts the real ones here.
        self.token, self.webhook_secret = "sdk_none", "whsec_" + "A" * 32
        self.reviewer_password = ""

    def set_up(self) -> None:
        """Makes the database, connects the forum and adds Bob, as an administrator would."""
        done = run_staydown("manage", "migrate", data=self.data)
        assert done.returncode == 0, done.stderr
        prefix = ["--url-prefix", self.forum_url + "/", "--webhook-url", self.forum_url + "/staydown/webhook"]
        connected = run_staydown("manage", "add-platform", FORUM_NAME, *prefix, data=self.data).stdout
        told = dict(re.findall(r"^(token|webhook secret) +(\S+)$", connected, re.MULTILINE))
        self.token, self.webhook_secret = told["token"], told["webhook secret"]
        self.reviewer_password = add_reviewer(self.data, name="bob")

    def _start(self, *arguments: str, cwd: Path | None = None, **environment: str) -> subprocess.Popen[bytes]:
        with (self.folder / "output.txt").open("ab") as output:
            return subprocess.Popen(
                [sys.executable, "-m", *arguments],
                env={**os.environ, **environment},
                cwd=cwd,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def start(self) -> None:
        """Starts Staydown, with its worker."""
        self.staydown = self._start(
            *("staydown", "serve", "--port", str(self.port)),
            STAYDOWN_DATA_DIR=str(self.data),
            STAYDOWN_PUBLIC_URL=self.url,
            STAYDOWN_DEMO="",
        )
        wait_until_ready(self.staydown, self.url + "/readyz", output=self.folder / "output.txt")

    def start_forum(self, *, staydown_url: str | None = None) -> None:
        """Starts the forum."""
        self.forum = self._start(
            *("forum", "--port", str(self.forum_port), "--data", str(self.folder / "forum")),
            cwd=EXAMPLES,
            STAYDOWN_URL=staydown_url or self.url,
            STAYDOWN_TOKEN=self.token,
            STAYDOWN_WEBHOOK_SECRET=self.webhook_secret,
            PUBLIC_URL=self.forum_url,
        )
        wait_until_ready(self.forum, self.forum_url, output=self.folder / "output.txt")

    def kill(self) -> None:
        """SIGKILL to Staydown and its worker: no process gets to tidy up."""
        assert self.staydown is not None
        end_group(self.staydown, number=signal.SIGKILL)

    def workers(self) -> list[int]:
        """The process ids of the worker that Staydown started."""
        assert self.staydown is not None
        children = Path(f"/proc/{self.staydown.pid}/task").glob("*/children")
        ids = [int(word) for file in children for word in file.read_text().split()]
        return [pid for pid in ids if b"staydown.jobs" in Path(f"/proc/{pid}/cmdline").read_bytes()]

    def stop(self) -> None:
        """Stops what still runs."""
        for process in (self.staydown, self.forum):
            if process is not None and process.poll() is None:
                end_group(process)
