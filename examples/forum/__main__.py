"""`python -m forum --port 8001 --data DIR`: serves the forum on the loopback address."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import uvicorn

from forum.app import create_forum
from forum.settings import ForumSettings
from staydown.client import ClientMisconfigured, WebhookSecretMalformed


def main() -> None:
    """Reads the command line and the environment, then serves."""
    parser = argparse.ArgumentParser(
        prog="forum", description="A small picture forum, protected by Staydown."
    )
    parser.add_argument("--port", type=int, default=8001)
    parser.add_argument("--data", type=Path, required=True, help="where posts and pictures are kept")
    given = parser.parse_args()
    try:
        settings = ForumSettings.from_environment(given.data, port=given.port)
    except KeyError as error:
        sys.exit(f"Set {error.args[0]} in the environment; `staydown manage add-platform` prints it.")
    try:
        settings.check()
        forum = create_forum(settings)
    except (ClientMisconfigured, WebhookSecretMalformed) as error:
        sys.exit(f"The forum cannot work with this environment: {error}.")
    # No access log: who looked at which picture is nobody's business.
    uvicorn.run(forum, host="127.0.0.1", port=given.port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
