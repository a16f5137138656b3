"""A bank that is folded into segments answers like one that is not, whatever happens in between.

Covers: staydown.journal.bank_follower, staydown.journal.bank_segment, staydown.journal.segment_writing.
"""

from __future__ import annotations

import fcntl
import os
import random
import signal
import stat
import subprocess
import sys
import time
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from staydown.fingerprint import QueryView
from staydown.journal import (
    BankFolder,
    BankFollower,
    BankJournalWriter,
    BankSegmentDamaged,
    BankSegmentMissing,
    Folded,
    bank_folding,
)
from staydown.journal.bank_follower import segments_folder
from staydown.journal.bank_segment import BankSegment
from staydown.journal.errors import JournalError
from tests.staydown.journal.banks import NOW, append, code_of, drop, known, put

LATER = NOW + timedelta(days=2)


@pytest.fixture(name="path")
def _path(tmp_path: Path) -> Path:
    return tmp_path / "bank.journal"


def follow(path: Path) -> BankFollower:
    follower = BankFollower(path)
    follower.poll()
    return follower


def segments(path: Path) -> list[str]:
    return sorted(folder.name for folder in segments_folder(path).glob("*"))


def test_folded_bank_answers_as_before_to_followers_old_and_new(path: Path) -> None:
    # Given ten entries, of which one was dropped and one replaced, and a follower
    append(path, [put(seq, seq) for seq in range(1, 11)])
    append(path, [drop(11, 3), put(12, 4, state="unconfirmed")])
    before = follow(path)
    expected = set(range(1, 11)) - {3}
    assert known(before, range(12)) == expected

    # When
    folded = BankFolder(path).fold(now=NOW)

    # Then
    assert folded.records == 12
    assert path.read_bytes().count(b"\n") == 1
    assert len(segments(path)) == 1
    with closing(follow(path)) as after:
        assert known(after, range(12)) == expected
        assert after.last_seq == 12
        assert (len(after.bank), after.bank.codes) == (9, 18)
        (match,) = after.bank.find([QueryView("full", code_of(4))])
        assert (match.state, match.derivation, match.bank) == ("unconfirmed", "cc1", "default")
    before.poll()
    assert known(before, range(12)) == expected
    assert before.is_behind()
    follower = before.successor({})
    assert known(follower, range(12)) == expected
    assert not follower.is_behind()


def test_little_is_not_folded_until_something_is_obsolete(path: Path) -> None:
    append(path, [put(1, 1), put(2, 2)])
    folder = BankFolder(path, fold_at_records=4)

    assert folder.fold(now=NOW) == Folded()
    append(path, [put(3, 3), put(4, 4)])
    assert folder.fold(now=NOW) == Folded(records=4)
    append(path, [drop(5, 1)])
    assert folder.fold(now=NOW).records == 1
    assert folder.fold(now=NOW) == Folded()


def test_without_a_journal_there_is_nothing_to_fold(path: Path) -> None:
    assert BankFolder(path).fold(now=NOW) == Folded()


def test_what_changes_later_overrules_segments_in_every_process(path: Path) -> None:
    # Given two segments of very different size
    append(path, [put(seq, seq) for seq in range(1, 31)])
    folder = BankFolder(path, fold_at_records=1)
    folder.fold(now=NOW)
    append(path, [put(31, 31), put(32, 5)])
    folder.fold(now=NOW)
    assert len(segments(path)) == 2
    with closing(follow(path)) as follower:
        # When entries of both are changed and dropped
        append(path, [drop(33, 31), drop(34, 1), put(35, 2, codes=["new"]), drop(36, 5)])
        follower.poll()

        # Then
        for each in (follower, follow(path)):
            assert known(each, [1, 5, 31, *range(6, 31)]) == set(range(6, 31))
            assert each.bank.find([QueryView("full", code_of(2))]) == []
            (match,) = each.bank.find([QueryView("full", code_of("new"))])
            assert match.entry_id == "ent_2"
            assert each.bank.hidden == 5  # ent_5 of the first segment was so before


def test_segments_of_like_size_become_one_and_old_files_are_deleted(path: Path) -> None:
    folder = BankFolder(path, fold_at_records=1)
    for seq in range(1, 40):
        append(path, [put(seq, seq)])
        folder.fold(now=NOW)
        assert len(segments(path)) <= 4

    with closing(follow(path)) as follower:
        assert [segment.name for segment in follower.segments] == segments(path)
        assert known(follower, range(41)) == set(range(1, 40))


