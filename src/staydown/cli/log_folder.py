"""Recomputes a published log from a folder in tlog-tiles layout. Needs neither Django nor a network.

It trusts nothing in the folder except what adds up to a checkpoint signed by the expected key, and says
which file, and where in it, does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from staydown.ledger import checkpoint as forms
from staydown.ledger import rules
from staydown.ledger.errors import LogDamaged, ProofDoesNotMatch, ReceiptRefused
from staydown.ledger.terms import Checkpoint


@dataclass(frozen=True, slots=True)
class _WrongTile:
    """The first published digest that is not the computed one, and the entries below it."""

    path: str
    position: int
    entries: range


def check_folder(folder: Path, *, vkey: str, held: Checkpoint) -> Checkpoint:
    """The folder's own checkpoint, once everything in it adds up and continues the checkpoint `held`.

    Raises LogDamaged, or ProofDoesNotMatch if the log is sound but is not the one that signed `held`.
    """
    head = _signed_head(folder, vkey=vkey)
    if head.origin != held.origin:
        raise LogDamaged(f"{folder / 'checkpoint'}", "belongs to another log")
    if head.size < held.size:
        raise LogDamaged(f"{folder / 'checkpoint'}", "is older than the receipt; fetch the log again")
    tree, past = rules.GrowingTree(), None
    wrong: _WrongTile | None = None
    tiles: dict[int, list[bytes]] = {}
    for level, number, width in forms.tiles_of(head.size):
        if level > 0:
            break
        path = forms.tile_path("entries", number, width=width)
        for entry in _entries(folder, path, width=width):
            for height, _, digest in tree.add(rules.leaf_digest(entry)):
                if height % forms.TILE_HEIGHT == 0:
                    tiles.setdefault(height // forms.TILE_HEIGHT, []).append(digest)
            if tree.size == held.size:
                past = tree.root()
        leaves = tiles.pop(0)
        wrong = wrong or _first_wrong(folder, 0, number, leaves)
    for level, number, width in forms.tiles_of(head.size):
        if level > 0:
            start = number * forms.TILE_WIDTH
            nodes = tiles[level][start : start + width]
            wrong = wrong or _first_wrong(folder, level, number, nodes)
    _judge(folder, wrong, sound=tree.root() == head.root)
    if (past if held.size else rules.EMPTY_ROOT) != held.root:
        raise ProofDoesNotMatch
    return head


def _judge(folder: Path, wrong: _WrongTile | None, *, sound: bool) -> None:
    """Says what is damaged: the tile if the entries lead to the signed root, else the entries."""
    if sound and wrong:
        raise LogDamaged(f"{folder / wrong.path}, digest {wrong.position} of the file,", "was changed")
    if sound:
        return
    if wrong and len(wrong.entries) == 1:
        bundle = wrong.path.replace("tile/0/", "tile/entries/")
        where = (
            f"{folder / bundle}, entry {wrong.position} of the file (entry {wrong.entries[0]} of the log),"
        )
        raise LogDamaged(where, "was changed")
    if wrong:
        raise LogDamaged(
            f"{folder}, one of the entries {wrong.entries[0]} to {wrong.entries[-1]},", "was changed"
        )
    raise LogDamaged(f"{folder}", "was rewritten: its entries do not lead to its signed checkpoint")


def _signed_head(folder: Path, *, vkey: str) -> Checkpoint:
    # Not part of tlog-tiles: a log fetched from its web server comes without it.
    if (folder / "vkey").exists() and _read(folder, "vkey") != vkey.encode() + b"\n":
        raise LogDamaged(f"{folder / 'vkey'}", "is not the key of the receipt")
    try:
        return forms.open_checkpoint(_read(folder, "checkpoint").decode("utf-8"), vkey=vkey)
    except UnicodeDecodeError as error:
        raise LogDamaged(f"{folder / 'checkpoint'}", "is not text") from error
    except ReceiptRefused as error:
        raise LogDamaged(f"{folder / 'checkpoint'}", f"was refused: {error}") from error


def _entries(folder: Path, path: str, *, width: int) -> list[bytes]:
    entries = forms.read_entry_bundle(_read(folder, path), path=f"{folder / path}")
    if len(entries) != width:
        raise LogDamaged(f"{folder / path}", f"has {len(entries)} entries instead of {width}")
    return entries


def _first_wrong(folder: Path, level: int, number: int, digests: list[bytes]) -> _WrongTile | None:
    path = forms.tile_path(level, number, width=len(digests))
    published = _read(folder, path)
    if len(published) != len(digests) * rules.DIGEST_BYTES:
        raise LogDamaged(f"{folder / path}", "has a wrong length")
    for position, digest in enumerate(digests):
        start = position * rules.DIGEST_BYTES
        if published[start : start + rules.DIGEST_BYTES] != digest:
            span = 1 << (forms.TILE_HEIGHT * level)
            entry = (number * forms.TILE_WIDTH + position) * span
            return _WrongTile(path, position, range(entry, entry + span))
    return None


def _read(folder: Path, path: str) -> bytes:
    try:
        return (folder / path).read_bytes()
    except OSError as error:
        raise LogDamaged(f"{folder / path}", "cannot be read") from error
