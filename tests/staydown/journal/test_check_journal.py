"""The check journals: written by many, read once."""

from __future__ import annotations

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
