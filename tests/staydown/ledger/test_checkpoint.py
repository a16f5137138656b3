"""Signed notes, tiles and receipts: the published examples, and every way of changing one byte."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from staydown.ledger import checkpoint as forms
from staydown.ledger import rules
from staydown.ledger.errors import (
    CheckpointMalformed,
    KeyMalformed,
    KeyNotTrusted,
    LogDamaged,
    ProofDoesNotMatch,
    ReceiptDamaged,
    ReceiptFormatUnknown,
    ReceiptRefused,
    SignatureDoesNotMatch,
    TileNotAvailable,
)
from staydown.ledger.terms import Checkpoint, LedgerEvent, RecordedEvent

NOTE: dict[str, str] = json.loads(
    (Path(__file__).parents[2] / "vectors" / "rfc6962.json").read_text(encoding="utf-8")
)["note"]
ORIGIN = "forum.example/ledger"
SIGNER = forms.Signer(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
OTHER_SIGNER = forms.Signer(Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33))))
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def made_receipt(*, signer: forms.Signer = SIGNER) -> dict[str, Any]:
    """Alice's receipt: three events among eleven."""
    nodes: dict[tuple[int, int], bytes] = {}

    def node(level: int, index: int) -> bytes:
        return nodes[level, index]

    hers: list[RecordedEvent] = []
    for index in range(11):
        subject = "R-7K4M-2Q9X" if index in (2, 5, 10) else f"R-0000-{index:04d}"
        event = LedgerEvent("request.received", NOON + timedelta(hours=index), subject, {"copies": index})
        salt = bytes([index]) * 32
        commitment = rules.commitment_of(rules.event_document(event), salt=salt)
        for level, place, digest in rules.nodes_completed_by(index, rules.leaf_digest(commitment), node):
            nodes[level, place] = digest
        if subject == "R-7K4M-2Q9X":
            hers.append(RecordedEvent(index, event, salt))
    receipt = forms.receipt_document(
        subject="R-7K4M-2Q9X",
        signed=signer.sign(Checkpoint(ORIGIN, 11, rules.tree_root(11, node))),
        events=[(recorded, rules.inclusion_proof(recorded.index, 11, node)) for recorded in hers],
    )
    return json.loads(json.dumps(receipt))


# --- keys and notes


def test_the_published_note_opens() -> None:
    # Given the published note, when it is opened with its key, then its text comes out
    note = NOTE["text"] + "\n" + NOTE["signature"]
    assert forms.open_note(note, vkey=NOTE["vkey"]) == NOTE["text"]


def test_every_changed_character_of_the_published_note_is_refused() -> None:
    # Given the published note
    note = NOTE["text"] + "\n" + NOTE["signature"]

    for place in range(len(note)):
        # When one character of it is another, then it does not open
        with pytest.raises((CheckpointMalformed, SignatureDoesNotMatch)):
            forms.open_note(note[:place] + chr(ord(note[place]) ^ 1) + note[place + 1 :], vkey=NOTE["vkey"])


def test_every_changed_character_of_a_key_is_refused() -> None:
    # Given the published key
    vkey = NOTE["vkey"]
    assert forms.read_vkey(vkey)[0] == "PeterNeumann"

    for place in range(len(vkey)):
        # When one character is another, or the rest is missing, then it is no key
        for wrong in (vkey[:place] + chr(ord(vkey[place]) ^ 1) + vkey[place + 1 :], vkey[:place]):
            with pytest.raises(KeyMalformed):
                forms.read_vkey(wrong)


def test_other_peoples_signatures_are_ignored_and_ours_alone_counts() -> None:
    # Given a checkpoint that a partner signed as well
    checkpoint = Checkpoint(ORIGIN, 0, rules.EMPTY_ROOT)
    ours = SIGNER.sign(checkpoint)
    partner_line = "— partner.example/witness " + base64.b64encode(b"\x04" * 76).decode() + "\n"

    # When it is opened, then only our signature matters
    assert forms.open_checkpoint(ours.text + partner_line, vkey=ours.vkey) == checkpoint
    body = ours.text.split("\n\n")[0]
    with pytest.raises(SignatureDoesNotMatch):
        forms.open_checkpoint(body + "\n\n" + partner_line, vkey=ours.vkey)


def test_one_bad_signature_of_ours_spoils_the_note() -> None:
    # Given a checkpoint with a good and a bad signature of the same key
    ours = SIGNER.sign(Checkpoint(ORIGIN, 0, rules.EMPTY_ROOT))
    line = ours.text.split("\n\n")[1]
    raw = bytearray(base64.b64decode(line.split(" ")[2]))
    raw[-1] ^= 1

    # When it is opened, then it is refused
    with pytest.raises(SignatureDoesNotMatch):
        forms.open_note(ours.text + f"— {ORIGIN} {base64.b64encode(bytes(raw)).decode()}\n", vkey=ours.vkey)


