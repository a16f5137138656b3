"""What a ledger entry is, and the RFC 6962 tree over the entries. Pure.

An entry is a salted commitment, never the event: erase the salt and the entry means nothing, while the
tree stays whole. Nothing here reads, writes, signs or knows the time.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from staydown.ledger.errors import EventNotRecordable, ProofDoesNotMatch
from staydown.ledger.terms import Json, LedgerEvent

COMMITMENT_PREFIX = b"staydown-ledger-entry/v1\n"
SALT_BYTES = 32
DIGEST_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()
# Beyond this, readers in JavaScript would round (RFC 7493, section 2.2), and the commitment would not open.
MAX_INTEGER = 2**53 - 1
# An event is a flat record; a deeper one is a mistake, and unbounded depth would exhaust the reader's stack.
MAX_DEPTH = 8
_AT = "%Y-%m-%dT%H:%M:%S.%fZ"
_KIND = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
# Ids, states and counts have no spaces, slashes or @: free text, names, links and addresses do not fit.
_TERM = re.compile(r"[A-Za-z0-9_.:+-]{0,80}")

Node = Callable[[int, int], bytes]
"""Digest of the complete subtree at (level, index), which spans 2**level leaves from index * 2**level on."""


# --- events and entries


def canonical_json(value: Json) -> bytes:
    """JSON with one spelling: keys sorted by code point, no spaces, UTF-8, strings in NFC.

    Raises EventNotRecordable for floats, other types, strings that are not NFC, and integers past
    2**53 - 1 and nesting past MAX_DEPTH.
    """
    _check_json(value, where="the event")
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8")


def _check_json(value: object, *, where: str, depth: int = 0) -> None:
    if depth > MAX_DEPTH:
        raise EventNotRecordable(where, "is nested too deeply")
    if isinstance(value, str):
        if not unicodedata.is_normalized("NFC", value) or any("\ud800" <= c <= "\udfff" for c in value):
            raise EventNotRecordable(where, "has text that is not in Unicode normal form C")
    elif isinstance(value, dict):
        for key, member in value.items():
            if not isinstance(key, str):
                raise EventNotRecordable(where, "has a key that is not text")
            _check_json(key, where=where)
            _check_json(member, where=key, depth=depth + 1)
    elif isinstance(value, (list, tuple)):
        for member in value:
            _check_json(member, where=where, depth=depth + 1)
    elif isinstance(value, int):
        if abs(value) > MAX_INTEGER:
            raise EventNotRecordable(where, "has a number that is too large")
    elif value is not None:
        raise EventNotRecordable(where, f"has a {type(value).__name__}")


def check_event(event: LedgerEvent) -> None:
    """Raises EventNotRecordable unless the event is ids, states and counts only, at an aware time."""
    if not _KIND.fullmatch(event.kind):
        raise EventNotRecordable("kind", "is not dotted lower case")
    if event.at.tzinfo is None:
        raise EventNotRecordable("at", "has no time zone")
    if not event.subject or not _TERM.fullmatch(event.subject):
        raise EventNotRecordable("subject", "is not an id")
    canonical_json(event_document(event))
    _check_terms(event.details, where="details")


def _check_terms(value: Json, *, where: str) -> None:
    if isinstance(value, str):
        if not _TERM.fullmatch(value):
            raise EventNotRecordable(where, "is not an id, a state or a count")
    elif isinstance(value, Mapping):
        for key, member in value.items():
            _check_terms(key, where=where)
            _check_terms(member, where=key)
    elif isinstance(value, Sequence):
        for member in value:
            _check_terms(member, where=where)


def event_document(event: LedgerEvent) -> dict[str, Json]:
    """The JSON object that the commitment covers; times in UTC with microseconds."""
    at = event.at.astimezone(UTC).strftime(_AT)
    return {"kind": event.kind, "at": at, "subject": event.subject, "details": dict(event.details)}


def event_from_document(document: Mapping[str, Json]) -> LedgerEvent:
    """Reads an event back. Raises EventNotRecordable unless it is exactly what event_document writes."""
    kind, at, subject, details = (document.get(key) for key in ("kind", "at", "subject", "details"))
    if not (isinstance(kind, str) and isinstance(at, str) and isinstance(subject, str)):
        raise EventNotRecordable("the event", "lacks its kind, time or subject")
    if not isinstance(details, dict):
        raise EventNotRecordable("details", "is not an object")
    try:
        event = LedgerEvent(kind, datetime.strptime(at, _AT).replace(tzinfo=UTC), subject, details)
    except ValueError as error:
        raise EventNotRecordable("at", "is not a time in UTC") from error
    if event_document(event) != document:
        raise EventNotRecordable("the event", "has members that do not belong there")
    return event


def commitment_of(document: Mapping[str, Json], *, salt: bytes) -> bytes:
    """The 32 bytes that enter the log for an event and its 32-byte salt."""
    if len(salt) != SALT_BYTES:
        raise EventNotRecordable("salt", f"is not {SALT_BYTES} bytes long")
    return hashlib.sha256(COMMITMENT_PREFIX + salt + canonical_json(dict(document))).digest()


# --- the tree (RFC 6962, section 2.1)


def leaf_digest(entry: bytes) -> bytes:
    """Digest of a leaf."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_digest(left: bytes, right: bytes) -> bytes:
    """Digest of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def subtree_root(start: int, end: int, node: Node) -> bytes:
    """Root over the leaves start..end (end excluded), out of complete subtrees.

    The range must be one that RFC 6962's recursion makes: start is a multiple of each power of two in it.
    """
    count = end - start
    if count == 0:
        return EMPTY_ROOT
    if count & (count - 1) == 0:
        level = count.bit_length() - 1
        return node(level, start >> level)
    middle = start + _split(count)
    return node_digest(subtree_root(start, middle, node), subtree_root(middle, end, node))


def tree_root(size: int, node: Node) -> bytes:
    """Root of the tree over the first `size` leaves."""
    return subtree_root(0, size, node)


def _split(count: int) -> int:
    """The largest power of two below count (count >= 2)."""
    return 1 << ((count - 1).bit_length() - 1)


def frontier(size: int) -> tuple[tuple[int, int], ...]:
    """(level, index) of the complete subtrees that a tree of this size is made of; at most one a level."""
    return tuple(
        (level, (size >> level) - 1) for level in reversed(range(size.bit_length())) if size >> level & 1
    )


def nodes_completed_by(index: int, leaf: bytes, node: Node) -> tuple[tuple[int, int, bytes], ...]:
    """(level, index, digest) of every subtree that this leaf completes, the leaf first.

    `node` is asked only for frontier(index).
    """
    completed, level, digest = [(0, index, leaf)], 0, leaf
    while index & 1:
        digest = node_digest(node(level, index - 1), digest)
        level, index = level + 1, index >> 1
        completed.append((level, index, digest))
    return tuple(completed)


class GrowingTree:
    """A tree that is fed leaf by leaf and remembers only its right edge: log2(size) digests.

    It starts empty, or at `size` with `edge`: the digest of each frontier(size) subtree by its level.
    """

    def __init__(self, *, size: int = 0, edge: Mapping[int, bytes] | None = None) -> None:
        self.size = size
        self._edge = dict(edge or {})

    def add(self, leaf: bytes) -> tuple[tuple[int, int, bytes], ...]:
        """Takes the next leaf's digest; returns what nodes_completed_by returns."""
        completed = nodes_completed_by(self.size, leaf, self._on_edge)
        self._edge.update((level, digest) for level, _, digest in completed)
        self.size += 1
        return completed

    def root(self) -> bytes:
        """Root over everything fed so far."""
        return tree_root(self.size, self._on_edge)

    def _on_edge(self, level: int, _index: int) -> bytes:
        return self._edge[level]


