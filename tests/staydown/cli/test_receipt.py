"""`staydown receipt verify`: what Alice, her advocate or a court sees on their own computer."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from staydown.cli.receipt import command
from tests.staydown.cli.published_log import VKEY, MadeLog, made_entries


def verify(*arguments: object) -> Result:
    return CliRunner().invoke(command, ["verify", *map(str, arguments)])


@pytest.fixture
def log() -> MadeLog:
    return MadeLog(made_entries(9))


@pytest.fixture
def receipt(log: MadeLog, tmp_path: Path) -> Path:
    return log.receipt(tmp_path / "receipt.json")


def test_a_good_receipt_is_told_in_plain_words(receipt: Path) -> None:
    # Given Alice's receipt and the key that the platform publishes
    # When it is verified
    result = verify(receipt, "--key", VKEY)

    # Then it says what was received and done, when in UTC, and how many hours lay between
    assert result.exit_code == 0, result.output
    assert "PROVED. Receipt for R-7K4M-2Q9X, from the log forum.example/ledger." in result.output
    assert "2026-11-22 15:00:00 UTC  Request received (copies: 2)" in result.output
    assert "2026-11-23 17:10:00 UTC  Request decided (decision: removed), 26 h 10 min later" in result.output
    assert "From the first to the last: 26 h 10 min later." in result.output
    assert "with the key you gave" in result.output


def test_without_a_key_it_says_that_the_key_is_not_pinned(receipt: Path) -> None:
    # Given a receipt, when no key is given, then that is said, with the key to compare
    result = verify(receipt)
    assert result.exit_code == 0
    assert result.output.startswith("ADDS UP, BUT THE KEY WAS NOT CHECKED.")
    assert "NOT PINNED" in result.output
    assert VKEY in result.output


def test_another_key_than_the_expected_one_is_refused(receipt: Path) -> None:
    # Given somebody else's key, when the receipt is verified with it, then it is not proved
    other = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    result = verify(receipt, "--key", other)
    assert result.exit_code == 1
    assert "NOT PROVED" in result.stderr
    assert "another key" in result.stderr


def test_a_key_that_is_none_is_refused(receipt: Path) -> None:
    # Given nonsense as a key, when the receipt is verified, then the key is what is named
    result = verify(receipt, "--key", "nonsense")
    assert result.exit_code == 1
    assert "verifier key is malformed" in result.stderr


def test_a_receipt_is_held_against_the_whole_published_log(receipt: Path, tmp_path: Path) -> None:
    # Given the log as it was published later, with more entries
    folder = MadeLog(made_entries(300)).publish(tmp_path / "log")

    # When the receipt is verified with it, then both add up
    result = verify(receipt, "--log", folder)
    assert result.exit_code == 0, result.output
    assert "all 300 entries" in result.output


def test_one_changed_byte_of_the_log_is_refused_and_located(receipt: Path, tmp_path: Path) -> None:
    # Given a log with one changed byte
    folder = MadeLog(made_entries(20)).publish(tmp_path / "log")
    bundle = folder / "tile" / "entries" / "000.p" / "20"
    content = bytearray(bundle.read_bytes())
    content[34 * 11 + 9] ^= 0x40
    bundle.write_bytes(content)

    # When the receipt is verified with it, then the place is named and nothing is called proved
    result = verify(receipt, "--log", folder)
    assert result.exit_code == 1
    assert "entry 11 of the log" in result.stderr
    assert result.stdout == ""


def test_a_log_rewritten_by_its_operator_is_convicted_by_the_receipt(receipt: Path, tmp_path: Path) -> None:
    # Given a log from which Alice's first entry was taken, signed anew with the log's own key
    entries = made_entries(20)
    entries[2] = bytes(32)
    folder = MadeLog(entries).publish(tmp_path / "log")

    # When her receipt is verified with it, then the two do not belong to one log
    result = verify(receipt, "--key", VKEY, "--log", folder)
    assert result.exit_code == 1
    assert "do not belong to one log" in result.stderr


def test_any_changed_byte_of_a_receipts_file_is_refused(receipt: Path) -> None:
    # Given a receipt; its white space proves nothing and is left out
    content = receipt.read_bytes()

    for place in range(0, len(content), 3):
        if content[place : place + 1].isspace():
            continue
        # When one byte is another, then the receipt is refused in words, without a traceback
        receipt.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        result = verify(receipt, "--key", VKEY)
        assert result.exit_code == 1, (place, content[place - 20 : place + 20])
        assert result.stderr.startswith("NOT PROVED")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"9" * 10_000, "not JSON"),
        (b"[]", "not a receipt"),
        (b'{"format":"staydown-receipt/1","format":"staydown-receipt/1"}', "not JSON"),
        (b'{"format":"something else"}', "not a Staydown receipt"),
        (b'{"format":"staydown-receipt/2"}', "later version"),
        (b'{"format":"staydown-receipt/1"}', "lacks a member"),
    ],
)
def test_a_foreign_file_is_refused_in_words(tmp_path: Path, content: bytes, said: str) -> None:
    # Given a file that is no receipt, when it is verified, then it is refused and told why
    path = tmp_path / "receipt.json"
    path.write_bytes(content)
    result = verify(path)
    assert result.exit_code == 1
    assert said in result.stderr


def test_a_missing_file_and_a_folder_are_refused_in_words(tmp_path: Path) -> None:
    # Given no file, or a folder, when it is verified, then that is said
    for path in (tmp_path / "none.json", tmp_path):
        result = verify(path)
        assert result.exit_code == 1
        assert "cannot be read" in result.stderr


def test_a_huge_file_is_refused_before_it_is_read_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a file past the limit, when it is verified, then its length is what is named
    monkeypatch.setattr("staydown.cli.receipt.MAX_RECEIPT_BYTES", 10)
    path = tmp_path / "receipt.json"
    path.write_bytes(b" " * 11)
    assert "far too long" in verify(path).stderr


def test_a_receipt_cannot_play_tricks_with_the_screen(tmp_path: Path) -> None:
    # Given a receipt whose maker put control characters into what is printed
    from datetime import timedelta

    from staydown.ledger import checkpoint as forms
    from staydown.ledger import rules
    from staydown.ledger.terms import Checkpoint, LedgerEvent, RecordedEvent
    from tests.staydown.cli.published_log import AT, ORIGIN, SIGNER

    event = LedgerEvent(
        "a.b\x1b[2K", AT + timedelta(hours=1), "R-\u202e\n-fake", {"x\x07": "\x1b]0;title\x07"}
    )
    leaf = rules.leaf_digest(rules.commitment_of(rules.event_document(event), salt=bytes(32)))
    document: dict[str, Any] = forms.receipt_document(
        subject=event.subject,
        signed=SIGNER.sign(Checkpoint(ORIGIN, 1, leaf)),
        events=[(RecordedEvent(0, event, bytes(32)), [])],
    )
    path = tmp_path / "receipt.json"
    path.write_text(json.dumps(document), encoding="utf-8")

    # When it is verified, then none of them reaches the screen
    result = verify(path)
    assert result.exit_code == 0
    assert all(character.isprintable() or character == "\n" for character in result.stdout)
    assert "R-??-fake" in result.stdout


def test_verifying_needs_no_django(receipt: Path) -> None:
    # Given a computer without Django
    script = (
        "import sys; sys.modules['django'] = None\n"
        "from staydown.cli.receipt import command\n"
        f"command(['verify', {str(receipt)!r}])"
    )

    # When a receipt is verified there, then it works
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "ADDS UP" in done.stdout
