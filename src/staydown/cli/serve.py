"""`staydown serve`: the whole installation in one command: pages, upload check and the worker."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from types import FrameType

import click
import uvicorn

from staydown.start import set_up_django

# A worker that keeps dying is started again, but not in a tight loop.
RESTART_AFTER_SECONDS = 1.0


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535))
def command(host: str, port: int) -> None:
    """Serves pages, API and upload check, and runs the worker; brings the database up to date first."""
    set_up_django()
    _prepare()
    # uvicorn stops in good order and then raises the signal once more; this lets `finally` stop the worker.
    signal.signal(signal.SIGTERM, stop_in_good_order)
    stop = threading.Event()
    worker = threading.Thread(target=_keep_worker, args=(stop,), daemon=True)
    worker.start()
    config = uvicorn.Config(
        "staydown.config.asgi:application",
        factory=True,
        host=host,
        port=port,
        log_level="warning",
        access_log=False,  # an access log would say who came and when; we keep none
        server_header=False,
        timeout_graceful_shutdown=5,
    )
    try:
        uvicorn.Server(config).run()
    finally:
        stop.set()
        worker.join(timeout=30)


def stop_in_good_order(number: int, frame: FrameType | None) -> None:
    """Signal handler: leaves by SystemExit, so that every `finally` on the way out is run."""
    raise SystemExit(0)


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