def inclusion_proof(index: int, size: int, node: Node) -> list[bytes]:
    """Siblings from the leaf up to the root; needs 0 <= index < size."""
    return _path(index, 0, size, node)


def _path(index: int, start: int, end: int, node: Node) -> list[bytes]:
    if end - start == 1:
        return []
    middle = start + _split(end - start)
    if index < middle:
        return [*_path(index, start, middle, node), subtree_root(middle, end, node)]
    return [*_path(index, middle, end, node), subtree_root(start, middle, node)]


def check_inclusion(leaf: bytes, *, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Raises ProofDoesNotMatch unless the leaf is at `index` in the tree of `size` with this root."""
    place, last, digest = index, size - 1, leaf
    if not 0 <= index < size:
        raise ProofDoesNotMatch(index)
    for sibling in proof:
        if last == 0:
            raise ProofDoesNotMatch(index)
        if place & 1 or place == last:
            digest = node_digest(sibling, digest)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            digest = node_digest(digest, sibling)
        place, last = place >> 1, last >> 1
    if last != 0 or digest != root:
        raise ProofDoesNotMatch(index)


def consistency_proof(old_size: int, new_size: int, node: Node) -> list[bytes]:
    """What shows that the tree of new_size continues the tree of old_size (0 <= old <= new)."""
    if old_size in (0, new_size):
        return []
    return _subproof(old_size, 0, new_size, node, whole=True)


def _subproof(old: int, start: int, end: int, node: Node, *, whole: bool) -> list[bytes]:
    if old == end:
        return [] if whole else [subtree_root(start, end, node)]
    middle = start + _split(end - start)
    if old <= middle:
        return [*_subproof(old, start, middle, node, whole=whole), subtree_root(middle, end, node)]
    return [*_subproof(old, middle, end, node, whole=False), subtree_root(start, middle, node)]


def check_consistency(
    *, old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """Raises ProofDoesNotMatch unless the second tree continues the first (RFC 9162, section 2.1.4.2)."""
    if not 0 <= old_size <= new_size:
        raise ProofDoesNotMatch
    if old_size in (0, new_size):
        same = old_root == (new_root if old_size == new_size else EMPTY_ROOT)
        if proof or not same:
            raise ProofDoesNotMatch
        return
    steps = list(proof) if old_size & (old_size - 1) else [old_root, *proof]
    place, last = old_size - 1, new_size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    if not steps:
        raise ProofDoesNotMatch
    old = new = steps[0]
    for sibling in steps[1:]:
        if last == 0:
            raise ProofDoesNotMatch
        if place & 1 or place == last:
            old, new = node_digest(sibling, old), node_digest(sibling, new)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            new = node_digest(new, sibling)
        place, last = place >> 1, last >> 1
    if last != 0 or old != old_root or new != new_root:
        raise ProofDoesNotMatch
