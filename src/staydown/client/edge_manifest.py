"""What an edge bank consists of, as the installation signs it: one text, read and written here by both sides.

Pure. It refuses every manifest that is not signed by the pinned key or says something that it does not
understand.
"""

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from staydown.client.errors import ClientMisconfigured, EdgeManifestRefused
from staydown.signed_note import NoteError, VerifierKeyMalformed, open_note, read_vkey

# The first line of the signed text. A checkpoint's is the log's origin, so neither passes for the other.
FORMAT = "staydown-edge/1"
# Names under which it is published and kept.
MANIFEST_NAME = "manifest.note"
_FILE_NAME = re.compile(r"(codes|digests)-[0-9a-f]{16}\.(index|bin)")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class EdgeFile:
    """One file of an edge bank. Its name begins with what it is and carries the beginning of its digest."""

    name: str
    sha256: str
    size_bytes: int
    count: int
    """How many codes or digests it holds."""


@dataclass(frozen=True, slots=True)
class EdgeManifest:
    """Which files make up the edge bank, from which state of the bank, and until when they may be used."""

    made_at: datetime
    expires_at: datetime
    sequence: int
    """The bank's change sequence number up to which changes are in it."""
    codes: EdgeFile
    digests: EdgeFile

    def text(self) -> str:
        """What is signed: the format, then one line of JSON."""
        document = {
            "made_at": self.made_at.isoformat(),
            "expires_at": self.expires_at.isoformat(),
            "sequence": self.sequence,
            "codes": _file_document(self.codes),
            "digests": _file_document(self.digests),
        }
        return f"{FORMAT}\n{json.dumps(document)}\n"


def check_public_key(vkey: str) -> None:
    """Raise ClientMisconfigured unless this is a verifier key, as the installation's /ledger/vkey is."""
    try:
        read_vkey(vkey)
    except VerifierKeyMalformed as error:
        raise ClientMisconfigured(f"public_key: {error}") from None


def read_manifest(note: str, *, public_key: str) -> EdgeManifest:
    """The manifest in a note signed by this key. Raises EdgeManifestRefused."""
    try:
        text = open_note(note, vkey=public_key)
    except NoteError as error:
        raise EdgeManifestRefused(str(error)) from None
    first, _, rest = text.partition("\n")
    if first != FORMAT:
        raise EdgeManifestRefused(f"it is not of the format {FORMAT}")
    try:
        document = json.loads(rest)
        manifest = EdgeManifest(
            made_at=_time(document["made_at"]),
            expires_at=_time(document["expires_at"]),
            sequence=_count(document["sequence"]),
            codes=_file(document["codes"]),
            digests=_file(document["digests"]),
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        raise EdgeManifestRefused("it is signed, and not understood") from None
    return manifest


def entity_tag(note: str) -> str:
    """The ETag of a published manifest: whoever holds the note can ask for a newer one."""
    return f'"{hashlib.sha256(note.encode()).hexdigest()}"'


def is_file_name(name: str) -> bool:
    """Whether a published file can have this name; no path, nothing hidden."""
    return bool(_FILE_NAME.fullmatch(name))


def _file_document(file: EdgeFile) -> dict[str, object]:
    return {"name": file.name, "sha256": file.sha256, "size_bytes": file.size_bytes, "count": file.count}


def _file(document: Any) -> EdgeFile:
    name, sha256 = document["name"], document["sha256"]
    if not (isinstance(name, str) and is_file_name(name)):
        raise ValueError("not a name")
    if not (isinstance(sha256, str) and _SHA256.fullmatch(sha256)):
        raise ValueError("not a digest")
    return EdgeFile(name, sha256, _count(document["size_bytes"]), _count(document["count"]))


def _count(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError("not a count")
    return value


def _time(value: Any) -> datetime:
    at = datetime.fromisoformat(value)
    if at.tzinfo is None:
        raise ValueError("a time without a zone")
    return at.astimezone(UTC)
