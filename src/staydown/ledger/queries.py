"""What can be asked of the log: events, receipts, what is published, and whether it still adds up."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from django.db.models import Q

from staydown.ledger import checkpoint as forms
from staydown.ledger import rules
from staydown.ledger.errors import (
    EventNotRecordable,
    LogDamaged,
    NothingRecorded,
    ReceiptRefused,
    SignatureDoesNotMatch,
    TileNotAvailable,
)
from staydown.ledger.models import LedgerEntry, LedgerHead, LedgerNode
from staydown.ledger.terms import (
    Checkpoint,
    Damage,
    DamageKind,
    Json,
    LogCheck,
    RecordedEvent,
    SignedCheckpoint,
)

HEAD_ID = 1
# Entries recomputed at a time: bounds memory to a few MB however long the log is.
STRETCH = 2048

_Answer = TypeVar("_Answer")


def latest_checkpoint() -> SignedCheckpoint | None:
    """The signed head, or None while the log is empty."""
    head = LedgerHead.objects.filter(pk=HEAD_ID).first()
    return None if head is None or not head.checkpoint else _signed(head)


def _signed(head: LedgerHead) -> SignedCheckpoint:
    # The origin is the first line of what was signed, whatever the settings say since.
    origin = head.checkpoint.split("\n", 1)[0]
    return SignedCheckpoint(Checkpoint(origin, head.size, bytes(head.root)), head.checkpoint, head.vkey)


def events_of(subject: str) -> tuple[RecordedEvent, ...]:
    """What is recorded and not erased about a subject, in the order of the log."""
    return tuple(_recorded(row) for row in LedgerEntry.objects.filter(subject=subject).order_by("index"))


def _recorded(row: LedgerEntry) -> RecordedEvent:
    try:
        event = rules.event_from_document(row.event or {})
    except EventNotRecordable as error:
        raise LogDamaged(f"entry {row.index}", "cannot be opened") from error
    return RecordedEvent(row.index, event, bytes(row.salt or b""))


def receipt_for(subject: str) -> dict[str, Json]:
    """The receipt.json of a subject: its events, each with its proof under the latest checkpoint.

    Raises NothingRecorded.
    """
    signed = latest_checkpoint()
    if signed is None:
        raise NothingRecorded(subject)
    size = signed.checkpoint.size
    events = [recorded for recorded in events_of(subject) if recorded.index < size]
    if not events:
        raise NothingRecorded(subject)
    proofs = _from_stored_nodes(
        lambda node: [rules.inclusion_proof(recorded.index, size, node) for recorded in events]
    )
    return forms.receipt_document(
        subject=subject, signed=signed, events=list(zip(events, proofs, strict=True))
    )


def root_at(size: int) -> bytes:
    """Root of this log when it had `size` entries (not more than it has now)."""
    return _from_stored_nodes(lambda node: rules.tree_root(size, node))


def stored_nodes(places: Iterable[tuple[int, int]]) -> dict[tuple[int, int], bytes]:
    """Digests at these (level, index), in one query. Raises LogDamaged if one is not there."""
    by_level: dict[int, list[int]] = {}
    for level, index in places:
        by_level.setdefault(level, []).append(index)
    if not by_level:
        return {}
    wanted = Q()
    for level, indexes in by_level.items():
        wanted |= Q(level=level, index__in=indexes)
    rows = LedgerNode.objects.filter(wanted).values_list("level", "index", "digest")
    found = {(level, index): bytes(digest) for level, index, digest in rows}
    for level, indexes in by_level.items():
        for index in indexes:
            if (level, index) not in found:
                raise LogDamaged(f"node {index} of level {level}", "is missing")
    return found


def _from_stored_nodes(work: Callable[[rules.Node], _Answer]) -> _Answer:
    """Runs a tree rule twice: once to learn which nodes it asks for, once with all of them from one query."""
    asked: set[tuple[int, int]] = set()

    def take_note(level: int, index: int) -> bytes:
        asked.add((level, index))
        return b""

    work(take_note)
    nodes = stored_nodes(asked)
    return work(lambda level, index: nodes[level, index])


def tile(*, level: int, index: int, width: int) -> bytes:
    """A tile's digests, 32 bytes each. Raises TileNotAvailable."""
    start = index * forms.TILE_WIDTH
    rows = LedgerNode.objects.filter(
        level=level * forms.TILE_HEIGHT, index__gte=start, index__lt=start + width
    )
    digests = [bytes(digest) for digest in rows.order_by("index").values_list("digest", flat=True)]
    if not digests or len(digests) != width:
        raise TileNotAvailable
    return b"".join(digests)


