"""A PostgreSQL of the tests' own: made in a folder, reached by a socket there, gone with the tests."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

OLDEST_VERSION = 15
# Nothing of these clusters outlives a test, so nothing has to reach the disk.
OPTIONS = {"listen_addresses": "", "fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


@dataclass
class Cluster:
    """A running server with databases of its own."""

    socket_dir: Path
    made: int = field(default=0)

    def url(self, database: str) -> str:
        """The address of a database, as STAYDOWN_DATABASE_URL takes it."""
        return f"postgresql://staydown@/{database}?host={self.socket_dir}"

    def new_database(self) -> str:
        """Makes an empty database; returns its address."""
        self.made += 1
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE house{self.made}")
        return self.url(f"house{self.made}")


def programs() -> Path:
    """Where initdb and postgres are: the newest that this machine has."""
    found = sorted(
        (path for path in Path("/usr/lib/postgresql").glob("*/bin") if (path / "initdb").exists()),
        key=lambda path: int(path.parent.name),
    )
    assert found, "script/system-packages installs PostgreSQL"
    assert int(found[-1].parent.name) >= OLDEST_VERSION
    return found[-1]


def account() -> str | None:
    """Whom the server runs as: PostgreSQL refuses root. None: as we do."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


@contextmanager
def a_cluster() -> Iterator[Cluster]:
    """Starts a server and stops it; its folder is removed."""
    # Beside the tests' own folders, which nobody else may enter, and short: a socket's path is.
    folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))
    who = account()
    if who is not None:
        shutil.chown(folder, who)
    try:
        made = subprocess.run(
            [
                programs() / "initdb",
                "-D",
                folder / "data",
                "-U",
                "staydown",
                "--auth=trust",
                "--no-sync",
                "-E",
                "UTF8",
            ],
            user=who,
            capture_output=True,
            text=True,
            check=False,
            cwd=folder,
        )
        assert made.returncode == 0, made.stderr
        options = [part for name, value in OPTIONS.items() for part in ("-c", f"{name}={value}")]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(
                [programs() / "postgres", "-D", folder / "data", "-k", folder, *options],
                user=who,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=folder,
            )
        try:
            cluster = Cluster(folder)
            _wait_until_ready(cluster, server, log=folder / "log")
            yield cluster
        finally:
            server.terminate()
            try:
                server.wait(timeout=20)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait_until_ready(cluster: Cluster, server: subprocess.Popen[bytes], *, log: Path) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            psycopg.connect(cluster.url("postgres")).close()
        except psycopg.OperationalError:
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.05)
        else:
            return
