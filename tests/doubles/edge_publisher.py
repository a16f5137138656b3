"""An installation that publishes edge banks into the in-memory twin: real files, a real signature."""

import hashlib
import tempfile
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from staydown import signed_note
from staydown.client.edge_digests import digests_as_bytes
from staydown.client.edge_manifest import EdgeFile, EdgeManifest
from staydown.matching import Index
from tests.doubles.staydown_server import StaydownDouble

NAME = "staydown.test/ledger"


class EdgePublisher:
    """`public_key` is what a client pins."""

    def __init__(self, double: StaydownDouble) -> None:
        self._double = double
        self._key = Ed25519PrivateKey.generate()
        self.public_key = signed_note.vkey_of(NAME, self._key.public_key().public_bytes_raw())

    def publish(
        self,
        codes: Iterable[bytes] = (),
        digests: Iterable[tuple[bytes, bool]] = (),
        *,
        sequence: int,
        at: datetime,
        life: timedelta = timedelta(hours=24),
    ) -> EdgeManifest:
        """Replaces what is published. digests: SHA-256 and whether its entry is confirmed."""
        rows, listed = list(codes), list(digests)
        self._double.edge.clear()
        manifest = EdgeManifest(
            made_at=at,
            expires_at=at + life,
            sequence=sequence,
            codes=self._put("codes", "index", index_bytes(rows), count=len(rows)),
            digests=self._put("digests", "bin", digests_as_bytes(listed), count=len(listed)),
        )
        self.sign(manifest.text())
        return manifest

    def sign(self, text: str) -> None:
        """Publishes any text as the manifest."""
        note = signed_note.sign_note(text, name=NAME, private_key=self._key)
        self._double.edge["manifest"] = note.encode()

    def _put(self, kind: str, suffix: str, content: bytes, *, count: int) -> EdgeFile:
        sha256 = hashlib.sha256(content).hexdigest()
        name = f"{kind}-{sha256[:16]}.{suffix}"
        self._double.edge[name] = content
        return EdgeFile(name, sha256, len(content), count)


def index_bytes(codes: list[bytes]) -> bytes:
    """An index file with these codes."""
    index = Index()
    if codes:
        rows = np.frombuffer(b"".join(codes), np.uint8).reshape(-1, 32)
        index.add(rows, np.arange(len(rows), dtype=np.uint64))
    with tempfile.TemporaryDirectory() as folder:
        index.save(Path(folder) / "index")
        return (Path(folder) / "index").read_bytes()