def entry_bundle(*, index: int, width: int) -> bytes:
    """A bundle of entries, which are commitments only. Raises TileNotAvailable."""
    start = index * forms.TILE_WIDTH
    rows = LedgerEntry.objects.filter(index__gte=start, index__lt=start + width).order_by("index")
    entries = [bytes(commitment) for commitment in rows.values_list("commitment", flat=True)]
    if not entries or len(entries) != width:
        raise TileNotAvailable
    return forms.entry_bundle(entries)


def published_file(path: str) -> bytes:
    """What this log publishes under "checkpoint", "vkey" or "tile/...". Raises TileNotAvailable."""
    if path in ("checkpoint", "vkey"):
        signed = latest_checkpoint()
        if signed is None:
            raise TileNotAvailable
        return (signed.text if path == "checkpoint" else signed.vkey + "\n").encode()
    level, index, width = forms.read_tile_path(path)
    if level == "entries":
        return entry_bundle(index=index, width=width)
    return tile(level=level, index=index, width=width)


# --- does it still add up


def check_log() -> LogCheck:
    """Recomputes everything from the entries and names the first thing that is wrong.

    Writers go on meanwhile; what they append after the head was read is not judged.
    It cannot see a rewrite by whoever holds the signing key: published checkpoints and receipts do.
    """
    entries, nodes = LedgerEntry.objects.count(), LedgerNode.objects.count()
    head = LedgerHead.objects.filter(pk=HEAD_ID).first()
    size = head.size if head else 0
    tree, erased = rules.GrowingTree(), 0
    for start in range(0, size, STRETCH):
        emptied, damage = _check_stretch(tree, start=start, end=min(start + STRETCH, size))
        erased += emptied
        if damage:
            return LogCheck(size, erased, damage)
    # Both were counted before the head was read, so more than the head knows cannot be a writer at work.
    if entries > size or nodes > 2 * size - size.bit_count():
        return LogCheck(size, erased, Damage(DamageKind.SIZE, None))
    return LogCheck(size, erased, _head_damage(head, root=tree.root()) if head else None)


def _check_stretch(tree: rules.GrowingTree, *, start: int, end: int) -> tuple[int, Damage | None]:
    rows = {row.index: row for row in LedgerEntry.objects.filter(index__gte=start, index__lt=end)}
    computed: dict[tuple[int, int], bytes] = {}
    erased, damage = 0, None
    for index in range(start, end):
        row = rows.get(index)
        kind = DamageKind.MISSING if row is None else _entry_damage(row)
        if row is None or kind is not None:
            damage = Damage(kind or DamageKind.MISSING, index)
            break
        erased += row.salt is None
        for level, place, digest in tree.add(rules.leaf_digest(bytes(row.commitment))):
            computed[level, place] = digest
    # What came before the damaged entry may be damaged too, and would be the first.
    first = _first_wrong_node(computed)
    if first is not None and (damage is None or damage.index is None or first < damage.index):
        damage = Damage(DamageKind.NODE, first)
    return erased, damage


def _entry_damage(row: LedgerEntry) -> DamageKind | None:
    if row.salt is None:
        return None  # erased: its commitment is still held by the node above it
    try:
        commitment = rules.commitment_of(row.event or {}, salt=bytes(row.salt))
        event = rules.event_from_document(row.event or {})
    except EventNotRecordable:
        return DamageKind.COMMITMENT
    if commitment != bytes(row.commitment):
        return DamageKind.COMMITMENT
    if (event.kind, event.subject, event.at) != (row.kind, row.subject, row.recorded_at):
        return DamageKind.COLUMNS
    return None


def _first_wrong_node(computed: dict[tuple[int, int], bytes]) -> int | None:
    """First entry below the lowest stored node that differs from the computed one, or is not stored.

    The lowest, because one wrong leaf makes every node above it differ too.
    """
    by_level: dict[int, list[int]] = {}
    for level, index in computed:
        by_level.setdefault(level, []).append(index)
    for level, indexes in sorted(by_level.items()):
        rows = LedgerNode.objects.filter(level=level, index__range=(min(indexes), max(indexes)))
        stored = {index: bytes(digest) for index, digest in rows.values_list("index", "digest")}
        wrong = [index for index in indexes if stored.get(index) != computed[level, index]]
        if wrong:
            return min(wrong) << level
    return None


def _head_damage(head: LedgerHead, *, root: bytes) -> Damage | None:
    if bytes(head.root) != root:
        return Damage(DamageKind.ROOT, None)
    if not head.checkpoint:
        return Damage(DamageKind.CHECKPOINT, None) if head.size else None
    try:
        signed = forms.open_checkpoint(head.checkpoint, vkey=head.vkey)
    except SignatureDoesNotMatch:
        return Damage(DamageKind.SIGNATURE, None)
    except ReceiptRefused:
        return Damage(DamageKind.CHECKPOINT, None)
    same = (signed.size, signed.root) == (head.size, root)
    return None if same else Damage(DamageKind.CHECKPOINT, None)
