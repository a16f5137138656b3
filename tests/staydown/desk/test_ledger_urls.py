"""The public log: anybody may copy it, it verifies, and it says nothing about anybody."""

from __future__ import annotations

import hashlib

import pytest

from staydown.journeys.register_pictures import open_case_with_pictures
from staydown.ledger import rules
from staydown.ledger.checkpoint import open_checkpoint
from staydown.ledger.queries import latest_checkpoint
from tests.staydown.conftest import NOW, an_item
from tests.staydown.doors import Window


@pytest.fixture
def recorded(db: None) -> str:
    """A log with Alice's two first events; returns her case's number."""
    return open_case_with_pictures([an_item()], now=NOW).number


def test_anybody_reads_the_checkpoint_and_it_verifies(charlie: Window, recorded: str) -> None:
    # When
    answer = charlie.open("/ledger/checkpoint")

    # Then
    assert answer.status == 200
    assert answer.response.headers["Content-Type"] == "text/plain; charset=utf-8"
    vkey = charlie.open("/ledger/vkey").html.strip()
    checkpoint = open_checkpoint(answer.html, vkey=vkey)
    assert checkpoint == latest_checkpoint().checkpoint
    assert checkpoint.size == 2


def test_tiles_lead_to_the_root_that_the_checkpoint_signs(charlie: Window, recorded: str) -> None:
    # Given
    tile = charlie.client.get("/ledger/tile/0/000.p/2")
    entries = charlie.client.get("/ledger/tile/entries/000.p/2")

    # Then each is bytes, and the tile holds the digests of the entries
    assert tile.headers["Content-Type"] == entries.headers["Content-Type"] == "application/octet-stream"
    assert len(tile.content) == 64
    bundle, leaves = entries.content, b""
    while bundle:
        size = int.from_bytes(bundle[:2])
        leaves += rules.leaf_digest(bundle[2 : 2 + size])
        bundle = bundle[2 + size :]
    assert leaves == tile.content

    # And the two digests make the root
    root = hashlib.sha256(b"\x01" + tile.content).digest()
    assert root == latest_checkpoint().checkpoint.root


def test_log_says_nothing_about_a_case(charlie: Window, recorded: str) -> None:
    published = b"".join(
        charlie.client.get(f"/ledger/{name}").content
        for name in ("checkpoint", "vkey", "tile/0/000.p/2", "tile/entries/000.p/2")
    )

    assert recorded.encode() not in published
    assert b"case.opened" not in published


@pytest.mark.parametrize(
    "name",
    [
        "",
        "checkpoint/",
        "tile/0/000",
        "tile/0/000.p/3",
        "tile/0/000.p/0",
        "tile/0/001.p/2",
        "tile/1/000.p/2",
        "tile/63/000",
        "tile/-1/000",
        "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
        "tile/entries/x999/x999/x999/x999/x999/x999/999",
        "tile/0/\u0661\u0661\u0661",
        "tile/0/000.p/2/../../../ledger.key",
        "..%2fledger.key",
        "%00",
        "receipt",
    ],
)
def test_what_the_log_does_not_have_is_not_found(charlie: Window, recorded: str, name: str) -> None:
    assert charlie.open(f"/ledger/{name}").status == 404


def test_empty_log_publishes_nothing(charlie: Window, db: None) -> None:
    for name in ("checkpoint", "vkey", "tile/0/000.p/1"):
        assert charlie.open(f"/ledger/{name}").status == 404


def test_nobody_writes_the_log_through_its_addresses(charlie: Window, recorded: str) -> None:
    for method in ("post", "put", "patch", "delete"):
        answer = getattr(charlie.client, method)("/ledger/checkpoint")
        assert answer.status_code in (403, 405)
    assert latest_checkpoint().checkpoint.size == 2
