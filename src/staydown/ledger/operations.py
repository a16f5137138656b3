"""What can be done to the log: record an event, and erase what opens a person's entries. Nothing else."""

from __future__ import annotations

import functools
import os
import secrets
from datetime import datetime
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.db import transaction

from staydown.ledger import rules
from staydown.ledger.checkpoint import Signer
from staydown.ledger.errors import KeyFileUnreadable, LedgerNeedsTransaction, LogDamaged
from staydown.ledger.models import LedgerEntry, LedgerHead, LedgerNode
from staydown.ledger.queries import HEAD_ID, stored_nodes
from staydown.ledger.terms import Checkpoint, LedgerEvent, RecordedEvent

ERASURE_KIND = "ledger.erased"


@functools.cache
def load_or_create_signer(path: Path) -> Signer:
    """The installation's Ed25519 key (PKCS#8 PEM), made on first use and readable by this account only.

    A process keeps the key it once read. Raises KeyFileUnreadable.
    """
    try:
        return Signer(_read_key(path))
    except FileNotFoundError:
        pass
    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        # A link appears whole or not at all, and never replaces the key of a process that was first.
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return Signer(_read_key(path))


def _read_key(path: Path) -> Ed25519PrivateKey:
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeyFileUnreadable from error
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyFileUnreadable
    return key


def record(event: LedgerEvent) -> RecordedEvent:
    """Appends one event inside the caller's transaction and signs the new head.

    If that transaction is rolled back, so is the entry; the checkpoint signed for it was seen by nobody.
    What this cannot see is a database restored from an old backup: entries recorded again after it make a
    second history, which checkpoints published before the restore reveal.
    Raises EventNotRecordable, LedgerNeedsTransaction, and LogDamaged when the stored right edge of the tree
    does not lead to the stored root: a log must never sign what contradicts what it signed before.
    """
    if not transaction.get_connection().in_atomic_block:
        raise LedgerNeedsTransaction
    rules.check_event(event)
    head = _locked_head()
    tree = _growing_tree(head)
    document, salt = rules.event_document(event), secrets.token_bytes(rules.SALT_BYTES)
    commitment = rules.commitment_of(document, salt=salt)
    completed = tree.add(rules.leaf_digest(commitment))
    LedgerEntry.objects.create(
        index=head.size,
        commitment=commitment,
        salt=salt,
        event=document,
        kind=event.kind,
        subject=event.subject,
        recorded_at=event.at,
    )
    LedgerNode.objects.bulk_create(
        LedgerNode(level=level, index=index, digest=digest) for level, index, digest in completed
    )
    signer = load_or_create_signer(Path(settings.STAYDOWN_LEDGER_KEY_PATH))
    signed = signer.sign(Checkpoint(settings.STAYDOWN_LEDGER_ORIGIN, tree.size, tree.root()))
    recorded = RecordedEvent(head.size, event, salt)
    head.size, head.root = signed.checkpoint.size, signed.checkpoint.root
    head.checkpoint, head.vkey = signed.text, signed.vkey
    head.save(update_fields=["size", "root", "checkpoint", "vkey"])
    return recorded


def _locked_head() -> LedgerHead:
    """The head, locked until the transaction ends; on SQLite the transaction itself is the lock."""
    head, _ = LedgerHead.objects.select_for_update().get_or_create(
        pk=HEAD_ID, defaults={"size": 0, "root": rules.EMPTY_ROOT, "checkpoint": "", "vkey": ""}
    )
    return head


def _growing_tree(head: LedgerHead) -> rules.GrowingTree:
    edge = stored_nodes(rules.frontier(head.size))
    tree = rules.GrowingTree(size=head.size, edge={level: digest for (level, _), digest in edge.items()})
    if tree.root() != bytes(head.root):
        raise LogDamaged("the stored tree", "does not lead to the stored root; nothing more is signed")
    return tree


def erase(subject: str, *, now: datetime) -> RecordedEvent:
    """Deletes what opens a subject's entries and records that, with how many entries it was.

    The commitments stay, so every proof and checkpoint still holds; the entries cannot be opened or
    attributed any more. Erasing again is recorded too, with zero entries. Receipts already handed out keep
    working for whoever holds them.
    """
    if not transaction.get_connection().in_atomic_block:
        raise LedgerNeedsTransaction
    _locked_head()
    entries = (
        LedgerEntry.objects.filter(subject=subject)
        .exclude(kind=ERASURE_KIND)
        .update(salt=None, event=None, subject=None)
    )
    return record(LedgerEvent(ERASURE_KIND, now, subject, {"entries": entries}))
