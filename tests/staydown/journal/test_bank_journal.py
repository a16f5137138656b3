"""The bank journal as its writer and its followers meet it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from staydown.journal import (
    BankJournalReader,
    BankJournalWriter,
    JournalDamaged,
    JournalFormatUnknown,
    Reset,
    SequenceNotRising,
)
from staydown.journal.bank_journal import TAIL_BYTES, Generation


def _put(seq: int) -> dict[str, Any]:
    return {"seq": seq, "op": "put", "entry": {"id": f"ent_{seq}", "codes": []}}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "bank.journal"


def test_what_is_appended_is_what_a_follower_reads(path: Path) -> None:
    # Given a follower that came before the journal
    reader = BankJournalReader(path)
    assert reader.poll() == []
    assert not reader.exists

    # When two records are appended, then a third
    with BankJournalWriter(path) as journal:
        journal.append([_put(1), _put(2)])
    first = reader.poll()
    with BankJournalWriter(path) as journal:
        journal.append([_put(5)])

    # Then the follower reads each once, in order, after a reset
    assert [*map(_told, first)] == [Reset, _put(1), _put(2)]
    assert reader.poll() == [_put(5)]
    assert reader.poll() == []


def test_writer_knows_the_last_sequence_number_also_of_a_long_journal(path: Path) -> None:
    # Given a journal longer than the part that a writer looks at
    long = [{**_put(seq), "pad": "x" * (TAIL_BYTES // 100)} for seq in range(1, 401)]
    with BankJournalWriter(path) as journal:
        journal.append(long)

    # When it is opened again
    with BankJournalWriter(path) as journal:
        # Then it goes on behind the last record
        assert journal.last_seq() == 400
        with pytest.raises(SequenceNotRising):
            journal.append([_put(400)])
        journal.append([_put(401)])
    assert len(BankJournalReader(path).poll()) == 402


def test_torn_last_line_is_dropped_and_overwritten(path: Path) -> None:
    # Given a journal whose last line was cut off in the middle
    with BankJournalWriter(path) as journal:
        journal.append([_put(1), _put(2)])
    whole = path.read_bytes()
    path.write_bytes(whole[:-10])
    reader = BankJournalReader(path)
    assert [*map(_told, reader.poll())] == [Reset, _put(1)]

    # When a writer comes back
    with BankJournalWriter(path) as journal:
        assert journal.last_seq() == 1
        journal.append([_put(2)])

    # Then followers see the second record once
    assert reader.poll() == [_put(2)]


@pytest.mark.parametrize("position", [60, 120, 150])
def test_changed_byte_in_the_middle_is_named_not_read(path: Path, position: int) -> None:
    # Given a journal in which one byte was changed
    with BankJournalWriter(path) as journal:
        journal.append([_put(seq) for seq in range(1, 6)])
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)

    # When it is read, Then the damage is named
    with pytest.raises((JournalDamaged, JournalFormatUnknown)):
        BankJournalReader(path).poll()
    with pytest.raises((JournalDamaged, JournalFormatUnknown)), BankJournalWriter(path):
        pass


def test_foreign_file_is_refused(path: Path) -> None:
    path.write_text("something else\n")

    with pytest.raises(JournalFormatUnknown):
        BankJournalReader(path).poll()


@pytest.mark.parametrize("from_end", [1, 2, 30])
def test_changed_byte_in_the_last_whole_line_is_damage_not_a_torn_line(path: Path, from_end: int) -> None:
    # Given a journal whose last, acknowledged record was changed (its line feed too)
    with BankJournalWriter(path) as journal:
        journal.append([_put(1), _put(2)])
    content = bytearray(path.read_bytes())
    content[-from_end] ^= 1
    path.write_bytes(content)

    # When it is opened, Then nothing is cut off in silence
    with pytest.raises(JournalDamaged):
        BankJournalReader(path).poll()
    with pytest.raises(JournalDamaged), BankJournalWriter(path):
        pass
    assert path.read_bytes() == bytes(content)


def test_record_longer_than_the_tail_is_still_the_last(path: Path) -> None:
    with BankJournalWriter(path) as journal:
        journal.append([_put(1), {**_put(2), "pad": "x" * (2 * TAIL_BYTES)}])

    with BankJournalWriter(path) as journal:
        assert journal.last_seq() == 2


def test_full_disk_leaves_no_half_record(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a disk that takes ten bytes and then is full
    with BankJournalWriter(path) as journal:
        journal.append([_put(1)])
    whole = path.read_bytes()

    def full(descriptor: int, content: bytes) -> None:
        os.write(descriptor, content[:10])
        raise OSError(28, "No space left on device")

    # When a record is appended
    with BankJournalWriter(path) as journal:
        with monkeypatch.context() as patched:
            patched.setattr("staydown.journal.bank_journal.write_whole", full)
            with pytest.raises(OSError, match="No space"):
                journal.append([_put(2)])

        # Then the journal is as it was, and goes on once there is room
        assert path.read_bytes() == whole
        journal.append([_put(2)])
    assert len(BankJournalReader(path).poll()) == 3


def test_two_new_generations_of_the_same_size_are_noticed(path: Path) -> None:
    with BankJournalWriter(path) as journal:
        journal.append([_put(1)])
    reader = BankJournalReader(path)
    reader.poll()

    for seq in (2, 3):
        with BankJournalWriter(path) as journal:
            journal.rewrite([_put(seq)])

    assert [*map(_told, reader.poll())] == [Reset, _put(3)]


def test_new_generation_makes_followers_start_again(path: Path) -> None:
    # Given a follower that is up to date
    with BankJournalWriter(path) as journal:
        journal.append([_put(1), _put(2), _put(3)])
    reader = BankJournalReader(path)
    reader.poll()

    # When the journal is rewritten with less
    with BankJournalWriter(path) as journal:
        journal.rewrite([_put(3)])

    # Then the follower forgets and reads what there is
    assert [*map(_told, reader.poll())] == [Reset, _put(3)]


_APPEND_FOR_EVER = """
import sys
from pathlib import Path
from staydown.journal import BankJournalWriter

