"""A process that does what people do, one line of JSON in and one out: `python -m tests.postgres.house`.

It stands for the process that serves the pages; a test may have it killed between commit and publishing.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import signal
import sys
from datetime import UTC, datetime
from typing import Any

from staydown.start import set_up_django

set_up_django()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

from staydown.bank.operations import set_state  # noqa: E402
from staydown.bank.queries import entries_of  # noqa: E402
from staydown.cases.queries import case_by_number  # noqa: E402
from staydown.cases.terms import SubmittedItem  # noqa: E402
from staydown.fingerprint import Digests  # noqa: E402
from staydown.journeys import publishing, register_pictures, set_up_platform, withdraw  # noqa: E402
from staydown.journeys.turn import in_turn  # noqa: E402
from staydown.matching.terms import EntryState  # noqa: E402


def set_up() -> dict[str, str]:
    """Makes the tables and the bank's files, as a server does when it starts, and connects a platform."""
    call_command("migrate", interactive=False, verbosity=0)
    publishing.publish_bank()
    connected = set_up_platform.connect_platform(
        name="Forum", url_prefix="http://127.0.0.1:8001/", webhook_url="http://127.0.0.1:8001/w", now=_now()
    )
    return {"token": connected.token.secret, "database": connection.vendor}


def register() -> dict[str, str]:
    """Registers a picture of which there is the digest only."""
    content = secrets.token_bytes(16)
    digests = Digests(hashlib.sha256(content).hexdigest(), hashlib.md5(content).hexdigest())
    item = SubmittedItem(media="image", digests=digests, fingerprints=())
    receipt = register_pictures.open_case_with_pictures([item], now=_now())
    return {"case": receipt.number, "sha256": digests.sha256}


def register_and_die() -> dict[str, str]:
    """Commits a registration and is killed before the upload checks hear of it."""

    def die() -> int:
        os.kill(os.getpid(), signal.SIGKILL)
        return 0

    content = secrets.token_bytes(16)
    digests = Digests(hashlib.sha256(content).hexdigest(), hashlib.md5(content).hexdigest())
    print(json.dumps({"sha256": digests.sha256}), flush=True)
    publishing.publish_bank = die
    register_pictures.open_case_with_pictures(
        [SubmittedItem(media="image", digests=digests, fingerprints=())], now=_now()
    )
    return {}


def confirm(case: str) -> dict[str, str]:
    """Confirms the case's pictures, as a reviewer's decision does."""
    registrations = [row.id for row in case_by_number(case).registrations]
    entries = entries_of(registration_ids=registrations)

    @in_turn
    def journey() -> None:
        set_state(entry_ids=[entry.id for entry in entries], state=EntryState.CONFIRMED, now=_now())
        publishing.publish_bank_after_commit()

    journey()
    return {}


def withdraw_all(case: str) -> dict[str, str]:
    """Withdraws the case."""
    withdraw.withdraw_everything(case_number=case, now=_now())
    return {}


def _now() -> datetime:
    return datetime.now(UTC)


ACTS = {act.__name__: act for act in (set_up, register, register_and_die, confirm, withdraw_all)}


def main() -> None:
    """Does what each line says until there are no more."""
    for line in sys.stdin:
        asked: dict[str, Any] = json.loads(line)
        print(json.dumps(ACTS[asked.pop("act")](**asked)), flush=True)


if __name__ == "__main__":
    main()
