"""Words of the evidence stage. Everything here is locked; the server holds no key to it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LockedFile:
    """One attachment of private notes, as it is stored. `size_bytes` is of the locked file."""

    id: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class LockedNotes:
    """A case's private notes. `wrapped` holds the notes' identity, locked by each key phrase, by kind of key.

    `document` and the values of `wrapped` are age files; `recipient` is the public half of the identity.
    `revision` counts the saves.
    """

    recipient: str
    wrapped: dict[str, bytes]
    document: bytes
    revision: int
    files: tuple[LockedFile, ...]
