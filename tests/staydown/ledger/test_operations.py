"""Recording and erasing: one leaf at a time, in the caller's transaction, never twice and never silently."""

from __future__ import annotations

import stat
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from staydown.ledger import queries, rules
from staydown.ledger.checkpoint import open_checkpoint, verify_receipt
from staydown.ledger.errors import (
    EventNotRecordable,
    KeyFileUnreadable,
    LedgerNeedsTransaction,
    LogDamaged,
)
from staydown.ledger.models import LedgerEntry, LedgerNode
from staydown.ledger.operations import erase, load_or_create_signer, record
from staydown.ledger.terms import LedgerEvent

from .conftest import NOON

Fill = Callable[[int], None]


def test_an_event_gets_the_next_place_and_a_signed_head(recorded: Fill) -> None:
    # Given a log with two entries
    recorded(2)

    # When Bob's decision is recorded
    event = LedgerEvent("request.decided", NOON, "R-AAAA-AAAA", {"decision": "removed"})
    done = record(event)

    # Then it is the third entry under a head signed by this installation
    assert (done.index, done.event, len(done.salt)) == (2, event, 32)
    signed = queries.latest_checkpoint()
    assert signed is not None
    assert open_checkpoint(signed.text, vkey=signed.vkey) == signed.checkpoint
    assert (signed.checkpoint.size, signed.checkpoint.origin) == (3, "forum.example/ledger")
    assert queries.events_of("R-AAAA-AAAA")[-1] == done


def test_the_root_of_every_size_is_that_of_the_entries(recorded: Fill) -> None:
    # Given a log that grew to forty entries
    recorded(40)
    leaves = [rules.leaf_digest(bytes(row.commitment)) for row in LedgerEntry.objects.order_by("index")]

    for size in range(41):
        # When the root of an earlier size is asked for, then it is that of the entries up to there
        tree = rules.GrowingTree()
        for leaf in leaves[:size]:
            tree.add(leaf)
        assert queries.root_at(size) == tree.root()


def test_recording_asks_the_database_the_same_few_questions_at_any_size(
    recorded: Fill, django_assert_max_num_queries: Any
) -> None:
    # Given a log of some length
    recorded(127)

    # When one more is recorded (the one that completes seven subtrees), then it costs at most
    # head, frontier, entry, nodes, head
    with django_assert_max_num_queries(5):
        record(LedgerEvent("request.received", NOON, "R-AAAA-AAAA"))


@pytest.mark.django_db(transaction=True)
def test_recording_outside_a_transaction_is_refused(ledger_settings: Any) -> None:
    # Given no transaction, when something is recorded or erased, then it is refused
    with pytest.raises(LedgerNeedsTransaction):
        record(LedgerEvent("request.received", NOON, "R-AAAA-AAAA"))
    with pytest.raises(LedgerNeedsTransaction):
        erase("R-AAAA-AAAA", now=NOON)


