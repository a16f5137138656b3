"""The tree against the published vectors and against a naive recursion; events against what may not enter."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from staydown.ledger import rules
from staydown.ledger.errors import EventNotRecordable, ProofDoesNotMatch
from staydown.ledger.terms import LedgerEvent

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "vectors" / "rfc6962.json").read_text(encoding="utf-8")
)
LEAVES = [rules.leaf_digest(bytes.fromhex(text)) for text in VECTORS["leaf_inputs"]]
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def naive_root(leaves: list[bytes]) -> bytes:
    """RFC 6962 section 2.1 word by word, with no sharing of subtrees."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + naive_root(leaves[:k]) + naive_root(leaves[k:])).digest()


def stored(leaves: list[bytes]) -> Callable[[int, int], bytes]:
    """What the database would answer: complete subtrees only, made by appending."""
    nodes: dict[tuple[int, int], bytes] = {}
    for index, leaf in enumerate(leaves):
        for level, place, digest in rules.nodes_completed_by(
            index, leaf, lambda level, place: nodes[level, place]
        ):
            assert (level, place) not in nodes
            nodes[level, place] = digest
    return lambda level, place: nodes[level, place]


def made_leaves(count: int) -> list[bytes]:
    return [rules.leaf_digest(b"leaf %d" % number) for number in range(count)]


def test_roots_are_the_published_ones() -> None:
    # Given the published leaves
    node = stored(LEAVES)

    # When the root of every prefix is computed, then it is the published one
    for size, root in enumerate(VECTORS["roots"]):
        assert rules.tree_root(size, node).hex() == root
        assert naive_root(LEAVES[:size]).hex() == root


@pytest.mark.parametrize("case", VECTORS["inclusion"])
def test_inclusion_proofs_are_the_published_ones(case: dict[str, Any]) -> None:
    # Given a published proof
    proof = [bytes.fromhex(text) for text in case["proof"]]
    root = bytes.fromhex(VECTORS["roots"][case["size"]])

    # When ours is made
    ours = rules.inclusion_proof(case["index"], case["size"], stored(LEAVES))

    # Then it is the same, and it verifies
    assert ours == proof
    rules.check_inclusion(
        LEAVES[case["index"]], index=case["index"], size=case["size"], proof=proof, root=root
    )


@pytest.mark.parametrize("case", VECTORS["consistency"])
def test_consistency_proofs_are_the_published_ones(case: dict[str, Any]) -> None:
    # Given a published proof
    proof = [bytes.fromhex(text) for text in case["proof"]]
    old, new = (bytes.fromhex(VECTORS["roots"][case[name]]) for name in ("old", "new"))

    # When ours is made
    ours = rules.consistency_proof(case["old"], case["new"], stored(LEAVES))

    # Then it is the same, and it verifies
    assert ours == proof
    rules.check_consistency(
        old_size=case["old"], old_root=old, new_size=case["new"], new_root=new, proof=proof
    )


def test_every_root_and_proof_up_to_seventy_leaves_agrees_with_the_naive_tree() -> None:
    # Given a tree of seventy leaves
    leaves = made_leaves(70)
    node = stored(leaves)
    roots = [naive_root(leaves[:size]) for size in range(len(leaves) + 1)]

    for size in range(len(leaves) + 1):
        # When each prefix is treated as a tree of its own, then its root and all its proofs hold
        assert rules.tree_root(size, node) == roots[size]
        for index in range(size):
            proof = rules.inclusion_proof(index, size, node)
            rules.check_inclusion(leaves[index], index=index, size=size, proof=proof, root=roots[size])
        for old in range(size + 1):
            steps = rules.consistency_proof(old, size, node)
            rules.check_consistency(
                old_size=old, old_root=roots[old], new_size=size, new_root=roots[size], proof=steps
            )