def test_withdrawn_codes_leave_the_disk_when_their_segment_is_written_anew(path: Path) -> None:
    # Given a large old segment and a withdrawal
    append(path, [put(seq, seq) for seq in range(1, 31)])
    folder = BankFolder(path, fold_at_records=1)
    folder.fold(now=NOW)
    append(path, [drop(31, 7)])
    folder.fold(now=NOW)
    assert follow(path).bank.hidden == 1

    # When its time has come
    assert folder.fold(now=NOW + timedelta(seconds=59)) == Folded()
    assert folder.fold(now=LATER).merged == 1

    # Then it is in no file, and nothing more is due
    content = b"".join(file.read_bytes() for file in segments_folder(path).rglob("*") if file.is_file())
    assert code_of(7).code not in content
    assert b"ent_7" not in content
    assert b"ent_8" in content
    with closing(follow(path)) as follower:
        assert follower.bank.hidden == 0
        assert known(follower, range(32)) == set(range(1, 31)) - {7}
    assert folder.fold(now=LATER + timedelta(days=9)) == Folded()


@pytest.mark.parametrize("seed", range(6))
def test_any_history_gives_the_bank_that_its_records_tell(path: Path, seed: int) -> None:
    # Given changes at random, folded at random, seen by a follower that lags at random
    chance = random.Random(seed)
    folder = BankFolder(path, fold_at_records=chance.choice([1, 3, 20]))
    append(path, [])
    follower, truth, now = follow(path), {}, NOW
    for seq in range(1, 150):
        name = chance.randrange(25)
        if chance.random() < 0.3:
            append(path, [drop(seq, name)])
            truth.pop(name, None)
        else:
            state = chance.choice(["confirmed", "unconfirmed", "disputed"])
            append(path, [put(seq, name, state=state)])
            truth[name] = state
        if chance.random() < 0.2:
            now += timedelta(minutes=chance.randrange(3))
            folder.fold(now=now)
        if chance.random() < 0.3:
            follower.poll()
            if follower.is_behind() and chance.random() < 0.5:
                follower = follower.successor({})

    # Then old and new followers know what is true
    follower.poll()
    for each in (follower, follower.successor({}), follow(path)):
        assert known(each, range(25)) == set(truth)
        assert {name: each.bank.row_of(f"ent_{name}").state for name in truth} == truth
        assert len(each.bank) == len(truth)
        assert each.last_seq == 149


def test_record_that_is_not_understood_stays_out_when_it_is_folded(path: Path) -> None:
    bad = put(2, 1)
    bad["entry"]["state"] = "exalted"
    append(path, [put(1, 1), bad, put(3, 3)])
    with closing(follow(path)) as follower:
        assert (known(follower, [1, 3]), follower.left_out) == ({3}, {"ent_1"})

    BankFolder(path, fold_at_records=1).fold(now=NOW)

    with closing(follow(path)) as follower:
        assert known(follower, [1, 3]) == {3}


