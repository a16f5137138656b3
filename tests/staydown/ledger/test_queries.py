"""What the log answers, and that it names the first thing that somebody changed in the database."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from staydown.ledger import checkpoint as forms
from staydown.ledger import queries, rules
from staydown.ledger.errors import LogDamaged, NothingRecorded, TileNotAvailable
from staydown.ledger.models import LedgerEntry, LedgerHead, LedgerNode
from staydown.ledger.operations import erase
from staydown.ledger.terms import Damage, DamageKind

from .conftest import NOON

Fill = Callable[[int], None]


def test_an_empty_log_has_no_checkpoint_and_is_sound(ledger_settings: Any, db: None) -> None:
    # Given nothing recorded, when the log is asked, then it says so
    assert queries.latest_checkpoint() is None
    assert queries.check_log().sound
    with pytest.raises(NothingRecorded):
        queries.receipt_for("R-AAAA-AAAA")
    for path in ("checkpoint", "vkey", "tile/0/000", "tile/entries/000.p/1"):
        with pytest.raises(TileNotAvailable):
            queries.published_file(path)


def test_a_receipt_proves_each_of_a_subjects_events(recorded: Fill) -> None:
    # Given a log with seven entries of Alice's among twenty
    recorded(20)

    # When she takes her receipt away, as a file
    receipt = json.loads(json.dumps(queries.receipt_for("R-AAAA-AAAA")))

    # Then it verifies with the log's key and holds what the log holds
    signed = queries.latest_checkpoint()
    assert signed is not None
    verified = forms.verify_receipt(receipt, trusted_vkey=signed.vkey)
    assert verified.events == queries.events_of("R-AAAA-AAAA")
    assert len(verified.events) == 7


def test_charlie_gets_nothing_for_a_number_that_was_never_given(recorded: Fill) -> None:
    # Given a log, when a receipt is asked for an unknown number, then there is none
    recorded(3)
    assert queries.events_of("R-ZZZZ-ZZZZ") == ()
    with pytest.raises(NothingRecorded):
        queries.receipt_for("R-ZZZZ-ZZZZ")


def test_a_receipt_costs_the_same_few_queries_whatever_its_length(
    recorded: Fill, django_assert_max_num_queries: Any
) -> None:
    # Given a log, when a receipt is made, then head, events and nodes are read once each
    recorded(60)
    with django_assert_max_num_queries(3):
        queries.receipt_for("R-AAAA-AAAA")


def test_a_receipt_survives_a_change_of_address(recorded: Fill, ledger_settings: Any) -> None:
    # Given a log whose installation moves to another address after its last entry
    recorded(4)
    ledger_settings.STAYDOWN_LEDGER_ORIGIN = "elsewhere.example/ledger"

    # When a receipt is made, then it is still about the log that signed, and verifies
    receipt = queries.receipt_for("R-AAAA-AAAA")
    assert forms.verify_receipt(receipt, trusted_vkey=None).origin == "forum.example/ledger"


def test_what_is_published_adds_up_to_the_checkpoint(recorded: Fill) -> None:
    # Given a log past one full tile
    recorded(300)

    # When its published files are read as anybody would
    vkey = queries.published_file("vkey").decode().strip()
    checkpoint = forms.open_checkpoint(queries.published_file("checkpoint").decode(), vkey=vkey)
    entries = [
        entry
        for path in ("tile/entries/000", "tile/entries/001.p/44")
        for entry in forms.read_entry_bundle(queries.published_file(path), path=path)
    ]
    tree = rules.GrowingTree()
    for entry in entries:
        tree.add(rules.leaf_digest(entry))

    # Then entries, tiles and checkpoint are one tree
    assert (tree.size, tree.root()) == (checkpoint.size, checkpoint.root)
    leaves = queries.published_file("tile/0/000") + queries.published_file("tile/0/001.p/44")
    assert leaves == b"".join(rules.leaf_digest(entry) for entry in entries)
    top = queries.published_file("tile/1/000.p/1")
    full = rules.GrowingTree()
    for entry in entries[:256]:
        full.add(rules.leaf_digest(entry))
    assert top == full.root()


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/001",
        "tile/0/000.p/6",
        "tile/1/000.p/1",
        "tile/entries/000",
        "tile/63/000",
        "tile/9/x001/000",
        "key",
    ],
)
def test_a_tile_that_is_not_there_yet_is_not_served(recorded: Fill, path: str) -> None:
    # Given a log of five, when more is asked for, then there is no such tile
    recorded(5)
    with pytest.raises(TileNotAvailable):
        queries.published_file(path)


def test_a_sound_log_is_found_sound_across_stretches(recorded: Fill, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a log that is recomputed in pieces that fit no subtree
    recorded(50)
    monkeypatch.setattr(queries, "STRETCH", 7)

    # When it is checked, then it is sound
    check = queries.check_log()
    assert (check.sound, check.size, check.erased) == (True, 50, 0)


def change_event(**change: Any) -> None:
    row = LedgerEntry.objects.get(index=7)
    row.event = {**(row.event or {}), **change}
    row.save()


CHANGES: dict[str, tuple[Callable[[], Any], Damage]] = {
    "an event": (lambda: change_event(at="2026-11-22T12:00:00.000000Z"), Damage(DamageKind.COMMITMENT, 7)),
    "an event's form": (lambda: change_event(extra=1), Damage(DamageKind.COMMITMENT, 7)),
    "a salt": (
        lambda: LedgerEntry.objects.filter(index=7).update(salt=bytes(32)),
        Damage(DamageKind.COMMITMENT, 7),
    ),
    "a short salt": (
        lambda: LedgerEntry.objects.filter(index=7).update(salt=b"x"),
        Damage(DamageKind.COMMITMENT, 7),
    ),
    "a commitment": (
        lambda: LedgerEntry.objects.filter(index=7).update(commitment=bytes(32)),
        Damage(DamageKind.COMMITMENT, 7),
    ),
    "the commitment of an erased entry": (
        lambda: LedgerEntry.objects.filter(index=7).update(
            commitment=bytes(32), salt=None, event=None, subject=None
        ),
        Damage(DamageKind.NODE, 7),
    ),
    "a subject": (
        lambda: LedgerEntry.objects.filter(index=7).update(subject="R-CCCC-CCCC"),
        Damage(DamageKind.COLUMNS, 7),
    ),
    "a time": (
        lambda: LedgerEntry.objects.filter(index=7).update(recorded_at=NOON),
        Damage(DamageKind.COLUMNS, 7),
    ),
    "an entry away": (lambda: LedgerEntry.objects.filter(index=7).delete(), Damage(DamageKind.MISSING, 7)),
    "the last entry away": (
        lambda: LedgerEntry.objects.filter(index=19).delete(),
        Damage(DamageKind.MISSING, 19),
    ),
    "a leaf": (
        lambda: LedgerNode.objects.filter(level=0, index=7).update(digest=bytes(32)),
        Damage(DamageKind.NODE, 7),
    ),
    "an inner node": (
        lambda: LedgerNode.objects.filter(level=2, index=3).update(digest=bytes(32)),
        Damage(DamageKind.NODE, 12),
    ),
    "a node away": (
        lambda: LedgerNode.objects.filter(level=1, index=2).delete(),
        Damage(DamageKind.NODE, 4),
    ),
    "one entry more": (
        lambda: LedgerEntry.objects.create(index=20, commitment=bytes(32), kind="a.b", recorded_at=NOON),
        Damage(DamageKind.SIZE, None),
    ),
    "one node more": (
        lambda: LedgerNode.objects.create(level=9, index=0, digest=bytes(32)),
        Damage(DamageKind.SIZE, None),
    ),
    "the root": (lambda: LedgerHead.objects.update(root=bytes(32)), Damage(DamageKind.ROOT, None)),
    "the checkpoint": (lambda: LedgerHead.objects.update(checkpoint=""), Damage(DamageKind.CHECKPOINT, None)),
    "the checkpoint's text": (
        lambda: LedgerHead.objects.update(checkpoint="nonsense"),
        Damage(DamageKind.CHECKPOINT, None),
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_changed_database_names_the_first_damaged_entry(
    recorded: Fill, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    # Given a log of twenty, checked in stretches of eight
    recorded(20)
    monkeypatch.setattr(queries, "STRETCH", 8)
    change, damage = CHANGES[what]

    # When somebody changes a row behind its back, then the first damaged entry is named
    change()
    assert queries.check_log().damage == damage


def test_a_checkpoint_signed_by_another_key_is_found(recorded: Fill) -> None:
    # Given a head whose checkpoint was signed for other content by nobody we know
    recorded(3)
    head = LedgerHead.objects.get()
    body, line = head.checkpoint.split("\n\n")
    raw = list(line)
    raw[-10] = "A" if raw[-10] != "A" else "B"
    LedgerHead.objects.update(checkpoint=body + "\n\n" + "".join(raw))

    # When the log is checked, then the signature is what is wrong
    assert queries.check_log().damage == Damage(DamageKind.SIGNATURE, None)


def test_an_older_checkpoint_put_back_is_found(recorded: Fill) -> None:
    # Given a log that grew after a checkpoint
    recorded(3)
    older = LedgerHead.objects.get().checkpoint
    recorded(1)

    # When the older text is put back, then it does not fit the entries
    LedgerHead.objects.update(checkpoint=older)
    assert queries.check_log().damage == Damage(DamageKind.CHECKPOINT, None)


def test_the_first_of_two_damages_is_named(recorded: Fill) -> None:
    # Given damage at the third and at the eighth entry, when checked, then the third is named
    recorded(20)
    LedgerNode.objects.filter(level=0, index=2).update(digest=bytes(32))
    LedgerEntry.objects.filter(index=7).delete()
    assert queries.check_log().damage == Damage(DamageKind.NODE, 2)


def test_a_missing_node_is_named_instead_of_guessed(recorded: Fill) -> None:
    # Given a log without one of its nodes, when a receipt needs it, then the damage is named
    recorded(8)
    LedgerNode.objects.filter(level=2, index=1).delete()
    with pytest.raises(LogDamaged, match="node 1 of level 2"):
        queries.receipt_for("R-AAAA-AAAA")


def test_an_event_that_cannot_be_opened_is_named(recorded: Fill) -> None:
    # Given an entry whose event was changed, when it is read, then the damage is named
    recorded(8)
    LedgerEntry.objects.filter(index=3).update(event={"kind": "x"})
    with pytest.raises(LogDamaged, match="entry 3"):
        queries.events_of("R-AAAA-AAAA")


def test_a_rewrite_signed_with_the_logs_own_key_contradicts_a_receipt(recorded: Fill) -> None:
    # Given a receipt in Alice's hands
    recorded(4)
    verified = forms.verify_receipt(queries.receipt_for("R-AAAA-AAAA"), trusted_vkey=None)
    held = verified.signed.checkpoint

    # When the operator starts the log anew without her and signs it with the same key
    for model in (LedgerEntry, LedgerNode, LedgerHead):
        model.objects.all().delete()
    recorded(9)

    # Then the log by itself looks sound, but what she holds convicts it
    assert queries.check_log().sound
    assert queries.root_at(held.size) != held.root


def test_an_erased_subject_gets_a_receipt_of_the_erasure_alone(recorded: Fill) -> None:
    # Given an erased subject
    recorded(4)
    erase("R-AAAA-AAAA", now=NOON)

    # When a receipt is asked for, then it proves the erasure and nothing else
    receipt = queries.receipt_for("R-AAAA-AAAA")
    kinds = [recorded.event.kind for recorded in forms.verify_receipt(receipt, trusted_vkey=None).events]
    assert kinds == ["ledger.erased"]
