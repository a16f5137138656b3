"""The least that an HTTP server in Python does: uvicorn answering at once. It tells the machine's part.

Run by serve.py: `python -m benchmarks.serve_floor PORT`.
"""

from __future__ import annotations

import sys

import uvicorn
from starlette.types import Receive, Scope, Send

_HEAD = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"application/json"), (b"content-length", b"2")],
}


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers every request with an empty object."""
    await receive()
    await send(_HEAD)
    await send({"type": "http.response.body", "body": b"{}"})


def main() -> None:
    """Serves until it is ended, as `staydown serve` does."""
    port = int(sys.argv[1])
    uvicorn.run(application, port=port, lifespan="off", log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