@given(size=st.integers(1, 600), data=st.data())
def test_an_inclusion_proof_changed_anywhere_does_not_match(size: int, data: st.DataObject) -> None:
    # Given a leaf of a tree and its proof
    index = data.draw(st.integers(0, size - 1))
    leaves = made_leaves(size)
    node = stored(leaves)
    root, proof = rules.tree_root(size, node), rules.inclusion_proof(index, size, node)

    # When the leaf, the index, the size, the root or the proof is another
    other = data.draw(st.integers(0, 2 * size).filter(lambda value: value != index))
    wrong: list[tuple[bytes, int, int, list[bytes], bytes]] = [
        (rules.leaf_digest(b"another"), index, size, proof, root),
        (leaves[index], other, size, proof, root),
        (leaves[index], index, size, [*proof, root], root),
        (leaves[index], index, size, proof, rules.leaf_digest(b"another")),
        (leaves[index], -1, size, proof, root),
        (leaves[index], index, 0, proof, root),
    ]
    if proof:
        place = data.draw(st.integers(0, len(proof) - 1))
        wrong.append((leaves[index], index, size, proof[:place] + proof[place + 1 :], root))
        changed = bytes([proof[place][0] ^ 1]) + proof[place][1:]
        wrong.append((leaves[index], index, size, [*proof[:place], changed, *proof[place + 1 :]], root))

    # Then none of them matches
    for leaf, at, total, steps, goal in wrong:
        with pytest.raises(ProofDoesNotMatch):
            rules.check_inclusion(leaf, index=at, size=total, proof=steps, root=goal)


@given(new=st.integers(1, 300), data=st.data())
def test_a_rewritten_log_is_not_consistent_with_its_past(new: int, data: st.DataObject) -> None:
    # Given a log whose past was rewritten at one leaf
    old = data.draw(st.integers(1, new))
    place = data.draw(st.integers(0, old - 1))
    honest = made_leaves(new)
    rewritten = [*honest[:place], rules.leaf_digest(b"rewritten"), *honest[place + 1 :]]

    # When its operator offers the best proof there is
    node = stored(rewritten)
    proof = rules.consistency_proof(old, new, node)

    # Then it does not continue what was signed before, and neither does a proof cut or stretched
    for steps in (proof, proof[1:], [*proof, proof[0] if proof else rules.EMPTY_ROOT]):
        with pytest.raises(ProofDoesNotMatch):
            rules.check_consistency(
                old_size=old,
                old_root=naive_root(honest[:old]),
                new_size=new,
                new_root=naive_root(rewritten),
                proof=steps,
            )


@pytest.mark.parametrize(("old", "new"), [(3, 2), (-1, 2)])
def test_a_log_that_shrank_is_not_consistent(old: int, new: int) -> None:
    # Given two sizes that cannot follow each other, when they are compared, then they do not match
    with pytest.raises(ProofDoesNotMatch):
        rules.check_consistency(old_size=old, old_root=LEAVES[0], new_size=new, new_root=LEAVES[0], proof=[])


def test_nothing_recorded_is_consistent_with_everything() -> None:
    # Given an empty past
    root = naive_root(LEAVES)

    # When it is compared, then only the empty root fits it
    rules.check_consistency(old_size=0, old_root=rules.EMPTY_ROOT, new_size=8, new_root=root, proof=[])
    with pytest.raises(ProofDoesNotMatch):
        rules.check_consistency(old_size=0, old_root=root, new_size=8, new_root=root, proof=[])


@given(size=st.integers(0, 300))
def test_a_growing_tree_resumes_from_its_frontier(size: int) -> None:
    # Given a tree that stopped at some size
    leaves = made_leaves(size + 3)
    node = stored(leaves)
    edge = {level: node(level, index) for level, index in rules.frontier(size)}

    # When it goes on from its right edge alone
    tree = rules.GrowingTree(size=size, edge=edge)
    for leaf in leaves[size:]:
        tree.add(leaf)

    # Then it is the same tree
    assert tree.root() == naive_root(leaves)
    assert tree.size == len(leaves)


# --- events


def test_an_event_is_written_one_way_only() -> None:
    # Given an event at a time in another zone
    event = LedgerEvent(
        "request.received",
        datetime(2026, 11, 22, 16, 0, tzinfo=timezone(timedelta(hours=1))),
        "R-7K4M-2Q9X",
        {"state": "open", "copies": 3},
    )

    # When it is written
    text = rules.canonical_json(rules.event_document(event))

    # Then keys are sorted, no space is spent, and the time is UTC with microseconds
    assert text == (
        b'{"at":"2026-11-22T15:00:00.000000Z","details":{"copies":3,"state":"open"},'
        b'"kind":"request.received","subject":"R-7K4M-2Q9X"}'
    )
    assert rules.event_from_document(json.loads(text)) == event


