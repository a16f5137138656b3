"""The signed manifest: what is written is read back, and nothing else is."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from staydown import signed_note
from staydown.client.edge_manifest import (
    FORMAT,
    EdgeFile,
    EdgeManifest,
    check_public_key,
    entity_tag,
    is_file_name,
    read_manifest,
)
from staydown.client.errors import ClientMisconfigured, EdgeManifestRefused
from staydown.ledger.checkpoint import Signer
from staydown.ledger.terms import Checkpoint

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
ORIGIN = "staydown.example/ledger"
VKEY = Signer(KEY).vkey(ORIGIN)
AT = datetime(2026, 3, 7, 20, 30, tzinfo=UTC)
CODES = EdgeFile("codes-0123456789abcdef.index", "ab" * 32, 1000, 10)
DIGESTS = EdgeFile("digests-0123456789abcdef.bin", "cd" * 32, 66, 2)
MANIFEST = EdgeManifest(AT, AT + timedelta(hours=24), 17, CODES, DIGESTS)


def signed(text: str) -> str:
    return Signer(KEY).sign_note(text, name=ORIGIN)


def test_manifest_is_read_back_as_it_was_made() -> None:
    assert read_manifest(signed(MANIFEST.text()), public_key=VKEY) == MANIFEST


def test_times_of_another_zone_are_read_as_utc() -> None:
    shifted = EdgeManifest(
        AT.astimezone(timezone(timedelta(hours=5))), MANIFEST.expires_at, 17, CODES, DIGESTS
    )

    assert read_manifest(signed(shifted.text()), public_key=VKEY).made_at.tzinfo is UTC


def test_checkpoint_of_the_same_key_is_no_manifest_and_a_manifest_no_checkpoint() -> None:
    # Given the key signs both
    signer = Signer(KEY)
    checkpoint = signer.sign(Checkpoint(ORIGIN, 5, bytes(32))).text

    # Then neither passes for the other
    with pytest.raises(EdgeManifestRefused, match="not of the format"):
        read_manifest(checkpoint, public_key=VKEY)
    assert not MANIFEST.text().startswith(ORIGIN)


@pytest.mark.parametrize(
    "changed",
    [
        {"made_at": "yesterday"},
        {"made_at": "2026-03-07T20:30:00"},
        {"expires_at": None},
        {"sequence": -1},
        {"sequence": True},
        {"sequence": 1.5},
        {"codes": None},
        {"codes": {}},
        {"codes": {"name": "../../etc/passwd", "sha256": "ab" * 32, "size_bytes": 1, "count": 1}},
        {"codes": {"name": CODES.name, "sha256": "AB" * 32, "size_bytes": 1, "count": 1}},
        {"codes": {"name": CODES.name, "sha256": "ab" * 32, "size_bytes": "1", "count": 1}},
    ],
)
def test_signed_text_that_is_not_understood_is_refused(changed: dict[str, Any]) -> None:
    document = json.loads(MANIFEST.text().partition("\n")[2]) | changed

    with pytest.raises(EdgeManifestRefused):
        read_manifest(signed(f"{FORMAT}\n{json.dumps(document)}\n"), public_key=VKEY)


@pytest.mark.parametrize(
    "text", ["staydown-edge/2\n{}\n", f"{FORMAT}\n", f"{FORMAT}\n[]\n", f"{FORMAT}\n{'[' * 9999}\n"]
)
def test_signed_text_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(EdgeManifestRefused):
        read_manifest(signed(text), public_key=VKEY)


@given(st.text())
def test_no_unsigned_text_is_taken(note: str) -> None:
    with pytest.raises(EdgeManifestRefused):
        read_manifest(note, public_key=VKEY)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (CODES.name, True),
        (DIGESTS.name, True),
        ("manifest.note", False),
        ("../" + CODES.name, False),
        (CODES.name + "\n", False),
        (".lock", False),
    ],
)
def test_only_published_files_have_a_published_name(name: str, expected: bool) -> None:
    assert is_file_name(name) is expected


def test_entity_tag_is_quoted_and_differs_with_the_text() -> None:
    assert entity_tag("a") != entity_tag("b")
    assert entity_tag("a")[0] == entity_tag("a")[-1] == '"'


def test_public_key_that_is_none_is_refused() -> None:
    check_public_key(VKEY)
    with pytest.raises(ClientMisconfigured):
        check_public_key(signed_note.to_base64(bytes(32)))