@pytest.mark.parametrize(
    "note",
    [
        "",
        "no signature\n",
        "text\n\n— no newline",
        "text\n\n",
        "te\txt\n\n— a AAAA\n",
        "\ud800\n\n— a AAAAAAAA\n",
        "x" * 300_000,
    ],
)
def test_what_is_no_note_is_refused(note: str) -> None:
    # Given a text that is no signed note, when it is opened, then it is refused
    with pytest.raises(CheckpointMalformed):
        forms.open_note(note, vkey=NOTE["vkey"])


@pytest.mark.parametrize(
    "body",
    [
        f"{ORIGIN}\n1\n",
        f"{ORIGIN}\n01\n{base64.b64encode(bytes(32)).decode()}\n",
        f"{ORIGIN}\n-1\n{base64.b64encode(bytes(32)).decode()}\n",
        f"{ORIGIN}\n١\n{base64.b64encode(bytes(32)).decode()}\n",
        f"{ORIGIN}\n1\n{base64.b64encode(bytes(31)).decode()}\n",
        f"\n1\n{base64.b64encode(bytes(32)).decode()}\n",
    ],
)
def test_a_signed_text_that_is_no_checkpoint_is_refused(body: str) -> None:
    # Given a note that is properly signed but holds no checkpoint
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    key_id = bytes.fromhex(SIGNER.vkey(ORIGIN).split("+")[1])
    signature = base64.b64encode(key_id + key.sign(body.encode())).decode()

    # When it is opened as a checkpoint, then it is refused
    with pytest.raises(CheckpointMalformed):
        forms.open_checkpoint(f"{body}\n— {ORIGIN} {signature}\n", vkey=SIGNER.vkey(ORIGIN))


@pytest.mark.parametrize("name", ["", "with space", "with+plus", "with\u2003space", "line\nbreak"])
def test_a_log_cannot_sign_under_a_name_that_breaks_the_format(name: str) -> None:
    # Given such a name, when a key is asked for, then it is refused
    with pytest.raises(KeyMalformed):
        SIGNER.vkey(name)


# --- tiles


def test_tiles_are_those_of_the_specifications_example() -> None:
    # Given the specification's tree of 70,000 entries
    tiles = list(forms.tiles_of(70_000))

    # When its tiles are listed, then they are the ones it names
    assert [sum(1 for level, _, width in tiles if (level, width) == (0, 256))] == [273]
    assert [tile for tile in tiles if tile[2] < 256] == [(0, 273, 112), (1, 1, 17), (2, 0, 1)]
    assert list(forms.tiles_of(256)) == [(0, 0, 256), (1, 0, 1)]
    assert list(forms.tiles_of(0)) == []


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        ((0, 1_234_067, 256), "tile/0/x001/x234/067"),
        (("entries", 0, 5), "tile/entries/000.p/5"),
        ((63, 1000, 255), "tile/63/x001/000.p/255"),
    ],
)
def test_a_tiles_path_is_read_as_it_is_written(tile: tuple[Any, int, int], path: str) -> None:
    # Given a tile, when its path is written, then it is the specification's and reads back
    level, index, width = tile
    assert forms.tile_path(level, index, width=width) == path
    assert forms.read_tile_path(path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "tile/00/000",
        "tile/64/000",
        "tile/0/0",
        "tile/0/x000/001",
        "tile/0/001/001",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/300",
        "tile/0/000.p/05",
        "tile/0/000/",
        "tile/0/../0",
        "tile/entries/٠٠٠",
        "checkpoint",
        "",
    ],
)
def test_a_second_spelling_of_a_path_is_no_tile(path: str) -> None:
    # Given a path that the specification does not allow, when it is read, then there is no such tile
    with pytest.raises(TileNotAvailable):
        forms.read_tile_path(path)


def test_a_bundle_reads_back_and_a_changed_length_is_named() -> None:
    # Given a bundle
    entries = [bytes([number]) * 32 for number in range(3)]
    bundle = forms.entry_bundle(entries)
    assert bundle[:3] == b"\x00\x20\x00"
    assert forms.read_entry_bundle(bundle, path="b") == entries

    # When a length is another, or the end is missing, then the place is named
    for wrong in (bundle[:34] + b"\x01" + bundle[35:], bundle[:-1], bundle + b"\x00"):
        with pytest.raises(LogDamaged, match="entry"):
            forms.read_entry_bundle(wrong, path="tile/entries/000.p/3")


# --- receipts


