"""The forms in which the ledger leaves the house: signed checkpoints, tiles and receipts. Pure.

A module of its own beside rules.py because these are other people's formats (C2SP signed-note,
tlog-checkpoint, tlog-tiles), which change for other reasons than our tree, and because a receipt must be
checked without Django by whoever holds it. It refuses every second spelling of the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, TypeAlias, cast

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from staydown import signed_note
from staydown.ledger import rules
from staydown.ledger.errors import (
    CheckpointMalformed,
    EventNotRecordable,
    KeyMalformed,
    KeyNotTrusted,
    LogDamaged,
    ReceiptDamaged,
    ReceiptFormatUnknown,
    SignatureDoesNotMatch,
    TileNotAvailable,
)
from staydown.ledger.terms import (
    Checkpoint,
    Json,
    LedgerEvent,
    RecordedEvent,
    SignedCheckpoint,
    VerifiedReceipt,
)
from staydown.signed_note import NoteMalformed, NoteNotSigned, VerifierKeyMalformed, from_base64, to_base64

RECEIPT_FORMAT = "staydown-receipt/1"
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")


# --- keys and signed checkpoints


def read_vkey(vkey: str) -> tuple[str, bytes]:
    """Name and 32-byte public key of a verifier key. Raises KeyMalformed."""
    try:
        return signed_note.read_vkey(vkey)
    except VerifierKeyMalformed as error:
        raise KeyMalformed from error


class Signer:
    """The log's private key. Signing the same text twice gives the same note."""

    def __init__(self, private_key: Ed25519PrivateKey) -> None:
        self._private_key = private_key
        self._public_key = private_key.public_key().public_bytes_raw()

    def vkey(self, name: str) -> str:
        """The verifier key under which a log of this name signs. Raises KeyMalformed for a bad name."""
        try:
            return signed_note.vkey_of(name, self._public_key)
        except VerifierKeyMalformed as error:
            raise KeyMalformed from error

    def sign(self, checkpoint: Checkpoint) -> SignedCheckpoint:
        """The checkpoint as a signed note; the key's name is the log's origin."""
        name = checkpoint.origin
        vkey = self.vkey(name)
        body = f"{name}\n{checkpoint.size}\n{to_base64(checkpoint.root)}\n"
        return SignedCheckpoint(checkpoint, self.sign_note(body, name=name), vkey)

    def sign_note(self, text: str, *, name: str) -> str:
        """Another text of this installation as a signed note.

        Its first line must not be the log's origin: a signature is over the text alone, and no text may pass
        for a checkpoint. Raises KeyMalformed for a bad name.
        """
        try:
            return signed_note.sign_note(text, name=name, private_key=self._private_key)
        except VerifierKeyMalformed as error:
            raise KeyMalformed from error


def open_note(note: str, *, vkey: str) -> str:
    """The note's text, signed by this key; other keys' signatures are ignored, as the specification asks.

    Raises CheckpointMalformed, KeyMalformed, SignatureDoesNotMatch.
    """
    try:
        return signed_note.open_note(note, vkey=vkey)
    except NoteMalformed as error:
        raise CheckpointMalformed(error.reason) from error
    except VerifierKeyMalformed as error:
        raise KeyMalformed from error
    except NoteNotSigned as error:
        raise SignatureDoesNotMatch from error


def open_checkpoint(note: str, *, vkey: str) -> Checkpoint:
    """The checkpoint in a note signed by this key. Raises what open_note raises."""
    lines = open_note(note, vkey=vkey).split("\n")
    if len(lines) < 4 or not all(lines[:-1]):
        raise CheckpointMalformed("it has an empty line or too few lines")
    origin, size, root_text = lines[:3]
    root = from_base64(root_text)
    if not _NUMBER.fullmatch(size) or root is None or len(root) != rules.DIGEST_BYTES:
        raise CheckpointMalformed("its size or root is malformed")
    return Checkpoint(origin, int(size), root)


# --- tiles and entry bundles

TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT
MAX_LEVEL = 63
TileLevel: TypeAlias = int | Literal["entries"]
_TILE = re.compile(r"tile/(entries|[0-9]{1,2})/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([0-9]{1,3}))?")


