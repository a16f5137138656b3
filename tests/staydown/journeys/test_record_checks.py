"""What upload checks reported is recorded exactly once, and one bad record stops nothing."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from staydown.access.terms import Platform
from staydown.bank.models import SeenMatchRecord
from staydown.bank.queries import match_counts
from staydown.catalog.models import ContentRecord
from staydown.catalog.operations import save_positions
from staydown.catalog.queries import journal_positions
from staydown.journal import CheckJournalWriter
from staydown.journal.lines import encode_line
from staydown.journeys import record_checks as journey
from staydown.journeys.record_checks import delete_read_checks, record_checks
from tests.staydown.conftest import NOW, an_entry, some_digests


@pytest.fixture
def journal() -> CheckJournalWriter:
    return CheckJournalWriter(settings.STAYDOWN_CHECKS_DIR)


def a_record(
    platform_id: str, number: int = 1, *, entry_ids: tuple[str, ...] = (), **changes: Any
) -> dict[str, Any]:
    digests = some_digests()
    return {
        "check_id": f"chk_{number}",
        "at": NOW.isoformat(),
        "platform": platform_id,
        "content_id": f"post-{number}",
        "content_url": f"http://127.0.0.1:8001/posts/{number}",
        "media": "image",
        "sha256": digests.sha256,
        "md5": digests.md5,
        "pdq": None,
        "pdq512": None,
        "action": "hold" if entry_ids else "allow",
        "matches": [{"entry_id": entry_id, "kind": "near", "distance_bits": 9} for entry_id in entry_ids],
        **changes,
    }


def listed() -> list[str]:
    return list(ContentRecord.objects.order_by("content_id").values_list("content_id", flat=True))


def test_without_any_check_there_is_nothing_to_do(db: None) -> None:
    assert record_checks() == 0


def test_checks_are_listed_and_their_matches_counted(forum: Platform, journal: CheckJournalWriter) -> None:
    # Given two checks, one of which met an entry
    entry = an_entry()
    journal.append(a_record(forum.id, 1))
    journal.append(a_record(forum.id, 2, entry_ids=(entry.id, "ent_unknown")))

    # When they are recorded
    assert record_checks() == 2

    # Then both are in the catalog, and the entry was met once
    assert listed() == ["post-1", "post-2"]
    assert match_counts([entry.id]) == {entry.id: 1}


def test_each_check_is_recorded_once_however_often_the_sweep_runs(
    forum: Platform, journal: CheckJournalWriter
) -> None:
    # Given a recorded check
    entry = an_entry()
    journal.append(a_record(forum.id, 1, entry_ids=(entry.id,)))
    assert (record_checks(), record_checks()) == (1, 0)

    # When another process writes one more, then only that is read
    journal.append(a_record(forum.id, 2, entry_ids=(entry.id,)))
    CheckJournalWriter(settings.STAYDOWN_CHECKS_DIR).append(a_record(forum.id, 3, entry_ids=(entry.id,)))
    assert (record_checks(), record_checks()) == (2, 0)
    assert match_counts([entry.id]) == {entry.id: 3}


def test_failed_transaction_is_read_again_whole(
    forum: Platform, journal: CheckJournalWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a sweep that dies after it stored and before it remembered how far it came
    entry = an_entry()
    journal.append(a_record(forum.id, 1, entry_ids=(entry.id,)))

    def die(positions: object) -> None:
        raise OSError

    with monkeypatch.context() as broken:
        broken.setattr(journey, "save_positions", die)
        with pytest.raises(OSError):
            record_checks()

    # Then nothing was stored, and the next sweep stores all
    assert (listed(), match_counts([entry.id]), journal_positions()) == ([], {}, {})
    assert record_checks() == 1
    assert (listed(), match_counts([entry.id])) == (["post-1"], {entry.id: 1})


@pytest.mark.parametrize(
    "bad",
    [
        {"check_id": None},
        {"at": "yesterday"},
        {"at": "2026-03-07T20:30:00"},
        {"content_id": {"id": 1}},
        {"sha256": 7},
        {"pdq": {"codes": [7], "quality": 80}},
        {"matches": [{"entry_id": "ent_1", "kind": "near", "distance_bits": "9"}]},
        {"platform": ["pf_1"]},
    ],
    ids=repr,
)
def test_malformed_record_is_left_out_and_those_around_it_are_recorded(
    forum: Platform, journal: CheckJournalWriter, bad: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    # Given a bad record between two good ones
    journal.append(a_record(forum.id, 1))
    journal.append(a_record(forum.id, 2, **bad))
    journal.append(a_record(forum.id, 3))

    # When they are recorded, then the good ones are there and the bad one is in the log once
    with caplog.at_level(logging.ERROR):
        record_checks()
        record_checks()
    assert listed() == ["post-1", "post-3"]
    assert len(caplog.records) == 1
    assert "post-2" not in caplog.text


def test_check_of_a_platform_that_is_not_served_is_left_out(
    forum: Platform, journal: CheckJournalWriter, caplog: pytest.LogCaptureFixture
) -> None:
    entry = an_entry()
    journal.append(a_record("pf_gone", 1, entry_ids=(entry.id,)))
    journal.append(a_record(forum.id, 2))

    record_checks()

    assert listed() == ["post-2"]
    assert match_counts([entry.id]) == {}
    assert [row.levelname for row in caplog.records] == ["ERROR"]


def test_blocked_upload_is_counted_but_not_listed(forum: Platform, journal: CheckJournalWriter) -> None:
    entry = an_entry()
    journal.append(a_record(forum.id, 1, entry_ids=(entry.id,), action="block"))

    record_checks()

    assert listed() == []
    assert match_counts([entry.id]) == {entry.id: 1}


def test_line_that_is_still_being_written_is_left_for_the_next_sweep(
    forum: Platform, journal: CheckJournalWriter
) -> None:
    # Given a line of which only half is there
    journal.append(a_record(forum.id, 1))
    [path] = settings.STAYDOWN_CHECKS_DIR.iterdir()
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    assert record_checks() == 0

    # When the rest arrives, then it is recorded
    path.write_bytes(whole)
    assert record_checks() == 1
    assert listed() == ["post-1"]


def test_journal_that_was_read_to_its_end_is_deleted_and_forgotten(
    forum: Platform, journal: CheckJournalWriter
) -> None:
    # Given a journal that was read, one that was read half, one unread, and the one that is being written
    def write(name: int, *numbers: int) -> Path:
        path = settings.STAYDOWN_CHECKS_DIR / f"{name:020d}-{os.getpid()}.journal"
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_bytes(b"".join(encode_line(a_record(forum.id, number)) for number in numbers))
        return path

    read, half = write(1, 1), write(2, 2)
    journal.append(a_record(forum.id, 3))
    record_checks()
    half.write_bytes(half.read_bytes() + encode_line(a_record(forum.id, 4)))
    unread = write(3, 5)

    # When the sweep comes by, then only what was read and is written no more is gone
    assert delete_read_checks() == 1
    assert not read.exists()
    assert half.exists()
    assert unread.exists()
    assert set(journal_positions()) == {half.name, *other_names(read, half, unread)}

    # When it comes after the rest was read, then nothing is lost or recorded twice
    record_checks()
    assert delete_read_checks() == 2
    assert record_checks() == 0
    assert listed() == [f"post-{number}" for number in range(1, 6)]
    assert len(journal_positions()) == 1


def other_names(*paths: Path) -> set[str]:
    """The journals in the folder beside these."""
    return {path.name for path in settings.STAYDOWN_CHECKS_DIR.iterdir()} - {path.name for path in paths}


def test_position_in_a_file_that_is_gone_is_forgotten(db: None) -> None:
    # Given a process that was killed between the file and the row
    save_positions({"1-1.journal": 100})

    assert delete_read_checks() == 0
    assert journal_positions() == {}


def test_near_upload_leaves_a_mark_of_its_file_and_an_exact_one_none(
    forum: Platform, journal: CheckJournalWriter
) -> None:
    # Given the same file near an entry in two posts, another file, and the very picture
    entry, same = an_entry(), some_digests()
    exact = [{"entry_id": entry.id, "kind": "exact", "distance_bits": 0}]
    journal.append(a_record(forum.id, 1, entry_ids=(entry.id,), sha256=same.sha256, md5=same.md5))
    journal.append(a_record(forum.id, 2, entry_ids=(entry.id,), sha256=same.sha256, md5=same.md5))
    journal.append(a_record(forum.id, 3, entry_ids=(entry.id,)))
    journal.append(a_record(forum.id, 4, matches=exact))

    # When they are recorded
    record_checks()

    # Then a file can be told from another, nothing more, and each match is its platform's
    rows = SeenMatchRecord.objects.order_by("check_id").values_list("upload", "platform_id")
    first, again, other, very = [upload for upload, platform_id in rows]
    assert (first == again, first == other, very) == (True, False, "")
    assert same.sha256.find(first) == -1
    assert {platform_id for upload, platform_id in rows} == {forum.id}
