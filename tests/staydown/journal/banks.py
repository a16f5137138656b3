"""Made-up banks in a journal, for tests of what follows and folds it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from staydown.fingerprint import Algorithm, Fingerprint, QueryView
from staydown.journal import BankFollower, BankJournalWriter

NOW = datetime(2026, 3, 7, 20, 30, tzinfo=UTC)


def code_of(name: object, algorithm: Algorithm = Algorithm.PDQ) -> Fingerprint:
    """A made-up code; those of different names are about 128 bits apart."""
    return Fingerprint(algorithm, hashlib.sha256(f"code {name}".encode()).digest(), 100)


def digest_of(name: object) -> str:
    """A made-up SHA-256."""
    return hashlib.sha256(f"file {name}".encode()).hexdigest()


def put(seq: int, name: object, *, state: str = "confirmed", codes: Sequence[object] = ()) -> dict[str, Any]:
    """A record that puts the entry ent_NAME with the codes so called (by default one, with its own name)."""
    rows = [
        [algorithm.value, derivation, 100, code_of(code, algorithm).hex]
        for code in codes or [name]
        for algorithm, derivation in ((Algorithm.PDQ, f"cc{len(str(code))}"), (Algorithm.PDQ512, "full"))
    ]
    md5 = hashlib.md5(f"file {name}".encode()).hexdigest()
    entry = {"id": f"ent_{name}", "bank": "default", "state": state, "sha256": digest_of(name), "md5": md5}
    return {"seq": seq, "op": "put", "entry": {**entry, "codes": rows}}


def drop(seq: int, name: object) -> dict[str, Any]:
    """A record that drops the entry."""
    return {"seq": seq, "op": "drop", "entry_id": f"ent_{name}"}


def append(path: Path, records: Iterable[dict[str, Any]]) -> None:
    """Appends them as the database side does."""
    with BankJournalWriter(path) as journal:
        journal.append(list(records))


def known(follower: BankFollower, names: Iterable[object]) -> set[object]:
    """Which of the entries are found: each by both its codes and both digests, or by none of them."""
    bank, found = follower.bank, set()
    for name in names:
        md5 = hashlib.md5(f"file {name}".encode()).hexdigest()
        ways = [
            bank.find([QueryView("full", code_of(name))]),
            bank.find([QueryView("full", code_of(name, Algorithm.PDQ512))]),
            bank.find([], sha256=digest_of(name)),
            bank.find([], md5=md5),
        ]
        ids = [[match.entry_id for match in matches] for matches in ways]
        assert ids in ([[f"ent_{name}"]] * 4, [[]] * 4), (name, ids)
        assert (f"ent_{name}" in bank) is bool(ids[0])
        if ids[0]:
            found.add(name)
    return found
