"""`staydown serve`: an installation in one command, or one part of it: upload check, pages, or the worker."""

from __future__ import annotations

import ctypes
import fcntl
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import click
import uvicorn
from uvicorn.supervisors import Multiprocess

from staydown.start import set_up_django

# A worker that keeps dying is started again, but not in a tight loop.
RESTART_AFTER_SECONDS = 1.0
# A process that says nothing for so long is replaced. Only one that hangs does: the answer comes from a
# thread of its own, whatever else is going on.
HANGS_AFTER_SECONDS = 60
APPLICATIONS = {
    "all": "staydown.config.asgi:application",
    "check": "staydown.config.check:application",
    "pages": "staydown.config.asgi:pages_only",
}
_PR_SET_PDEATHSIG = 1


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535))
@click.option(
    "--role",
    type=click.Choice([*APPLICATIONS, "jobs"]),
    default="all",
    show_default=True,
    help="What this command runs; all roles of an installation share its data folder.",
)
@click.option(
    "--processes",
    default=1,
    show_default=True,
    type=click.IntRange(1, 64),
    help="Serving processes on the one port; one that dies is started again.",
)
def command(host: str, port: int, role: str, processes: int) -> None:
    """Serves pages, API and upload check, and runs the worker; brings the database up to date first.

    The role `check` needs no database: it reads what the others write into the data folder.
    """
    if role == "jobs" and processes > 1:
        raise click.UsageError("there is one worker; --processes is for the roles that serve")
    if role != "check":
        set_up_django()
        with _alone():
            _prepare()
    if role == "jobs":
        _run_worker()
        return
    config = _Serving(
        APPLICATIONS[role],
        factory=True,
        host=host,
        port=port,
        workers=processes,
        log_level="warning",
        access_log=False,  # an access log would say who came and when; we keep none
        server_header=False,
        timeout_graceful_shutdown=5,
        timeout_worker_healthcheck=HANGS_AFTER_SECONDS,
    )
    # uvicorn stops in good order and then raises the signal once more; this lets `finally` stop the worker.
    signal.signal(signal.SIGTERM, stop_in_good_order)
    if role == "all":
        with _worker():
            _serve(config)
    else:
        _serve(config)


def stop_in_good_order(number: int, frame: FrameType | None) -> None:
    """Signal handler: leaves by SystemExit, so that every `finally` on the way out is run."""
    raise SystemExit(0)


def _serve(config: uvicorn.Config) -> None:
    if config.workers == 1:
        uvicorn.Server(config).run()
        return
    with config.bind_socket() as listening:
        Multiprocess(config, sockets=[listening]).run()


class _Serving(uvicorn.Config):
    """The settings of a serving process, which it loads as the first thing it does."""

    def load(self) -> None:
        """Were the parent of several killed, its children would keep the port: they end with it."""
        if self.workers > 1 and sys.platform == "linux":
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        super().load()


@contextmanager
def _worker() -> Iterator[None]:
    stop = threading.Event()
    worker = threading.Thread(target=_keep_worker, args=(stop,), daemon=True)
    worker.start()
    try:
        yield
    finally:
        stop.set()
        worker.join(timeout=30)


def _run_worker() -> None:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _setting(stop))
    _keep_worker(stop)


def _setting(stop: threading.Event) -> Callable[[int, FrameType | None], None]:
    return lambda number, frame: stop.set()


@contextmanager
def _alone() -> Iterator[None]:
    """Keeps other roles that start at the same moment on this machine waiting."""
    from django.conf import settings

    folder = settings.STAYDOWN_BANK_JOURNAL_PATH.parent
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder / "start.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)  # closing releases the lock


def _prepare() -> None:
    from datetime import UTC, datetime

    from django.core.management import call_command

    from staydown.journeys.publishing import publish_bank, publish_tokens

    call_command("migrate", interactive=False, verbosity=0)
    publish_bank()
    publish_tokens(now=datetime.now(UTC))


def _keep_worker(stop: threading.Event) -> None:
    while not stop.is_set():
        process = subprocess.Popen([sys.executable, "-m", "staydown.jobs"])
        while process.poll() is None and not stop.wait(0.2):
            pass
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(timeout=25)
            except subprocess.TimeoutExpired:
                process.kill()
            return
        stop.wait(RESTART_AFTER_SECONDS)
