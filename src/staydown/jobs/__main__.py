"""`python -m staydown.jobs`: runs the sweeps until it is told to stop, or its server is gone."""

from __future__ import annotations

import os
import signal
import threading

from staydown.start import set_up_django


def main() -> None:
    """Runs until SIGTERM or SIGINT, or until the parent process has died."""
    set_up_django()
    from staydown.jobs.sweeps import run

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    parent = os.getppid()
    run(stop, parent_is_alive=lambda: os.getppid() == parent)


if __name__ == "__main__":
    main()
