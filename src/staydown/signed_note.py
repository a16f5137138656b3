"""Signed notes (C2SP signed-note): a text and Ed25519 signatures of it, for the ledger and the edge bank.

Pure. It refuses every second spelling of the same bytes, and knows nothing of what a text means: whoever
signs two kinds of text with one key must make them differ in their first line.
"""

from __future__ import annotations

import base64
import binascii
import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from staydown.errors import StaydownError

_ED25519 = b"\x01"  # signature type of the signed-note specification
_KEY_ID_BYTES = 4
_MAX_NOTE_BYTES = 200_000  # 16 signatures of 5 kB, which verifiers must accept, with room to spare


class NoteError(StaydownError):
    """A text that is not a note signed by the key."""


class NoteMalformed(NoteError):
    """It is no signed note at all; `reason` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The note is damaged: {reason}.")
        self.reason = reason


class VerifierKeyMalformed(NoteError):
    """A text that is not a verifier key for Ed25519, or a name that no key can have."""

    def __init__(self) -> None:
        super().__init__("The verifier key is malformed; it looks like name+12345678+AbCd...")


class NoteNotSigned(NoteError):
    """No signature of this key stands under the note, or one that is wrong."""

    def __init__(self) -> None:
        super().__init__("The note is not signed by this key.")


def to_base64(data: bytes) -> str:
    """The one canonical spelling."""
    return base64.b64encode(data).decode("ascii")


def from_base64(text: str) -> bytes | None:
    """The bytes, or None unless the text is their one canonical spelling."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if to_base64(data) == text else None


def read_vkey(vkey: str) -> tuple[str, bytes]:
    """Name and 32-byte public key of a verifier key. Raises VerifierKeyMalformed."""
    parts = vkey.split("+", 2)
    if len(parts) != 3 or not _is_key_name(parts[0]):
        raise VerifierKeyMalformed
    name, key_id, encoded = parts
    key = from_base64(encoded)
    if key is None or len(key) != 33 or key[:1] != _ED25519 or _key_id(name, key[1:]).hex() != key_id:
        raise VerifierKeyMalformed
    return name, key[1:]


def vkey_of(name: str, public_key: bytes) -> str:
    """The verifier key of a 32-byte public key under a name. Raises VerifierKeyMalformed for a bad name."""
    if not _is_key_name(name):
        raise VerifierKeyMalformed
    return f"{name}+{_key_id(name, public_key).hex()}+{to_base64(_ED25519 + public_key)}"


def sign_note(text: str, *, name: str, private_key: Ed25519PrivateKey) -> str:
    """The text, which ends with a line end, as a note signed under this name.

    The same text gives the same note. Raises VerifierKeyMalformed for a bad name.
    """
    if not _is_key_name(name):
        raise VerifierKeyMalformed
    public_key = private_key.public_key().public_bytes_raw()
    signature = _key_id(name, public_key) + private_key.sign(text.encode())
    return f"{text}\n— {name} {to_base64(signature)}\n"


def open_note(note: str, *, vkey: str) -> str:
    """The note's text, signed by this key; other keys' signatures are ignored, as the specification asks.

    Raises NoteMalformed, VerifierKeyMalformed, NoteNotSigned.
    """
    name, public_key = read_vkey(vkey)
    try:
        encoded = note.encode("utf-8")
    except UnicodeEncodeError as error:
        raise NoteMalformed("it is not UTF-8") from error
    if len(encoded) > _MAX_NOTE_BYTES or any(c < " " and c != "\n" for c in note):
        raise NoteMalformed("it is too long or has control characters")
    text, separator, signatures = note.rpartition("\n\n")
    if not separator or not signatures.endswith("\n"):
        raise NoteMalformed("it has no signatures")
    text += "\n"
    key, signed = Ed25519PublicKey.from_public_bytes(public_key), False
    for line in signatures[:-1].split("\n"):
        parts = line.split(" ")
        raw = from_base64(parts[2]) if len(parts) == 3 else None
        if raw is None or len(raw) <= _KEY_ID_BYTES or parts[0] != "—" or not _is_key_name(parts[1]):
            raise NoteMalformed("a signature line is malformed")
        if parts[1] != name or raw[:_KEY_ID_BYTES] != _key_id(name, public_key):
            continue
        try:
            key.verify(raw[_KEY_ID_BYTES:], text.encode())
        except InvalidSignature as error:
            raise NoteNotSigned from error
        signed = True
    if not signed:
        raise NoteNotSigned
    return text


def _key_id(name: str, public_key: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + public_key).digest()[:_KEY_ID_BYTES]


def _is_key_name(name: str) -> bool:
    return bool(name) and "+" not in name and name.isprintable() and not any(c.isspace() for c in name)
