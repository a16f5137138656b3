"""A whole installation in a folder: a bank of so many codes, a platform with a token, servers on loopback.

Everything goes through the operations and journeys that a real installation uses; only the codes are random.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import numpy as np

# Registered of each picture: the usual set of 32 codes, and one of the second scale.
CODES_A_PICTURE = 33
ENTRIES_AT_ONCE = 2000
SEED = 11
READY_SECONDS = 120


@dataclass(frozen=True, slots=True)
class House:
    """Where it lies, and what a platform needs to ask it."""

    folder: Path
    token: str
    entries: int
    codes: int


def set_up(folder: Path) -> None:
    """Points this process at the folder. Once in a process."""
    os.environ["STAYDOWN_DATA_DIR"] = str(folder)
    from staydown.start import set_up_django

    set_up_django()


def a_picture(chance: np.random.Generator) -> Any:
    """What a device sends of one picture, made up."""
    from staydown.cases.terms import SubmittedItem
    from staydown.fingerprint import Algorithm, Digests, Fingerprint
    from staydown.fingerprint.views import DEFAULT_SET, DERIVATION_SETS

    names = DERIVATION_SETS[DEFAULT_SET].derivations[Algorithm.PDQ]
    codes = [Fingerprint(Algorithm.PDQ, chance.bytes(32), 100, name) for name in names]
    codes.append(Fingerprint(Algorithm.PDQ512, chance.bytes(32), 100, "full"))
    digests = Digests(sha256=chance.bytes(32).hex(), md5=chance.bytes(16).hex())
    return SubmittedItem(media="image", digests=digests, fingerprints=tuple(codes))


def build(codes: int) -> House:
    """The database, the token, the bank of about so many codes, published and folded into segments."""
    from django.conf import settings
    from django.core.management import call_command
    from django.db import transaction

    from staydown.access.operations import add_platform, make_token, new_public_id
    from staydown.access.terms import Scope
    from staydown.bank.operations import add_entry
    from staydown.cases.queries import case_by_number
    from staydown.journeys.publishing import fold_bank, publish_bank, publish_tokens
    from staydown.journeys.register_pictures import open_case_with_pictures
    from staydown.matching.terms import EntryState

    now, chance = datetime.now(UTC), np.random.default_rng(SEED)
    call_command("migrate", interactive=False, verbosity=0)
    platform = add_platform(name="Forum", url_prefix="http://127.0.0.1:9/", now=now)
    token = make_token(platform_id=platform.id, scopes=[Scope.CHECK], now=now)
    receipt = open_case_with_pictures([a_picture(chance)], now=now)
    (registration,) = case_by_number(receipt.number).registrations
    entries = codes // CODES_A_PICTURE
    for first in range(0, entries, ENTRIES_AT_ONCE):
        print(f"entry {first} of {entries}", file=sys.stderr, flush=True)
        with transaction.atomic():
            for _ in range(first, min(first + ENTRIES_AT_ONCE, entries)):
                picture = a_picture(chance)
                add_entry(
                    entry_id=new_public_id("ent"),
                    digests=picture.digests,
                    fingerprints=picture.fingerprints,
                    state=EntryState.CONFIRMED,
                    registration_id=registration.id,
                    now=now,
                )
        publish_bank()
        fold_bank(now=now)
    publish_tokens(now=now)
    return House(Path(settings.STAYDOWN_BANK_JOURNAL_PATH).parent, token.secret, entries + 1, codes)


def codes_of(house: House) -> np.ndarray:
    """(entries, 32, 32) uint8: the codes of the first scale of each entry, made once more."""
    chance = np.random.default_rng(SEED)
    packed = (
        b"".join(code.code for code in a_picture(chance).fingerprints[:-1]) for _ in range(house.entries)
    )
    return np.frombuffer(b"".join(packed), np.uint8).reshape(house.entries, -1, 32)


@contextmanager
def served(command: Sequence[str], *, ready: str, port: int, cpu: int | None = None) -> Iterator[Any]:
    """Runs a server while the block runs; yields its process once `ready` (a path) answers 200.

    cpu: the only core that it may use, so that it and its load do not chase each other over the cores.
    """
    pin = (lambda: os.sched_setaffinity(0, {cpu})) if cpu is not None else None
    process = subprocess.Popen(command, preexec_fn=pin)
    try:
        until = time.monotonic() + READY_SECONDS
        while True:
            try:
                if httpx.get(f"http://127.0.0.1:{port}{ready}").status_code == 200:
                    break
            except httpx.TransportError:
                pass
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"{command[0]} did not become ready")
            time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        process.wait(timeout=30)


def staydown(port: int, *options: str) -> list[str]:
    """The command that serves the upload check of the folder that STAYDOWN_DATA_DIR names."""
    program = str(Path(sys.executable).with_name("staydown"))
    return [program, "serve", "--role", "check", "--port", str(port), *options]


def free_port() -> int:
    """One that nobody listens on."""
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return int(opened.getsockname()[1])


def memory_of(process: int) -> tuple[int, int]:
    """Bytes of a process that are its own, and that it shares with others through files. Linux only."""
    rollup = Path(f"/proc/{process}/smaps_rollup").read_text()
    sizes = {line.split()[0]: int(line.split()[1]) * 1024 for line in rollup.splitlines()[1:]}
    own = sizes["Private_Clean:"] + sizes["Private_Dirty:"]
    return own, sizes["Rss:"] - own
