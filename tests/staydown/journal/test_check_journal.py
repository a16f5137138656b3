"""The check journals: written by many, read once."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from staydown.journal import CheckJournalReader, CheckJournalWriter, JournalDamaged


def test_each_record_is_read_once_from_remembered_positions(tmp_path: Path) -> None:
    # Given two writers
    one, other = CheckJournalWriter(tmp_path / "checks"), CheckJournalWriter(tmp_path / "checks")
    one.append({"check_id": "chk_1"})
    other.append({"check_id": "chk_2"})
    reader = CheckJournalReader(tmp_path / "checks")

    # When a reader reads, and reads again after one more record
    first, positions = reader.read({})
    one.append({"check_id": "chk_3"})
    second, after = reader.read(positions)

    # Then nothing is read twice
    assert {record["check_id"] for record in first} == {"chk_1", "chk_2"}
    assert [record["check_id"] for record in second] == ["chk_3"]
    assert reader.read(after) == ([], after)


def test_writer_moves_to_a_new_file_when_one_is_full(tmp_path: Path) -> None:
    writer = CheckJournalWriter(tmp_path, rotate_at_bytes=100)
    for number in range(10):
        writer.append({"check_id": f"chk_{number}", "pad": "x" * 40})
    writer.close()

    records, positions = CheckJournalReader(tmp_path).read({})

    assert [record["check_id"] for record in records] == [f"chk_{number}" for number in range(10)]
    assert len(positions) == 10


def test_record_that_is_still_being_written_waits(tmp_path: Path) -> None:
    # Given a file whose last line is not whole
    writer = CheckJournalWriter(tmp_path)
    writer.append({"check_id": "chk_1"})
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole + whole[:20])

    # When it is read, Then the whole record comes and the torn one waits
    records, positions = CheckJournalReader(tmp_path).read({})
    assert len(records) == 1
    assert positions[file.name] == len(whole)


def test_changed_byte_before_the_end_is_named(tmp_path: Path) -> None:
    writer = CheckJournalWriter(tmp_path)
    for number in range(3):
        writer.append({"check_id": f"chk_{number}"})
    (file,) = tmp_path.iterdir()
    content = bytearray(file.read_bytes())
    content[15] ^= 1
    file.write_bytes(content)

    with pytest.raises(JournalDamaged):
        CheckJournalReader(tmp_path).read({})


def test_what_was_read_is_deleted_but_not_what_is_still_written(tmp_path: Path) -> None:
    # Given two full files and the one being written, all of this living process
    writer = CheckJournalWriter(tmp_path, rotate_at_bytes=60)
    for number in range(3):
        writer.append({"check_id": f"chk_{number}", "pad": "x" * 30})
    reader = CheckJournalReader(tmp_path)
    first, second, current = sorted(path.name for path in tmp_path.iterdir())
    _, positions = reader.read({})

    # When what was read is deleted, with one of the full files read only in part
    deleted = reader.delete_read({**positions, second: 10})

    # Then only the file that is read and finished goes
    assert deleted == [first]
    assert sorted(path.name for path in tmp_path.iterdir()) == [second, current]


def test_last_file_of_a_dead_process_is_deleted_once_read(tmp_path: Path) -> None:
    # Given the journal of a process that is gone
    gone = subprocess.Popen(["true"])
    gone.wait()
    writer = CheckJournalWriter(tmp_path)
    writer.append({"check_id": "chk_1"})
    writer.close()
    (file,) = tmp_path.iterdir()
    file.rename(tmp_path / f"00000000000000000001-{gone.pid}.journal")
    reader = CheckJournalReader(tmp_path)

    # When it was not read yet, Then it stays; when it was, Then it goes
    assert reader.delete_read({}) == []
    _, positions = reader.read({})
    assert len(reader.delete_read(positions)) == 1


def test_old_file_is_left_for_a_new_one(tmp_path: Path) -> None:
    writer = CheckJournalWriter(tmp_path, rotate_after_seconds=0.0)
    writer.append({"check_id": "chk_1"})
    writer.append({"check_id": "chk_2"})

    assert len(list(tmp_path.iterdir())) == 2
