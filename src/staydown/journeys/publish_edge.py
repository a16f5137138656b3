"""Publishes the edge bank: the codes and digests of the entries that may act, signed, for partners to search.

Refuses to publish for nobody (no token has the scope), too often, or anything but the set of codes: no entry,
no derivation, no state but "confirmed" beside a digest, and no order that tells which codes belong together.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from django.conf import settings

from staydown.access.queries import live_tokens
from staydown.access.terms import Scope
from staydown.bank.queries import acting_entries, last_change
from staydown.bank.rules import codes_for_partners
from staydown.bank.terms import Entry
from staydown.client.edge_digests import digests_as_bytes
from staydown.client.edge_manifest import (
    MANIFEST_NAME,
    EdgeFile,
    EdgeManifest,
    is_file_name,
    read_manifest,
)
from staydown.client.errors import EdgeManifestRefused
from staydown.fingerprint import MIN_QUALITY
from staydown.ledger.operations import load_or_create_signer
from staydown.matching import Index
from staydown.matching.terms import EntryState

# A withdrawal reaches an edge within this and the partner's own interval; each publishing reads every code.
AT_MOST_EVERY = timedelta(minutes=5)
# The longest that an edge without a network may go on with entries that were withdrawn since. A partner's
# line may be down for a night; a day is what an operator notices.
LIFETIME = timedelta(hours=24)
# Signed anew in good time, also if nothing changed, so that an edge that asks now and then never expires.
RENEW_AFTER = LIFETIME / 4
# Files of the bank before the last one stay this long, for whoever is fetching them.
KEEP_OLD = timedelta(hours=1)


def publish_edge(*, now: datetime) -> bool:
    """Publishes if something changed or the last one grows old. Returns whether it did.

    Entries that change meanwhile may be in it as they were or as they are; the next publishing follows,
    because the sequence number told is the one from before.
    """
    if not any(Scope.EDGE in row["scopes"] for row in live_tokens(now=now)):  # type: ignore[operator]
        return False
    folder = Path(settings.STAYDOWN_EDGE_DIR)
    signer = load_or_create_signer(Path(settings.STAYDOWN_LEDGER_KEY_PATH))
    name = settings.STAYDOWN_LEDGER_ORIGIN
    with _locked(folder):
        last = _last_manifest(folder, vkey=signer.vkey(name))
        sequence = last_change()
        if last is not None:
            age = now - last.made_at
            if age < AT_MOST_EVERY or (sequence == last.sequence and age < RENEW_AFTER):
                return False
        if last is not None and sequence == last.sequence:
            codes, digests = last.codes, last.digests
        else:
            codes, digests = _write_files(folder, acting_entries())
        manifest = EdgeManifest(now, now + LIFETIME, sequence, codes, digests)
        _write(folder / MANIFEST_NAME, signer.sign_note(manifest.text(), name=name).encode())
        kept = {file.name for one in (last, manifest) if one is not None for file in (one.codes, one.digests)}
        _tidy_up(folder, kept=kept, before=now - KEEP_OLD)
    return True


def _write_files(folder: Path, entries: Iterator[Entry]) -> tuple[EdgeFile, EdgeFile]:
    codes, digests = bytearray(), []
    order = random.SystemRandom()
    for entry in entries:
        kept = tuple(one for one in entry.fingerprints if one.quality >= MIN_QUALITY)
        for one in codes_for_partners(replace(entry, fingerprints=kept), order=order):
            codes += one.code
        if entry.digests.sha256:
            digests.append((bytes.fromhex(entry.digests.sha256), entry.state is EntryState.CONFIRMED))
    # Each code once and sorted: the set alone decides the file, so that no order says which belong together.
    rows = np.unique(np.frombuffer(bytes(codes), "V32")).view(np.uint8).reshape(-1, 32)
    index = Index()
    index.add(np.ascontiguousarray(rows), np.arange(len(rows), dtype=np.uint64))
    draft = folder / "codes.new"
    index.save(draft)
    packed = digests_as_bytes(digests)
    _write(folder / "digests.new", packed)
    return (
        _named(draft, kind="codes", suffix="index", count=len(rows)),
        _named(folder / "digests.new", kind="digests", suffix="bin", count=len(digests)),
    )


def _named(draft: Path, *, kind: str, suffix: str, count: int) -> EdgeFile:
    """Gives a written file its name, which begins with its digest: a name never has two contents."""
    with draft.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        size_bytes = os.fstat(file.fileno()).st_size
    name = f"{kind}-{sha256[:16]}.{suffix}"
    draft.replace(draft.with_name(name))
    return EdgeFile(name, sha256, size_bytes, count)


def _write(path: Path, content: bytes) -> None:
    draft = path.with_name(f"{path.name}.draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _last_manifest(folder: Path, *, vkey: str) -> EdgeManifest | None:
    """What is published now; None if nothing is, or nothing that can be used (then all is made anew)."""
    try:
        manifest = read_manifest((folder / MANIFEST_NAME).read_text(encoding="utf-8"), public_key=vkey)
    except (OSError, ValueError, EdgeManifestRefused):
        return None
    is_whole = all((folder / file.name).exists() for file in (manifest.codes, manifest.digests))
    return manifest if is_whole else None


def _tidy_up(folder: Path, *, kept: set[str], before: datetime) -> None:
    for path in folder.iterdir():
        is_old = path.stat().st_mtime < before.timestamp()
        if is_file_name(path.name) and path.name not in kept and is_old:
            path.unlink()


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One publisher at a time: sweeps may run twice at once."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)  # closing releases the lock