def test_a_receipt_verifies_without_its_log() -> None:
    # Given Alice's receipt
    receipt = made_receipt()

    # When it is verified with the key that the platform publishes
    verified = forms.verify_receipt(receipt, trusted_vkey=SIGNER.vkey(ORIGIN))

    # Then it says what was received when
    assert verified.subject == "R-7K4M-2Q9X"
    assert [recorded.event.at.hour for recorded in verified.events] == [14, 17, 22]
    assert (verified.tree_size, verified.origin, verified.key_pinned) == (11, ORIGIN, True)


def test_a_receipt_without_a_key_at_hand_says_that_the_key_is_its_own() -> None:
    # Given a receipt, when no key is given, then it verifies but is not pinned
    assert not forms.verify_receipt(made_receipt(), trusted_vkey=None).key_pinned


def test_a_receipt_made_by_somebody_else_is_refused_once_the_key_is_known() -> None:
    # Given a receipt that Charlie made with a key of his own
    forged = made_receipt(signer=OTHER_SIGNER)
    assert not forms.verify_receipt(forged, trusted_vkey=None).key_pinned

    # When it is verified with the log's key, then it is refused
    with pytest.raises(KeyNotTrusted):
        forms.verify_receipt(forged, trusted_vkey=SIGNER.vkey(ORIGIN))

    # And naming the log's key inside does not help him
    forged["log"]["vkey"] = SIGNER.vkey(ORIGIN)
    with pytest.raises(SignatureDoesNotMatch):
        forms.verify_receipt(forged, trusted_vkey=SIGNER.vkey(ORIGIN))


def changed_everywhere(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Every way of changing one character, one number or one member anywhere below a value."""
    if isinstance(value, str):
        for place in range(len(value)):
            yield path, value[:place] + chr(ord(value[place]) ^ 1) + value[place + 1 :]
            yield path, value[:place] + value[place + 1 :]
    elif isinstance(value, int):
        yield from ((path, value + 1), (path, value - 1), (path, float(value)), (path, str(value)))
    elif isinstance(value, dict):
        for key, member in value.items():
            yield path, {name: kept for name, kept in value.items() if name != key}
            yield path, {(name + "x" if name == key else name): kept for name, kept in value.items()}
            yield from changed_everywhere(member, (*path, key))
        yield path, {**value, "more": 1}
    elif isinstance(value, list):
        yield from ((path, value[::-1]), (path, [*value, value[0]]))
        for place, member in enumerate(value):
            # A whole event may be left out: a receipt need not tell everything. Its proof may not.
            if not isinstance(member, dict):
                yield path, value[:place] + value[place + 1 :]
            yield from changed_everywhere(member, (*path, place))


def put(document: dict[str, Any], path: tuple[Any, ...], value: Any) -> Any:
    """The document with another value at the path."""
    if not path:
        return value
    changed = copy.deepcopy(document)
    place: Any = changed
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return changed


@pytest.mark.parametrize("trusted", [None, SIGNER.vkey(ORIGIN)])
def test_every_changed_character_of_a_receipt_is_refused(trusted: str | None) -> None:
    # Given Alice's receipt
    receipt = made_receipt()
    tried = 0

    for path, value in changed_everywhere(receipt):
        # When anything in it is another, then it is refused by name
        tried += 1
        with pytest.raises(ReceiptRefused):
            forms.verify_receipt(put(receipt, path, value), trusted_vkey=trusted)
    assert tried > 2000  # the walk did reach the whole receipt


@pytest.mark.parametrize("value", [None, [], "text", 5, {}, {"format": "staydown-receipt/2"}])
def test_another_format_is_named_as_such(value: Any) -> None:
    # Given a document that is no receipt of this version, when it is verified, then that is what is said
    document = value if isinstance(value, dict) else {"format": value}
    with pytest.raises(ReceiptFormatUnknown):
        forms.verify_receipt(document, trusted_vkey=None)


@pytest.mark.parametrize(
    ("member", "value", "error"),
    [
        ("log", [], ReceiptDamaged),
        ("subject", 5, ReceiptDamaged),
        ("checkpoint", None, ReceiptDamaged),
        ("events", [], ReceiptDamaged),
        ("events", ["x"], ReceiptDamaged),
        ("events", {}, ReceiptDamaged),
    ],
)
def test_a_member_of_the_wrong_kind_is_named(member: str, value: Any, error: type[ReceiptRefused]) -> None:
    # Given a receipt with such a member, when it is verified, then it is refused
    with pytest.raises(error):
        forms.verify_receipt({**made_receipt(), member: value}, trusted_vkey=None)


def test_an_event_taken_from_another_place_does_not_match() -> None:
    # Given a receipt whose second event carries the proof of the third
    receipt = made_receipt()
    receipt["events"][1]["proof"] = receipt["events"][2]["proof"]

    # When it is verified, then the entry is named
    with pytest.raises(ProofDoesNotMatch, match="Entry 5"):
        forms.verify_receipt(receipt, trusted_vkey=None)