def test_a_commitment_is_the_published_formula() -> None:
    # Given an event document and a salt
    document = rules.event_document(LedgerEvent("case.opened", NOON, "C-7K4M-2Q9X"))
    salt = bytes(range(32))

    # When it is committed to
    commitment = rules.commitment_of(document, salt=salt)

    # Then it is SHA-256 over prefix, salt and canonical JSON
    text = b'{"at":"2026-11-22T12:00:00.000000Z","details":{},"kind":"case.opened","subject":"C-7K4M-2Q9X"}'
    assert commitment == hashlib.sha256(b"staydown-ledger-entry/v1\n" + salt + text).digest()


@pytest.mark.parametrize(
    "value",
    [1.5, float("nan"), b"bytes", 2**53, -(2**53), "e\u0301", "\ud800", {"e\u0301": 1}, {1: 2}, {"a": {3}}],
)
def test_what_has_more_than_one_spelling_is_refused(value: Any) -> None:
    # Given something without one canonical spelling, when it is written, then it is refused
    with pytest.raises(EventNotRecordable):
        rules.canonical_json({"details": value})


def test_an_event_nested_without_end_is_refused() -> None:
    # Given a very deep event
    deep: Any = []
    for _ in range(5000):
        deep = [deep]

    # When it is written, then it is refused instead of exhausting the stack
    with pytest.raises(EventNotRecordable):
        rules.canonical_json(deep)


@pytest.mark.parametrize(
    ("details", "where"),
    [
        ({"note": "she wrote to me"}, "note"),
        ({"contact": "alice@example.com"}, "contact"),
        ({"where": "https://forum.example/p/1"}, "where"),
        ({"who": {"names": ["Alice Example"]}}, "names"),
        ({"free text": 1}, "details"),
        ({"long": "x" * 81}, "long"),
    ],
)
def test_free_text_names_and_addresses_do_not_enter_the_log(details: Any, where: str) -> None:
    # Given details that are more than ids, states and counts
    event = LedgerEvent("request.received", NOON, "R-7K4M-2Q9X", details)

    # When the event is checked
    with pytest.raises(EventNotRecordable) as refused:
        rules.check_event(event)

    # Then it is refused, and the error names the member but not its content
    assert refused.value.where == where
    assert "Alice" not in str(refused.value)


@pytest.mark.parametrize(
    "event",
    [
        LedgerEvent("Received", NOON, "R-7K4M-2Q9X"),
        LedgerEvent("received", NOON, "R-7K4M-2Q9X"),
        LedgerEvent("request.received", NOON.replace(tzinfo=None), "R-7K4M-2Q9X"),
        LedgerEvent("request.received", NOON, ""),
        LedgerEvent("request.received", NOON, "Alice Example"),
    ],
)
def test_an_event_without_kind_zone_or_id_is_refused(event: LedgerEvent) -> None:
    # Given such an event, when it is checked, then it is refused
    with pytest.raises(EventNotRecordable):
        rules.check_event(event)


@pytest.mark.parametrize(
    "change",
    [
        {"kind": None},
        {"at": "2026-11-22T12:00:00Z"},
        {"at": "2026-11-22T12:00:00.0Z"},
        {"at": 5},
        {"subject": []},
        {"details": []},
        {"extra": 1},
    ],
)
def test_a_document_that_is_not_exactly_an_event_is_refused(change: dict[str, Any]) -> None:
    # Given a document with one member changed or added
    document = {**rules.event_document(LedgerEvent("case.opened", NOON, "C-7K4M-2Q9X")), **change}

    # When it is read, then it is refused
    with pytest.raises(EventNotRecordable):
        rules.event_from_document(document)


def test_a_salt_of_another_length_is_refused() -> None:
    # Given a short salt, when it is used, then it is refused
    with pytest.raises(EventNotRecordable):
        rules.commitment_of({}, salt=b"short")