@pytest.mark.django_db(transaction=True)
def test_what_is_rolled_back_was_never_recorded(ledger_settings: Any) -> None:
    # Given one recorded event
    with transaction.atomic():
        record(LedgerEvent("request.received", NOON, "R-AAAA-AAAA"))
    before = queries.latest_checkpoint()

    # When the next transaction fails after recording
    def decide_and_fail() -> None:
        with transaction.atomic():
            record(LedgerEvent("request.decided", NOON, "R-AAAA-AAAA"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        decide_and_fail()

    # Then the log is as before, and it goes on from there
    assert queries.latest_checkpoint() == before
    with transaction.atomic():
        assert record(LedgerEvent("request.withdrawn", NOON, "R-AAAA-AAAA")).index == 1
    assert queries.check_log().sound


def test_an_event_with_free_text_leaves_no_trace(recorded: Fill) -> None:
    # Given a log
    recorded(1)

    # When an event carries a name, then nothing is recorded
    with pytest.raises(EventNotRecordable):
        record(LedgerEvent("request.received", NOON, "R-AAAA-AAAA", {"name": "Alice Example"}))
    assert LedgerEntry.objects.count() == 1


def test_a_log_whose_right_edge_was_changed_signs_nothing_more(recorded: Fill) -> None:
    # Given a log of which one node was changed in the database
    recorded(5)
    LedgerNode.objects.filter(level=2, index=0).update(digest=bytes(32))

    # When something is to be recorded, then the log refuses instead of contradicting its own signature
    with pytest.raises(LogDamaged):
        record(LedgerEvent("request.received", NOON, "R-AAAA-AAAA"))


def test_erasing_leaves_the_tree_and_takes_everything_that_opens_it(recorded: Fill) -> None:
    # Given a log with four entries of Alice's
    recorded(10)
    before = [bytes(row.commitment) for row in LedgerEntry.objects.order_by("index")]

    # When her data is erased
    erasure = erase("R-AAAA-AAAA", now=NOON + timedelta(days=1))

    # Then nothing that opens her entries is left, the commitments are the same, and it is recorded
    emptied = LedgerEntry.objects.filter(salt=None).order_by("index")
    assert [row.index for row in emptied] == [0, 3, 6, 9]
    assert all(row.event is None and row.subject is None for row in emptied)
    after = [bytes(row.commitment) for row in LedgerEntry.objects.order_by("index")]
    assert after[:10] == before
    assert (erasure.event.kind, erasure.event.details) == ("ledger.erased", {"entries": 4})
    assert [recorded.event for recorded in queries.events_of("R-AAAA-AAAA")] == [erasure.event]
    check = queries.check_log()
    assert (check.sound, check.erased, check.size) == (True, 4, 11)


def test_erasing_again_is_recorded_as_nothing_left_to_erase(recorded: Fill) -> None:
    # Given a subject that was erased
    recorded(4)
    erase("R-AAAA-AAAA", now=NOON)

    # When it is erased again, then that too is recorded
    assert erase("R-AAAA-AAAA", now=NOON).event.details == {"entries": 0}
    assert len(queries.events_of("R-AAAA-AAAA")) == 2


def test_a_receipt_handed_out_before_an_erasure_still_verifies(recorded: Fill) -> None:
    # Given a receipt that Alice took away
    recorded(4)
    receipt = queries.receipt_for("R-AAAA-AAAA")

    # When her data is erased here, then her own copy still proves what happened
    erase("R-AAAA-AAAA", now=NOON)
    assert len(verify_receipt(receipt, trusted_vkey=None).events) == 2


def test_the_key_is_made_once_and_is_private(tmp_path: Path) -> None:
    # Given no key
    path = tmp_path / "new" / "ledger.key"

    # When several workers ask for it at once
    with ThreadPoolExecutor(8) as pool:
        made = load_or_create_signer.__wrapped__
        keys = {signer.vkey("a") for signer in pool.map(made, [path] * 16)}

    # Then they have the same key, nobody else can read it, and no draft is left
    assert len(keys) == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["ledger.key"]


@pytest.mark.parametrize(
    "content", [b"", b"not a key", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
)
def test_a_key_file_that_holds_no_key_is_refused(tmp_path: Path, content: bytes) -> None:
    # Given a file that is no key, when it is loaded, then it is refused and not replaced
    path = tmp_path / "ledger.key"
    path.write_bytes(content)
    with pytest.raises(KeyFileUnreadable):
        load_or_create_signer(path)
    assert path.read_bytes() == content


WRITER = """
import sys
from django.conf import settings
import django
database, key, task, count = sys.argv[1:]
settings.configure(
    INSTALLED_APPS=["staydown.ledger"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": database, "OPTIONS": {
        "transaction_mode": "IMMEDIATE", "timeout": 20, "init_command": "PRAGMA journal_mode=WAL;"}}},
    USE_TZ=True, STAYDOWN_LEDGER_KEY_PATH=key, STAYDOWN_LEDGER_ORIGIN="forum.example/ledger",
)
django.setup()
from datetime import UTC, datetime
from django.core.management import call_command
from django.db import transaction
from staydown.ledger import operations, queries
from staydown.ledger.terms import LedgerEvent
if task == "migrate":
    call_command("migrate", verbosity=0)
elif task == "check":
    check = queries.check_log()
    assert (check.sound, check.size) == (True, int(count)), check
else:
    for _ in range(int(count)):
        with transaction.atomic():
            operations.record(LedgerEvent("request.received", datetime(2026, 11, 22, tzinfo=UTC), task))
"""


def test_two_processes_recording_at_once_make_one_log(tmp_path: Path) -> None:
    # Given a database file with the installation's settings for SQLite (WAL, IMMEDIATE)
    def start(task: str, count: int) -> subprocess.Popen[bytes]:
        arguments = [str(tmp_path / "log.sqlite3"), str(tmp_path / "ledger.key"), task, str(count)]
        return subprocess.Popen([sys.executable, "-c", WRITER, *arguments])

    assert start("migrate", 0).wait(60) == 0

    # When two processes record at the same time, both with no key yet
    writers = [start("R-AAAA-AAAA", 60), start("R-BBBB-BBBB", 60)]
    assert [writer.wait(60) for writer in writers] == [0, 0]

    # Then every event has its own place in one sound log
    assert start("check", 120).wait(60) == 0