def test_changes_that_come_while_a_segment_is_written_are_kept(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a change, and one more that comes when the segment has been written
    append(path, [put(1, 1), drop(2, 1), put(3, 3)])
    write = bank_folding.write_segment

    def slow(*arguments: Any, **options: Any) -> str:
        name = write(*arguments, **options)
        append(path, [put(4, 4), drop(5, 3)])
        return name

    monkeypatch.setattr(bank_folding, "write_segment", slow)
    folder = BankFolder(path)
    folder._fold_journal(now=NOW)

    # Then
    with closing(follow(path)) as follower:
        assert known(follower, range(6)) == {4}
        assert follower.last_seq == 5


def test_only_one_process_folds_at_a_time(path: Path) -> None:
    append(path, [put(1, 1), drop(2, 1)])
    lock = os.open(path.with_suffix(".folding"), os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)

    assert BankFolder(path).fold(now=NOW) == Folded()
    os.close(lock)
    assert BankFolder(path).fold(now=NOW).records == 2


def test_journal_begun_anew_while_folding_is_left_alone(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a database that was restored while a segment of the old one was written
    append(path, [put(1, 1), drop(2, 1), put(3, 3)])
    write = bank_folding.write_segment

    def slow(*arguments: Any, **options: Any) -> str:
        name = write(*arguments, **options)
        with BankJournalWriter(path) as journal:
            journal.rewrite([put(1, 8)])
        return name

    with monkeypatch.context() as patched:
        patched.setattr(bank_folding, "write_segment", slow)
        BankFolder(path)._fold_journal(now=NOW)

    # Then the new journal stands
    with closing(follow(path)) as follower:
        assert known(follower, range(9)) == {8}


def test_segment_can_be_read_by_its_owner_only(path: Path) -> None:
    folder = a_segment(path)

    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


FILES = ("manifest.line", "rows.sqlite", "pdq.index", "pdq512.index", "sha256.index", "md5.index")


def a_segment(path: Path) -> Path:
    append(path, [put(seq, seq) for seq in range(1, 9)])
    BankFolder(path, fold_at_records=1).fold(now=NOW)
    (folder,) = segments_folder(path).glob("*")
    return folder


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("harm", ["turned", "cut", "longer", "emptied", "missing"])
def test_damaged_file_of_a_segment_is_refused_by_name(path: Path, name: str, harm: str) -> None:
    # Given
    folder = a_segment(path)
    file = folder / name
    content = file.read_bytes()
    if harm == "turned":
        file.write_bytes(bytes([*content[:-70], content[-70] ^ 4, *content[-69:]]))
    elif harm == "missing":
        file.unlink()
    else:
        file.write_bytes({"cut": content[:-1], "longer": content + b"\0", "emptied": b""}[harm])

    # Then
    with pytest.raises(JournalError) as caught:
        BankSegment(folder)
    if name == "manifest.line" and harm == "missing":
        assert isinstance(caught.value, BankSegmentMissing)
    else:
        assert isinstance(caught.value, BankSegmentDamaged)
        assert (caught.value.segment, caught.value.file_name) == (folder.name, name)
    with pytest.raises(JournalError):
        follow(path)


def test_any_single_turned_bit_of_a_segment_is_seen(path: Path) -> None:
    folder = a_segment(path)
    chance = random.Random(2)
    for name in FILES:
        content = (folder / name).read_bytes()
        for _ in range(40):
            damaged = bytearray(content)
            damaged[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
            (folder / name).write_bytes(damaged)
            with pytest.raises(BankSegmentDamaged):
                BankSegment(folder)
        (folder / name).write_bytes(content)
    BankSegment(folder)


_FULL_DISK = """
import resource, sys
from datetime import UTC, datetime
from pathlib import Path
from staydown.journal import BankFolder
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
try:
    BankFolder(Path(sys.argv[1]), fold_at_records=1).fold(now=datetime.now(UTC))
except OSError as error:
    print("refused:", error)
"""


@pytest.mark.parametrize("most_bytes", [1000, 12_000, 40_000])
def test_full_disk_leaves_the_bank_as_it_was(path: Path, most_bytes: int) -> None:
    # Given a bank of which no file of a segment, or only some, find room
    append(path, [put(seq, seq, codes=range(seq * 40, seq * 40 + 30)) for seq in range(1, 60)])
    append(path, [drop(60, 5)])
    before = path.read_bytes()

    # When
    command = [sys.executable, "-c", _FULL_DISK, str(path), str(most_bytes)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    # Then
    assert "refused:" in run.stdout, run.stderr
    assert path.read_bytes() == before
    assert segments(path) == []
    with closing(follow(path)) as follower:
        assert len(follower.bank) == 58


_FOLD_FOR_EVER = """
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from staydown.journal import BankFolder
folder, now = BankFolder(Path(sys.argv[1]), fold_at_records=1), datetime.now(UTC)
print("begun", flush=True)
while True:
    now += timedelta(days=1)
    folder.fold(now=now)
"""


def test_folding_that_is_killed_loses_nothing(path: Path) -> None:
    # Given changes that go on while the folding process is killed again and again
    truth, seq = set[object](), 0
    append(path, [])
    with closing(follow(path)) as follower:
        current = follower
        for kill in range(6):
            process = subprocess.Popen(
                [sys.executable, "-c", _FOLD_FOR_EVER, str(path)], stdout=subprocess.PIPE
            )
            assert process.stdout is not None
            process.stdout.readline()
            until = time.monotonic() + 0.1 + 0.07 * kill
            while time.monotonic() < until:
                seq += 1
                name = seq % 23
                append(path, [drop(seq, name) if name in truth and seq % 3 else put(seq, name)])
                truth = truth - {name} if name in truth and seq % 3 else truth | {name}
            process.send_signal(signal.SIGKILL)
            process.wait()
            process.stdout.close()

            # Then whoever follows, from the beginning or along the way, knows the truth
            current.poll()
            if current.is_behind():
                current = current.successor({})
            assert known(current, range(23)) == truth
            with closing(follow(path)) as fresh:
                assert known(fresh, range(23)) == truth

    # And the next folding clears away what was left half done
    append(path, [put(seq + 1, 0), put(seq + 2, 0)])
    BankFolder(path).fold(now=LATER)
    with closing(follow(path)) as follower:
        assert [segment.name for segment in follower.segments] == segments(path)