def tiles_of(size: int) -> Iterator[tuple[int, int, int]]:
    """(level, index, width) of every tile of a tree of this size; level 0 also gives the entry bundles."""
    level = 0
    while count := size >> (TILE_HEIGHT * level):
        for index in range(-(-count // TILE_WIDTH)):
            yield level, index, min(TILE_WIDTH, count - index * TILE_WIDTH)
        level += 1


def tile_path(level: TileLevel, index: int, *, width: int = TILE_WIDTH) -> str:
    """Where a tile is published, such as ``tile/0/x001/x234/067.p/5``."""
    groups = [f"{index % 1000:03d}"]
    while index := index // 1000:
        groups.insert(0, f"x{index % 1000:03d}")
    suffix = "" if width == TILE_WIDTH else f".p/{width}"
    return f"tile/{level}/{'/'.join(groups)}{suffix}"


def read_tile_path(path: str) -> tuple[TileLevel, int, int]:
    """Level, index and width of a published path. Raises TileNotAvailable for any other spelling."""
    found = _TILE.fullmatch(path)
    if found is None:
        raise TileNotAvailable
    level: TileLevel = "entries" if found[1] == "entries" else int(found[1])
    index = int(found[2].replace("x", "").replace("/", ""))
    width = int(found[3]) if found[3] else TILE_WIDTH
    in_range = (level == "entries" or level <= MAX_LEVEL) and 1 <= width <= TILE_WIDTH
    if not in_range or tile_path(level, index, width=width) != path:
        raise TileNotAvailable
    return level, index, width


def entry_bundle(entries: Sequence[bytes]) -> bytes:
    """Entries, each after its length as two big-endian bytes."""
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def read_entry_bundle(data: bytes, *, path: str) -> list[bytes]:
    """The entries of a bundle of our log, each 32 bytes. Raises LogDamaged."""
    step = 2 + rules.DIGEST_BYTES
    starts = range(0, len(data), step)
    for number, start in enumerate(starts):
        if data[start : start + 2] != rules.DIGEST_BYTES.to_bytes(2, "big") or start + step > len(data):
            raise LogDamaged(f"{path}, entry {number} of the file,", "has a wrong length")
    return [data[start + 2 : start + step] for start in starts]


# --- receipts


def receipt_document(
    *,
    subject: str,
    signed: SignedCheckpoint,
    events: Sequence[tuple[RecordedEvent, Sequence[bytes]]],
) -> dict[str, Json]:
    """The receipt as JSON: events with their inclusion proofs under one signed checkpoint."""
    return {
        "format": RECEIPT_FORMAT,
        "subject": subject,
        "log": {"origin": signed.checkpoint.origin, "vkey": signed.vkey},
        "checkpoint": signed.text,
        "events": [
            {
                "event": rules.event_document(recorded.event),
                "salt": to_base64(recorded.salt),
                "index": recorded.index,
                "proof": [to_base64(digest) for digest in proof],
            }
            for recorded, proof in events
        ],
    }


def verify_receipt(receipt: Mapping[str, object], *, trusted_vkey: str | None) -> VerifiedReceipt:
    """Checks a receipt by itself, without the log and without a network.

    With `trusted_vkey` the receipt must be signed by that key. Without it the key is the receipt's own, which
    shows only that the receipt agrees with itself: whoever made it could have made that key.
    Raises ReceiptFormatUnknown, ReceiptDamaged, CheckpointMalformed, KeyMalformed, KeyNotTrusted,
    SignatureDoesNotMatch or ProofDoesNotMatch.
    """
    if receipt.get("format") != RECEIPT_FORMAT:
        raise ReceiptFormatUnknown
    _check_members(receipt, "the receipt", "format", "subject", "log", "checkpoint", "events")
    log = receipt["log"]
    if not isinstance(log, dict):
        raise ReceiptDamaged("log", "is not an object")
    _check_members(log, "log", "origin", "vkey")
    subject = _text(receipt["subject"], "subject")
    origin, vkey = _text(log["origin"], "log.origin"), _text(log["vkey"], "log.vkey")
    text = _text(receipt["checkpoint"], "checkpoint")
    name, _ = read_vkey(vkey)
    if trusted_vkey is not None:
        read_vkey(trusted_vkey)
        if trusted_vkey != vkey:
            raise KeyNotTrusted
    checkpoint = open_checkpoint(text, vkey=vkey)
    if not checkpoint.origin == origin == name:
        raise ReceiptDamaged("log.origin", "is not the log of the checkpoint")
    rows = receipt["events"]
    if not isinstance(rows, list) or not rows:
        raise ReceiptDamaged("events", "holds no events")
    events: list[RecordedEvent] = []
    for position, row in enumerate(rows):
        recorded = _proved_event(row, where=f"events[{position}]", checkpoint=checkpoint)
        if recorded.event.subject != subject:
            raise ReceiptDamaged(f"events[{position}]", "is about another subject")
        if events and recorded.index <= events[-1].index:
            raise ReceiptDamaged(f"events[{position}]", "is out of order")
        events.append(recorded)
    return VerifiedReceipt(
        subject=subject,
        events=tuple(events),
        tree_size=checkpoint.size,
        origin=origin,
        key_pinned=trusted_vkey is not None,
        signed=SignedCheckpoint(checkpoint, text, vkey),
    )


def _proved_event(row: object, *, where: str, checkpoint: Checkpoint) -> RecordedEvent:
    if not isinstance(row, dict):
        raise ReceiptDamaged(where, "is not an object")
    _check_members(row, where, "event", "salt", "index", "proof")
    document, index, steps = row["event"], row["index"], row["proof"]
    if not isinstance(document, dict) or type(index) is not int or not isinstance(steps, list):
        raise ReceiptDamaged(where, "has a member of the wrong kind")
    salt = _bytes(row["salt"], f"{where}.salt")
    proof = [_bytes(step, f"{where}.proof") for step in steps]
    try:
        event: LedgerEvent = rules.event_from_document(cast("dict[str, Json]", document))
        commitment = rules.commitment_of(document, salt=salt)
    except EventNotRecordable as error:
        raise ReceiptDamaged(f"{where}.event", "is not an event of a Staydown log") from error
    rules.check_inclusion(
        rules.leaf_digest(commitment), index=index, size=checkpoint.size, proof=proof, root=checkpoint.root
    )
    return RecordedEvent(index, event, salt)


def _check_members(value: Mapping[str, object], where: str, *names: str) -> None:
    if set(value) != set(names):
        raise ReceiptDamaged(where, "lacks a member or has one too many")


def _text(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise ReceiptDamaged(where, "is not text")
    return value


def _bytes(value: object, where: str) -> bytes:
    data = from_base64(value) if isinstance(value, str) else None
    if data is None or len(data) != 32:
        raise ReceiptDamaged(where, "is not 32 bytes in base64")
    return data
