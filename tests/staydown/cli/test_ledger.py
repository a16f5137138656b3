"""`staydown ledger`: the operator's side of the log, from recording to a receipt checked by somebody else."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from django.db import transaction

from staydown.cli import ledger, receipt
from staydown.ledger.models import LedgerEntry, LedgerHead, LedgerNode
from staydown.ledger.operations import record
from staydown.ledger.queries import receipt_for
from staydown.ledger.terms import LedgerEvent

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(ledger.command, list(map(str, arguments)))


def fill(count: int) -> None:
    with transaction.atomic():
        for _ in range(count):
            record(LedgerEvent("request.received", NOON, "R-AAAA-AAAA"))


@pytest.fixture(autouse=True)
def _own_ledger(settings: Any, tmp_path: Path, db: None) -> None:
    settings.STAYDOWN_LEDGER_KEY_PATH = tmp_path / "ledger.key"
    settings.STAYDOWN_LEDGER_ORIGIN = "forum.example/ledger"


def test_a_receipt_from_this_installation_is_proved_against_its_export(tmp_path: Path) -> None:
    # Given a log with a receipt taken at some time, exported later
    fill(5)
    taken = tmp_path / "receipt.json"
    taken.write_text(json.dumps(receipt_for("R-AAAA-AAAA")), encoding="utf-8")
    fill(260)
    exported = run("export", tmp_path / "log")
    assert exported.exit_code == 0, exported.output
    key = run("key").output.strip()

    # When somebody verifies it with the published key and log
    arguments = ["verify", str(taken), "--key", key, "--log", str(tmp_path / "log")]
    result = CliRunner().invoke(receipt.command, arguments)

    # Then it is proved
    assert result.exit_code == 0, result.output
    assert "all 265 entries" in result.output


def test_exporting_again_adds_what_is_new(tmp_path: Path) -> None:
    # Given an export
    fill(256)
    first = run("export", tmp_path / "log")
    assert "256 entries" in first.output
    assert "3 files are new" in first.output

    # When the log grew, then only new tiles are written; and without news nothing is
    fill(1)
    assert "2 files are new" in run("export", tmp_path / "log").output
    assert "0 files are new" in run("export", tmp_path / "log").output


def test_a_log_that_was_started_anew_does_not_replace_what_was_published(tmp_path: Path) -> None:
    # Given a published log
    fill(5)
    run("export", tmp_path / "log")
    published = (tmp_path / "log" / "checkpoint").read_bytes()

    # When the database is lost and filled again, shorter or longer
    for model in (LedgerEntry, LedgerNode, LedgerHead):
        model.objects.all().delete()
    fill(4)
    shorter = run("export", tmp_path / "log")
    fill(4)
    longer = run("export", tmp_path / "log")

    # Then what was published stays
    assert (shorter.exit_code, longer.exit_code) == (1, 1)
    assert "shorter" in shorter.stderr
    assert "do not belong to one log" in longer.stderr
    assert (tmp_path / "log" / "checkpoint").read_bytes() == published


def test_a_folder_with_another_log_is_left_alone(tmp_path: Path, settings: Any) -> None:
    # Given a folder that holds another log, or something that is none
    fill(2)
    run("export", tmp_path / "log")
    settings.STAYDOWN_LEDGER_ORIGIN = "elsewhere.example/ledger"
    fill(1)
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "checkpoint").write_text("shopping list")

    # When this log is exported there, then it is left alone
    for folder in ("log", "notes"):
        result = run("export", tmp_path / folder)
        assert result.exit_code == 1
        assert "left alone" in result.stderr


def test_an_empty_log_has_a_key_but_nothing_to_export(tmp_path: Path) -> None:
    # Given nothing recorded yet, when asked, then the key is there and the export says why not
    assert run("key").output.startswith("forum.example/ledger+")
    assert "empty" in run("export", tmp_path / "log").stderr
    assert "sound: 0 entries" in run("verify").output


def test_the_key_that_is_announced_is_the_key_that_signs(tmp_path: Path) -> None:
    # Given the key announced before the first entry, when entries are signed, then it is the same
    before = run("key").output
    fill(1)
    assert run("key").output == before


def test_a_damaged_database_names_the_first_damaged_entry() -> None:
    # Given a log in whose database an entry was changed
    fill(6)
    assert "sound: 6 entries, 0 of them erased" in run("verify").output
    LedgerEntry.objects.filter(index=3).update(commitment=bytes(32))

    # When it is verified, then that entry is named
    result = run("verify")
    assert result.exit_code == 1
    assert "entry 3 (commitment)" in result.stderr
