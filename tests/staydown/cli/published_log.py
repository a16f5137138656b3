"""A small log as its folder and a receipt from it, made without a database."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from staydown.ledger import checkpoint as forms
from staydown.ledger import rules
from staydown.ledger.terms import Checkpoint, LedgerEvent, RecordedEvent

ORIGIN = "forum.example/ledger"
SIGNER = forms.Signer(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
VKEY = SIGNER.vkey(ORIGIN)
AT = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
ALICE = {
    2: LedgerEvent("request.received", AT, "R-7K4M-2Q9X", {"copies": 2}),
    4: LedgerEvent(
        "request.decided", AT + timedelta(hours=26, minutes=10), "R-7K4M-2Q9X", {"decision": "removed"}
    ),
}


def _salt(index: int) -> bytes:
    return hashlib.sha256(b"salt %d" % index).digest()


def made_entries(count: int) -> list[bytes]:
    """Commitments of a log in which entries 2 and 4 are Alice's."""
    entries = []
    for index in range(count):
        event = ALICE.get(index) or LedgerEvent("request.received", AT, f"R-0000-{index:04d}")
        entries.append(rules.commitment_of(rules.event_document(event), salt=_salt(index)))
    return entries


class MadeLog:
    """A log over some entries, with every node it needs."""

    def __init__(self, entries: Sequence[bytes], *, signer: forms.Signer = SIGNER) -> None:
        self.entries = list(entries)
        self.nodes: dict[tuple[int, int], bytes] = {}
        for index, entry in enumerate(entries):
            for level, place, digest in rules.nodes_completed_by(index, rules.leaf_digest(entry), self.node):
                self.nodes[level, place] = digest
        root = rules.tree_root(len(entries), self.node)
        self.signed = signer.sign(Checkpoint(ORIGIN, len(entries), root))

    def node(self, level: int, index: int) -> bytes:
        return self.nodes[level, index]

    def receipt(self, path: Path) -> Path:
        """Writes Alice's receipt."""
        size = len(self.entries)
        document = forms.receipt_document(
            subject="R-7K4M-2Q9X",
            signed=self.signed,
            events=[
                (RecordedEvent(index, event, _salt(index)), rules.inclusion_proof(index, size, self.node))
                for index, event in ALICE.items()
            ],
        )
        path.write_text(json.dumps(document, indent=1), encoding="utf-8")
        return path

    def publish(self, folder: Path) -> Path:
        """Writes the log's folder."""
        for level, index, width in forms.tiles_of(len(self.entries)):
            start = index * 256
            places = range(start, start + width)
            tile = b"".join(self.node(8 * level, place) for place in places)
            self._write(folder / forms.tile_path(level, index, width=width), tile)
            if level == 0:
                bundle = forms.entry_bundle(self.entries[start : start + width])
                self._write(folder / forms.tile_path("entries", index, width=width), bundle)
        self._write(folder / "checkpoint", self.signed.text.encode())
        self._write(folder / "vkey", f"{self.signed.vkey}\n".encode())
        return folder

    @staticmethod
    def _write(path: Path, content: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
