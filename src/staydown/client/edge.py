"""The edge bank: a signed copy of the codes, kept by the platform and searched without the network.

A near match holds and never blocks: here nobody can ask which entry it is, or if it was withdrawn a minute
ago.
"""

import logging
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np

from staydown.client.edge_folder import EdgeFolder, HeldEdgeBank, Identity
from staydown.client.edge_manifest import check_public_key
from staydown.client.errors import (
    ClientMisconfigured,
    EdgeBankExpired,
    EdgeError,
    EdgeMediaNotReadable,
)
from staydown.client.media import Computed
from staydown.client.protocol import is_as_it_is
from staydown.client.sync_client import Staydown
from staydown.client.terms import Action, CheckResult
from staydown.fingerprint import MIN_QUALITY, FingerprintError, SandboxPool
from staydown.fingerprint.media import digests_of_bytes
from staydown.fingerprint.terms import MediaFingerprints, QueryFingerprints
from staydown.fingerprint.video_terms import VideoFingerprints
from staydown.matching import DEFAULT_THRESHOLD_BITS

logger = logging.getLogger("staydown.client")

IfExpired = Literal["raise", "use"]
# An edge bank of a million codes is some hundred MB: a minute or two on an ordinary line.
REFRESH_MS = 600_000


@dataclass(frozen=True, slots=True)
class EdgeResult:
    """What the edge bank says of one upload: how near the nearest code is, and no more; it knows no entries.

    `action` is "block" only for the exact file of a confirmed entry, and at most "hold" for all else.
    """

    action: Action
    kind: Literal["exact", "near"] | None
    """None if nothing was found."""
    distance_bits: int | None
    """0..31, 0 for the exact file; None if nothing was found."""
    is_expired: bool
    """The bank is older than it may be, and was used because the platform said so."""
    made_at: datetime


def utc_now() -> datetime:
    """The time, aware."""
    return datetime.now(UTC)


class EdgeBank:
    """The edge bank in a folder. Thread-safe; processes that share a folder share the memory of its files.

    `public_key` is the installation's verifier key ("name+12345678+AbCd..."): get it once, from somebody you
    trust. `if_expired`: "raise" EdgeBankExpired, or "use" it, which the result
    says. Raises ClientMisconfigured.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        *,
        public_key: str,
        if_expired: IfExpired = "raise",
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        check_public_key(public_key)
        if if_expired not in ("raise", "use"):
            raise ClientMisconfigured('if_expired must be "raise" or "use"')
        self._folder = EdgeFolder(Path(folder), public_key=public_key)
        self._if_expired: IfExpired = if_expired
        self._now = now
        self._held: HeldEdgeBank | None = None
        self._refused: Identity | None = None
        self._loading = threading.Lock()
        self._starting = threading.Lock()
        self._pools: dict[int, SandboxPool] = {}

    def refresh(self, client: Staydown, *, timeout_ms: float = REFRESH_MS) -> bool:
        """Fetch a newer edge bank if there is one; whether there was.

        The client's token needs the scope "edge". `timeout_ms` is for each file. What is held goes on
        answering until the new one is there whole, and if it is refused. Several processes may call it: one
        fetches, the others then find nothing new.

        Raises EdgeManifestRefused, EdgeFileRefused, and what `Staydown.check` raises.
        """
        fetched = self._folder.fetch(client, held=self._held, now=self._now(), timeout_ms=timeout_ms)
        if fetched is not None:
            self._held = fetched
        return fetched is not None

    def check(self, fingerprints: Computed) -> EdgeResult:
        """Look one upload up, without the network.

        Raises EdgeBankEmpty, EdgeBankExpired, and EdgeManifestRefused or EdgeFileRefused if what lies in the
        folder is damaged and nothing sound was loaded before.
        """
        held = self._current()
        is_expired = self._now() >= held.manifest.expires_at
        if is_expired and self._if_expired == "raise":
            raise EdgeBankExpired
        made_at = held.manifest.made_at
        digest = fingerprints.digests.sha256
        is_confirmed = held.digests.is_confirmed(bytes.fromhex(digest)) if digest else None
        if is_confirmed is not None:
            return EdgeResult(Action.BLOCK if is_confirmed else Action.HOLD, "exact", 0, is_expired, made_at)
        codes = _sought(fingerprints)
        if codes:
            rows = np.frombuffer(b"".join(codes), np.uint8).reshape(-1, 32)
            distances = held.index.search(rows, DEFAULT_THRESHOLD_BITS).distance_bits
            if len(distances):
                return EdgeResult(Action.HOLD, "near", int(distances.min()), is_expired, made_at)
        return EdgeResult(Action.ALLOW, None, None, is_expired, made_at)

    def answer(self, media: bytes | BinaryIO | Computed) -> CheckResult:
        """The same in place of an answer of the server, degraded, with the reason "edge". For `Staydown`.

        A picture is fingerprinted in a process of its own. Of a video, or of what cannot be read here, only
        the exact file is found; otherwise EdgeMediaNotReadable. Raises EdgeError.
        """
        if isinstance(media, Computed):
            result = self.check(media)
        else:
            data = media if isinstance(media, bytes) else _whole(media)
            digests = MediaFingerprints("image", digests_of_bytes(data), None, None, ())
            result = self.check(digests)
            if result.kind is None:
                result = self.check(self._fingerprints(data))
        return CheckResult(action=result.action, degraded=True, degraded_reason="edge")

    def close(self) -> None:
        """Ends this process's decoding process, if there is one."""
        pool = self._pools.pop(os.getpid(), None)
        if pool is not None:
            pool.close()

    def _current(self) -> HeldEdgeBank:
        """The newest bank of the folder; the one before it if the newest is damaged or gone.

        One thread verifies a new one, which takes a while; the others go on with the one before it.
        """
        identity = self._folder.identity()
        held = self._held
        if held is not None and identity in (held.identity, self._refused, None):
            return held
        if held is None:
            self._loading.acquire()
        elif not self._loading.acquire(blocking=False):
            return held
        try:
            if self._held is not None and self._held.identity == identity:
                return self._held  # another thread was first
            try:
                self._held = held = self._folder.load()
            except EdgeError as error:
                if held is None:
                    raise
                self._refused = identity
                logger.error("a new edge bank was refused, the one before it goes on: %s", error)
            return held
        finally:
            self._loading.release()

    def _fingerprints(self, data: bytes) -> QueryFingerprints:
        """Raises EdgeMediaNotReadable."""
        with self._starting:  # a fork's child has a decoding process of its own
            pool = self._pools.get(os.getpid()) or SandboxPool(workers=1)
            self._pools[os.getpid()] = pool
        try:
            return pool.query(data)
        except FingerprintError:
            raise EdgeMediaNotReadable from None


def _sought(fingerprints: Computed) -> list[bytes]:
    """The codes to look for: of enough detail, and unturned; the bank holds the turned ones."""
    match fingerprints:
        case QueryFingerprints():
            return [view.fingerprint.code for view in fingerprints.sought()]
        case VideoFingerprints():
            found = [frame.fingerprint for frame in fingerprints.frames if is_as_it_is(frame)]
        case MediaFingerprints():
            found = [one for one in fingerprints.fingerprints if one.derivation == "full"]
    return [one.code for one in found if one.quality >= MIN_QUALITY]


def _whole(file: BinaryIO) -> bytes:
    try:
        file.seek(0)
        return file.read()
    except OSError:
        raise EdgeMediaNotReadable from None
