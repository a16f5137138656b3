"""The folder of an edge bank: what is loaded from it is verified, what is put into it replaces the old whole.

It refuses, by name, a manifest that is not signed, has expired or goes back, and a file that is not as
signed.
"""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from staydown.client import protocol
from staydown.client.edge_digests import EdgeDigests
from staydown.client.edge_manifest import (
    MANIFEST_NAME,
    EdgeFile,
    EdgeManifest,
    entity_tag,
    is_file_name,
    read_manifest,
)
from staydown.client.errors import EdgeBankEmpty, EdgeError, EdgeFileRefused, EdgeManifestRefused
from staydown.client.sync_client import Staydown
from staydown.matching import Index, MatchingError

# Which file a path leads to, and since when.
Identity = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class HeldEdgeBank:
    """One edge bank, verified and mapped. `identity` is that of its manifest's file."""

    identity: Identity
    note: str
    manifest: EdgeManifest
    index: Index
    digests: EdgeDigests


class EdgeFolder:
    """A folder that any number of processes load from, and of which one at a time fetches into it."""

    def __init__(self, path: Path, *, public_key: str) -> None:
        self._path = path
        self._public_key = public_key

    def identity(self) -> Identity | None:
        """Which manifest lies there now; None if there is none. Costs one stat."""
        try:
            seen = (self._path / MANIFEST_NAME).stat()
        except FileNotFoundError:
            return None
        return seen.st_ino, seen.st_mtime_ns, seen.st_size

    def load(self) -> HeldEdgeBank:
        """What lies there, verified to the last byte: 1 GB takes about a second.

        Raises EdgeBankEmpty, EdgeManifestRefused, EdgeFileRefused.
        """
        identity = self.identity()
        if identity is None:
            raise EdgeBankEmpty
        try:
            return self._load(identity)
        except EdgeError:
            if self.identity() == identity:
                raise
            # Another process has put a newer one there meanwhile, and deleted the files of this one.
            return self.load()

    def fetch(
        self, client: Staydown, *, held: HeldEdgeBank | None, now: datetime, timeout_ms: float
    ) -> HeldEdgeBank | None:
        """Fetch a newer edge bank than the one that is held; None if there is none.

        Raises EdgeManifestRefused, EdgeFileRefused, and what `Staydown.ask` raises. What lies there then
        stays.
        """
        with self._locked():
            if held is None or held.identity != self.identity():
                held = self._sound()
            known = held.manifest if held else self._known()
            answer = client.ask(protocol.edge_manifest_request(entity_tag(held.note) if held else None))
            if answer.status == 304:
                return None
            note = _text_of(answer.body)
            manifest = read_manifest(note, public_key=self._public_key)
            if manifest.expires_at <= now:
                raise EdgeManifestRefused("it has expired")
            if known is not None and (manifest.sequence < known.sequence or manifest.made_at < known.made_at):
                raise EdgeManifestRefused("it is older than the one that is held")
            for file in (manifest.codes, manifest.digests):
                self._fetch_file(file, client, timeout_ms=timeout_ms)
            self._open(manifest)  # refused before anybody reads the manifest
            self._put_manifest(note)
            fetched = self.load()
            self._tidy_up(manifest)
            return fetched

    def _sound(self) -> HeldEdgeBank | None:
        try:
            return self.load()
        except EdgeError:
            return None  # empty or damaged: everything is fetched anew

    def _known(self) -> EdgeManifest | None:
        """The manifest that was accepted last, even if its files are damaged: no older one may follow it."""
        try:
            note = _text_of((self._path / MANIFEST_NAME).read_bytes())
            return read_manifest(note, public_key=self._public_key)
        except (OSError, EdgeManifestRefused):
            return None

    def _load(self, identity: Identity) -> HeldEdgeBank:
        try:
            note = _text_of((self._path / MANIFEST_NAME).read_bytes())
        except OSError as error:
            raise EdgeFileRefused(MANIFEST_NAME, f"it could not be read: {error.strerror}") from None
        manifest = read_manifest(note, public_key=self._public_key)
        for file in (manifest.codes, manifest.digests):
            _check_file(self._path / file.name, file)
        index, digests = self._open(manifest)
        return HeldEdgeBank(identity, note, manifest, index, digests)

    def _open(self, manifest: EdgeManifest) -> tuple[Index, EdgeDigests]:
        name = manifest.codes.name
        try:
            index = Index.open(self._path / name)
            name = manifest.digests.name
            return index, EdgeDigests(self._path / name)
        except (MatchingError, OSError, ValueError) as error:
            raise EdgeFileRefused(name, f"it could not be opened ({type(error).__name__})") from None

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._path.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(self._path / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)  # closing releases the lock

    def _fetch_file(self, file: EdgeFile, client: Staydown, *, timeout_ms: float) -> None:
        path = self._path / file.name
        try:
            _check_file(path, file)
            return  # it lies there already
        except EdgeFileRefused:
            draft = path.with_suffix(".new")
        request = protocol.edge_file_request(file.name, size_bytes=file.size_bytes)
        try:
            with draft.open("wb") as target:
                client.ask(request, into=target, timeout_ms=timeout_ms)
                target.flush()
                os.fsync(target.fileno())
            _check_file(draft, file)
            draft.replace(path)
        except OSError as error:
            raise EdgeFileRefused(file.name, f"it could not be written: {error.strerror}") from None
        finally:
            draft.unlink(missing_ok=True)

    def _put_manifest(self, note: str) -> None:
        draft = self._path / f"{MANIFEST_NAME}.new"
        try:
            with draft.open("wb") as target:
                target.write(note.encode())
                target.flush()
                os.fsync(target.fileno())
            draft.replace(self._path / MANIFEST_NAME)
        except OSError as error:
            draft.unlink(missing_ok=True)
            raise EdgeFileRefused(MANIFEST_NAME, f"it could not be written: {error.strerror}") from None

    def _tidy_up(self, manifest: EdgeManifest) -> None:
        """Deletes files of older banks; whoever has them mapped keeps them until they let go."""
        kept = (manifest.codes.name, manifest.digests.name)
        for path in self._path.iterdir():
            if is_file_name(path.name) and path.name not in kept:
                path.unlink(missing_ok=True)


def _check_file(path: Path, file: EdgeFile) -> None:
    try:
        with path.open("rb") as opened:
            size_bytes = os.fstat(opened.fileno()).st_size
            if size_bytes != file.size_bytes:
                raise EdgeFileRefused(file.name, "it has not the size that is signed")
            if hashlib.file_digest(opened, "sha256").hexdigest() != file.sha256:
                raise EdgeFileRefused(file.name, "it has not the digest that is signed")
    except OSError as error:
        raise EdgeFileRefused(file.name, f"it could not be read: {error.strerror}") from None


def _text_of(note: bytes) -> str:
    try:
        return note.decode("utf-8")
    except UnicodeDecodeError:
        raise EdgeManifestRefused("it is not UTF-8") from None
