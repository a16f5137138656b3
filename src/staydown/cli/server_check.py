"""Asks a server about files, for `staydown check --server`. By default only fingerprints leave the computer.

Refuses to go on when every answer would be the same: the token is not accepted, the server is not there.
"""

import threading
from dataclasses import asdict
from pathlib import Path

import click

from staydown.cli.output import Line
from staydown.cli.reading import sought
from staydown.cli.working import Tell
from staydown.client import (
    AnswerNotUnderstood,
    CheckMatch,
    CheckResult,
    RequestRefused,
    Staydown,
    Unreachable,
)
from staydown.fingerprint import QueryLevel, SandboxPool
from staydown.fingerprint.sources import open_regular
from staydown.matching import Match

# Time for one file with all its retries. Nobody waits at a form, and a file of 64 MiB may be on its way.
TIMEOUT_SECONDS = 60.0
# Files in a row without an answer before the rest is not tried: each one costs up to the time above.
MOST_UNANSWERED = 5


class ServerCheck:
    """One installation of Staydown. Any number of threads may ask. Raises ClientMisconfigured."""

    def __init__(
        self, url: str, token: str, *, pool: SandboxPool, level: QueryLevel, send_media: bool
    ) -> None:
        self._client = Staydown(url, token, timeout_ms=TIMEOUT_SECONDS * 1000)
        self._pool = pool
        self._level = level
        self._send_media = send_media
        self._unanswered = 0
        self._counting = threading.Lock()

    def __call__(self, path: Path, tell: Tell) -> Line:
        """What the server says about a file, or why it says nothing.

        Raises NotFingerprintable, SandboxUnavailable, OSError, NotAuthorised; ClickException if several times
        nobody answers.
        """
        try:
            result = self._ask(path, tell)
        except Unreachable as error:
            self._count(1)
            return {"error": f"The server gave no answer: {error.reason}."}
        except RequestRefused as error:
            self._count(None)
            return {"error": error.problem.detail or error.problem.title or f"{error}."}
        except AnswerNotUnderstood as error:
            return {"error": f"{error}."}
        self._count(None)
        matches = [line_of_match(match) for match in result.matches]
        return {"action": result.action, "matches": matches, "check_id": result.check_id}

    def _ask(self, path: Path, tell: Tell) -> CheckResult:
        if self._send_media:
            with open_regular(path) as file:
                return self._client.check(file)
        return self._client.check(sought(path, pool=self._pool, level=self._level, tell=tell))

    def _count(self, more: int | None) -> None:
        with self._counting:
            self._unanswered = 0 if more is None else self._unanswered + more
            if self._unanswered >= MOST_UNANSWERED:
                raise click.ClickException(
                    f"The server gave no answer {self._unanswered} times in a row. The rest was not checked."
                )


def line_of_match(match: Match | CheckMatch) -> Line:
    """A match as it is printed; a stretch only where there is one."""
    return {name: value for name, value in asdict(match).items() if value is not None}