seq = 0
while True:
    with BankJournalWriter(Path(sys.argv[1])) as journal:
        seq = journal.last_seq() + 1
        journal.append([{"seq": seq, "op": "drop", "entry_id": "ent_" + "x" * 500}])
    print(seq, flush=True)
"""


def test_killed_writer_loses_nothing_that_it_had_acknowledged(path: Path) -> None:
    for _ in range(3):
        # Given a writer that says each number once it is on disk
        command = [sys.executable, "-c", _APPEND_FOR_EVER, str(path)]
        writer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        acknowledged = 0
        for _ in range(20):
            acknowledged = int(writer.stdout.readline())

        # When it is killed at some instant
        os.kill(writer.pid, signal.SIGKILL)
        rest = writer.stdout.read().split()
        writer.wait()
        acknowledged = int(rest[-1]) if rest else acknowledged

        # Then the journal holds every acknowledged record, in order, without a hole
        records = BankJournalReader(path).poll()[1:]
        numbers = [record["seq"] for record in records if not isinstance(record, Reset)]
        assert numbers == list(range(1, len(numbers) + 1))
        assert len(numbers) >= acknowledged


def test_two_writers_take_turns(path: Path) -> None:
    # Given two processes that append at once
    code = _APPEND_FOR_EVER.replace("while True", "while seq < 60")
    writers = [
        subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.DEVNULL) for _ in range(2)
    ]

    # When both have finished
    assert [writer.wait(timeout=60) for writer in writers] == [0, 0]

    # Then no number is missing and none is there twice
    numbers = [record["seq"] for record in BankJournalReader(path).poll() if not isinstance(record, Reset)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= 60


def test_new_generation_remembers_how_far_it_tells(path: Path) -> None:
    # Given a journal whose last change is a drop
    with BankJournalWriter(path) as journal:
        journal.append([_put(1), _put(2), {"seq": 3, "op": "drop", "entry_id": "ent_2"}])
        lineage = journal.generation.lineage

        # When what it tells up to there lies in a segment
        journal.append([_put(4)])
        journal.refold(after=3, segments=["one"])

    # Then the next writer goes on, and followers hear of the segment and of what is behind it
    with BankJournalWriter(path) as journal:
        assert journal.last_seq() == 4
        with pytest.raises(SequenceNotRising):
            journal.append([_put(4)])
        journal.append([_put(5)])
    reset, *records = BankJournalReader(path).poll()
    assert reset == Reset(Generation(lineage, 3, ("one",)))
    assert records == [_put(4), _put(5)]

    # And a journal all of which lies in segments remembers how far it tells
    with BankJournalWriter(path) as journal:
        journal.refold(after=5, segments=["one", "two"])
    with BankJournalWriter(path) as journal:
        assert journal.last_seq() == 5


def test_generation_begun_anew_is_of_another_lineage(path: Path) -> None:
    with BankJournalWriter(path) as journal:
        journal.append([_put(7)])
        journal.refold(after=7, segments=["one"])
        before = journal.generation
        journal.rewrite([_put(1)])

    with BankJournalWriter(path) as journal:
        assert journal.generation.lineage != before.lineage
        assert (journal.generation.segments, journal.last_seq()) == ((), 1)


def test_damaged_journal_is_not_made_into_a_new_generation(path: Path) -> None:
    # Given a journal with a bad line in the middle
    with BankJournalWriter(path) as journal:
        journal.append([_put(1), _put(2), *map(_put, range(3, 2000))])
    damaged = path.read_bytes().replace(b"ent_2", b"ent_9")
    path.write_bytes(damaged)

    # Then nothing is left out silently, and the file stays as it was
    with BankJournalWriter(path) as journal, pytest.raises(JournalDamaged):
        journal.refold(after=1, segments=["one"])
    assert path.read_bytes() == damaged


def _told(news: dict[str, Any] | Reset) -> object:
    return Reset if isinstance(news, Reset) else news
