"""The upload check's two files follow the database, whatever was killed or restored in between."""

from __future__ import annotations

import json
import stat
from contextlib import closing
from typing import Any

from django.conf import settings

from staydown.access.operations import make_token, revoke_tokens
from staydown.access.terms import Platform, Scope
from staydown.bank.models import ChangeRecord, EntryRecord
from staydown.bank.operations import set_state
from staydown.bank.queries import last_change
from staydown.journal import BankFollower, BankJournalReader, BankJournalWriter, Folded, Reset
from staydown.journal.bank_follower import segments_folder
from staydown.journeys import publishing
from staydown.journeys.publishing import fold_bank, publish_bank, publish_tokens
from staydown.matching.terms import EntryState
from tests.staydown.conftest import NOW, an_entry


def reader() -> BankJournalReader:
    return BankJournalReader(settings.STAYDOWN_BANK_JOURNAL_PATH)


def bank_of(follower: BankJournalReader, known: dict[str, str] | None = None) -> dict[str, str]:
    """What a follower knows after a poll: state by entry."""
    known = dict(known or {})
    for record in follower.poll():
        if isinstance(record, Reset):
            known = {}
        elif record["op"] == "put":
            known[record["entry"]["id"]] = record["entry"]["state"]
        else:
            known.pop(record["entry_id"], None)
    return known


def test_empty_bank_is_published_as_an_empty_journal(db: None) -> None:
    assert publish_bank() == 0
    (reset,) = reader().poll()
    assert isinstance(reset, Reset)


def test_changes_are_published_once_and_in_order(db: None) -> None:
    # Given two entries
    follower = reader()
    first, second = an_entry(), an_entry()

    # When the bank is published twice, then the second time there is nothing to add
    assert (publish_bank(), publish_bank()) == (2, 0)
    assert bank_of(follower) == {first.id: "unconfirmed", second.id: "unconfirmed"}
    assert follower.poll() == []

    # When one is confirmed and the other withdrawn, then only that is added
    set_state(entry_ids=[first.id], state=EntryState.CONFIRMED, now=NOW)
    set_state(entry_ids=[second.id], state=EntryState.WITHDRAWN, now=NOW)
    assert publish_bank() == 2
    news = follower.poll()
    assert [(record["op"], record["seq"]) for record in news if not isinstance(record, Reset)] == [
        ("put", last_change() - 1),
        ("drop", last_change()),
    ]


def test_change_that_a_killed_process_did_not_publish_is_caught_by_the_next(db: None) -> None:
    # Given an entry whose process died after the commit
    publish_bank()
    follower = reader()
    bank_of(follower)
    lost = an_entry()

    # When anybody publishes, then it is there
    publish_bank()
    assert bank_of(follower) == {lost.id: "unconfirmed"}


def test_restored_database_starts_a_new_generation_without_what_it_does_not_know(db: None) -> None:
    # Given three published entries and a follower
    kept, withdrawn, newest = an_entry(), an_entry(), an_entry()
    set_state(entry_ids=[withdrawn.id], state=EntryState.WITHDRAWN, now=NOW)
    publish_bank()
    follower = reader()
    before = bank_of(follower)
    assert set(before) == {kept.id, newest.id}

    # When the database is restored from before the last two changes
    ChangeRecord.objects.filter(entry__public_id=newest.id).delete()
    EntryRecord.objects.filter(public_id=newest.id).delete()
    ChangeRecord.objects.order_by("-seq").first().delete()
    assert publish_bank() == 2

    # Then the follower forgets all and knows what the database knows
    assert bank_of(follower, before) == {kept.id: "unconfirmed"}
    with BankJournalWriter(settings.STAYDOWN_BANK_JOURNAL_PATH) as journal:
        assert journal.last_seq() == last_change()
    assert publish_bank() == 0


def test_emptied_database_leaves_an_empty_journal_once(db: None) -> None:
    an_entry()
    publish_bank()
    follower = reader()
    before = bank_of(follower)
    ChangeRecord.objects.all().delete()

    publish_bank()
    assert bank_of(follower, before) == {}

    # When nothing changes, then the journal is not replaced again
    publish_bank()
    assert follower.poll() == []


def test_what_was_withdrawn_is_gone_from_the_file_after_folding(db: None) -> None:
    # Given a published entry that was withdrawn, and one that lives
    gone, lives = an_entry(), an_entry()
    publish_bank()
    code = gone.fingerprints[0].hex.encode()
    set_state(entry_ids=[gone.id], state=EntryState.WITHDRAWN, now=NOW)
    publish_bank()
    assert bank_of(reader()) == {lives.id: "unconfirmed"}
    assert code in settings.STAYDOWN_BANK_JOURNAL_PATH.read_bytes()

    # When the journal is folded
    assert fold_bank(now=NOW).records == 3

    # Then its codes are in no file any more, followers know the same, and nothing is left to do
    files = [path for path in settings.STAYDOWN_BANK_JOURNAL_PATH.parent.rglob("*") if path.is_file()]
    assert len(files) > 5
    content = b"".join(path.read_bytes() for path in files)
    assert gone.fingerprints[0].code not in content
    assert code not in content
    with closing(BankFollower(settings.STAYDOWN_BANK_JOURNAL_PATH)) as follower:
        follower.poll()
        assert gone.id not in follower.bank
        assert lives.id in follower.bank
    assert (fold_bank(now=NOW), publish_bank()) == (Folded(), 0)


def test_damaged_segment_is_told_anew_from_the_database(db: None) -> None:
    # Given a bank in a segment of which a byte changed, unseen by the process that made it
    entries = [an_entry() for _ in range(3)]
    set_state(entry_ids=[entries[2].id], state=EntryState.WITHDRAWN, now=NOW)
    publish_bank()
    fold_bank(now=NOW)
    (rows,) = segments_folder(settings.STAYDOWN_BANK_JOURNAL_PATH).glob("*/rows.sqlite")
    content = bytearray(rows.read_bytes())
    content[len(content) // 2] ^= 1
    rows.write_bytes(content)
    publishing._folder.cache_clear()

    # When the next sweep comes
    an_entry()
    publish_bank()
    fold_bank(now=NOW)

    # Then all is there again
    with closing(BankFollower(settings.STAYDOWN_BANK_JOURNAL_PATH)) as follower:
        follower.poll()
        assert [entry.id in follower.bank for entry in entries] == [True, True, False]
        assert len(follower.bank) == 3


def test_good_tokens_are_published_for_this_account_only(forum: Platform) -> None:
    # Given a token
    make_token(platform_id=forum.id, scopes=[Scope.CHECK], now=NOW)

    # When tokens are published, then its digest is in a file that nobody else can read
    publish_tokens(now=NOW)
    path = settings.STAYDOWN_TOKENS_PATH
    document: dict[str, Any] = json.loads(path.read_text())
    assert [row["platform"] for row in document["tokens"]] == [forum.id]
    assert "sdk_" not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600

    # When they are revoked, then the next file is without it
    revoke_tokens(platform_id=forum.id, now=NOW)
    publish_tokens(now=NOW)
    assert json.loads(path.read_text())["tokens"] == []
