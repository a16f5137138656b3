"""An index as a file: whole or refused by name, written at once or not at all.

Covers: staydown.matching.index.
"""

import contextlib
import os
import subprocess
import sys

import numpy as np
import pytest

from staydown.matching import Index, IndexDamaged, IndexFormatUnknown
from tests.staydown.matching.search_contract import as_rows, ids_of, random_codes

TABLES = {"tail_limit": 1, "_widths": (9,) * 11}


def saved(path, *, n=5, **form):
    index = Index(**form)
    index.add(random_codes(n), np.arange(n, dtype=np.uint64))
    index.save(path)
    return path.read_bytes()


def test_opened_index_takes_additions_and_removals_and_leaves_its_file_alone(tmp_path):
    # Given
    path = tmp_path / "bank.index"
    before = saved(path)
    index = Index.open(path)
    fresh = random_codes(1, seed=9)

    # When
    index.add(fresh, ids_of(77))
    index.remove(ids_of(0))

    # Then
    assert as_rows(index.search(np.concatenate([fresh, random_codes(2)]))) == [(0, 77, 0), (2, 1, 0)]
    assert path.read_bytes() == before


def test_saving_over_an_open_file_disturbs_nobody(tmp_path):
    # Given a reader of the old file
    path = tmp_path / "bank.index"
    saved(path)
    reader = Index.open(path)

    # When
    saved(path, n=2)

    # Then the reader goes on with what it opened, and the folder holds the new file only
    assert (len(reader), len(Index.open(path))) == (5, 2)
    assert [file.name for file in tmp_path.iterdir()] == ["bank.index"]


def test_file_can_be_read_by_its_owner_only(tmp_path):
    saved(tmp_path / "bank.index")
    assert (tmp_path / "bank.index").stat().st_mode & 0o777 == 0o600


def test_save_that_fails_leaves_the_old_file_and_no_other(tmp_path):
    # Given a folder in the place of the file
    (tmp_path / "bank.index").mkdir()

    # When
    with pytest.raises(OSError, match=r"bank\.index"):
        saved(tmp_path / "bank.index")

    # Then
    assert [file.name for file in tmp_path.iterdir()] == ["bank.index"]


def test_save_into_a_missing_folder_says_so(tmp_path):
    with pytest.raises(FileNotFoundError):
        Index().save(tmp_path / "missing" / "bank.index")


@pytest.mark.parametrize(("form", "stride"), [({}, 1), (TABLES, 17)], ids=["without tables", "tables"])
def test_file_with_one_flipped_bit_is_refused_wherever_it_is(tmp_path, form, stride):
    # Given a whole file
    path = tmp_path / "bank.index"
    whole = saved(path, **form)
    positions = sorted({*range(min(512, len(whole))), *range(0, len(whole), stride), len(whole) - 1})

    for position in positions:
        # When
        damaged = bytearray(whole)
        damaged[position] ^= 1 << position % 8
        path.write_bytes(damaged)

        # Then
        with pytest.raises((IndexDamaged, IndexFormatUnknown), match=r"^bank\.index cannot be opened: "):
            Index.open(path)


@pytest.mark.parametrize("form", [{}, TABLES], ids=["without tables", "tables"])
def test_file_that_was_cut_or_grew_is_refused(tmp_path, form):
    path = tmp_path / "bank.index"
    whole = saved(path, **form)
    for length in {*range(0, min(len(whole), 400), 7), len(whole) // 2, len(whole) - 1}:
        path.write_bytes(whole[:length])
        with pytest.raises((IndexDamaged, IndexFormatUnknown)):
            Index.open(path)
    path.write_bytes(whole + b"\0")
    with pytest.raises(IndexDamaged, match="shorter or longer"):
        Index.open(path)


@pytest.mark.parametrize(
    ("content", "error", "reason"),
    [
        (b"", IndexDamaged, "shorter or longer"),
        (b"SDINDEX\0", IndexDamaged, "shorter or longer"),
        (b"PAR1" + bytes(200), IndexFormatUnknown, "not a Staydown index"),
        (bytes(4096), IndexFormatUnknown, "not a Staydown index"),
        (b"SDINDEX\0\1\0\0\0\4\3\2\1" + bytes(400), IndexFormatUnknown, "format version"),
        (b"SDINDEX\0\0\0\0\1\1\2\3\4" + bytes(200), IndexFormatUnknown, "byte order"),
        (b"SDINDEX\0\2\0\0\0\4\3\2\1" + bytes(400), IndexDamaged, "checksum of its header"),
    ],
)
def test_foreign_file_is_refused_by_name(tmp_path, content, error, reason):
    (tmp_path / "foreign").write_bytes(content)
    with pytest.raises(error, match=reason):
        Index.open(tmp_path / "foreign")


def test_what_is_no_file_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for no_file in (tmp_path / "pipe", tmp_path):
        with pytest.raises(IndexFormatUnknown, match="not a Staydown index"):
            Index.open(no_file)
    with pytest.raises(FileNotFoundError):
        Index.open(tmp_path / "missing")


ROTATION, FACTOR, START = 29, 0xD6E8FEB86659FD93, 0x9E3779B97F4A7C15
MASK = 2**64 - 1


def mixed(state: int, word: int) -> int:
    state ^= word
    return ((state << ROTATION | state >> 64 - ROTATION) & MASK) * FACTOR & MASK


def checksum(content: bytes) -> int:
    """The file's checksum, as native/index_file.c defines it: eight lanes, folded."""
    state = START ^ len(content)
    words = np.frombuffer(content, "<u8").reshape(-1, 8).tolist()
    lanes = [(state + lane) & MASK for lane in range(8)]
    for line in words:
        lanes = [mixed(*pair) for pair in zip(lanes, line, strict=True)]
    for lane in lanes:
        state = mixed(state, lane)
    return state ^ state >> 32


def with_new_checksums(content: bytearray) -> bytes:
    content[304:312] = checksum(bytes(content[320:])).to_bytes(8, "little")
    content[312:320] = bytes(8)
    content[312:320] = checksum(bytes(content[:320])).to_bytes(8, "little")
    return bytes(content)


def rounded(size: int) -> int:
    return -(-size // 64) * 64


FAR = (2**32 - 1).to_bytes(4, "little")


@pytest.mark.skipif(sys.byteorder != "little", reason="the test writes the file's words itself")
def test_file_forged_with_right_checksums_is_never_read_out_of_bounds(tmp_path):
    # Given a whole file of five codes, two of them equal, with one table of eight bits, whose checksums this
    # test can make as well
    path = tmp_path / "bank.index"
    form = {"tail_limit": 1, "_widths": (8,)}
    codes = random_codes(5)
    codes[1] = codes[0]
    index = Index(**form)
    index.add(codes, ids_of(1, 2, 3, 4, 5))
    index.save(path)
    whole = bytearray(path.read_bytes())
    assert with_new_checksums(bytearray(whole)) == bytes(whole)
    by_id = 320 + 5 * 8
    starts = rounded(by_id + 5 * 4) + 4 * 32
    lines = rounded(starts + 5 * 4)
    positions = lines + 5 * 64
    assert len(whole) == rounded(positions + 4 * 4)

    refused_when_opened = [
        (24, b"\6", "shorter or longer|tables"),  # one code more than there are
        (24, b"\xff" * 8, "its tables"),  # so many that sizes would wrap around
        (24, (2**58).to_bytes(8, "little"), "its tables"),
        (32, bytes(8), "its tables"),  # codes, but none that differ
        (32, b"\6", "its tables"),  # more that differ than there are
        (40, b"\1", "shorter or longer"),  # thresholds
        (40, b"\2", "its tables"),
        (44, b"\0", "shorter or longer"),  # no table
        (44, b"\x21", "its tables"),  # 33 tables
        (48, b"\x1f", "its tables"),  # of 31 bits
        (48, b"\0", "its tables"),  # of none
        (49, b"\3", "its tables"),  # ends of three bytes
    ]
    for place, value, reason in refused_when_opened:
        # When it says something that cannot be
        forged = bytearray(whole)
        forged[place : place + len(value)] = value
        path.write_bytes(with_new_checksums(forged))

        # Then it is refused
        with pytest.raises(IndexDamaged, match=reason):
            Index.open(path)

    refused_when_used = [
        *((lines + 64 * line, FAR) for line in range(5)),  # a line begins outside
        *((lines + 64 * line + 4 + place, b"\xff") for line in range(4) for place in (0, 30, 59)),
        (positions, FAR * 4),
        (positions, b"\4\0\0\0" * 4),  # one past the last
        (starts, FAR * 5),
        (starts + 4, b"\6\0\0\0" * 4),
    ]
    for place, value in refused_when_used:
        # When its tables point outside
        forged = bytearray(whole)
        forged[place : place + len(value)] = value
        path.write_bytes(with_new_checksums(forged))
        index = Index.open(path, **form)

        # Then the search that would follow them says so
        with pytest.raises(
            IndexDamaged, match=r"^The index cannot be searched: its tables point outside of it\.$"
        ):
            index.search(codes, 8)

    for place, value in [(320, b"\xff" * 40), (by_id, FAR * 5), (starts, b"\3\0\0\0" * 5)]:
        # When its ids are out of order, or lie nowhere
        forged = bytearray(whole)
        forged[place : place + len(value)] = value
        path.write_bytes(with_new_checksums(forged))
        index = Index.open(path, **form)

        # Then a removal finds what it finds, and a file is written whole or not at all
        assert 0 <= index.remove(ids_of(1, 2, 3, 4, 5, 2**64 - 1)) <= 5
        with contextlib.suppress(IndexDamaged):
            index.save(tmp_path / "again.index")
            Index.open(tmp_path / "again.index")
            (tmp_path / "again.index").unlink()
        assert [file.name for file in tmp_path.iterdir()] == ["bank.index"]


KILLED_WHILE_SAVING = """
import os, sys, threading, numpy as np
from staydown.matching import Index
index = Index()
index.add(np.zeros((60000, 32), np.uint8), np.arange(60000, dtype=np.uint64))
index.save(sys.argv[1])
print("saved", flush=True)
while True:
    index.save(sys.argv[1])
"""


def test_process_killed_while_it_saves_leaves_a_whole_file(tmp_path):
    # Given a process that saves again and again
    path = tmp_path / "bank.index"
    child = subprocess.Popen([sys.executable, "-c", KILLED_WHILE_SAVING, path], stdout=subprocess.PIPE)
    child.stdout.readline()

    # When it is killed at some instant
    child.kill()
    child.wait()
    child.stdout.close()

    # Then
    assert len(Index.open(path)) == 60000


# ---- full disks and two writers ---------------------------------------------------------------------

DISK_FULL = """
import os, resource, sys, numpy as np
from pathlib import Path
from staydown.matching import Index
path, most = Path(sys.argv[1]), int(sys.argv[2])
codes = np.random.default_rng(0).integers(0, 256, (60_000, 32), dtype=np.uint8)
small, large = Index(), Index()
small.add(codes[:10], np.arange(10, dtype=np.uint64))
large.add(codes, np.arange(60_000, dtype=np.uint64))
small.save(path)
resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
try:
    Index.merge([large, small], path)
except OSError as error:
    print(type(error).__name__, os.fsdecode(error.filename) == str(path))
print(len(Index.open(path)), len(large.search(codes[:1])), [file.name for file in path.parent.iterdir()])
"""


@pytest.mark.parametrize("most", [0, 4096, 2_000_000, 4_500_000])
def test_full_disk_is_an_error_and_leaves_the_old_file_and_no_other(tmp_path, most):
    # Given a process that may write no more than so many bytes of the seven million of its file
    command = [sys.executable, "-c", DISK_FULL, tmp_path / "bank.index", str(most)]

    # When it merges over an old file
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    # Then
    assert run.stdout.splitlines() == ["OSError True", "10 1 ['bank.index']"], run.stderr


SAVES_AGAIN_AND_AGAIN = """
import sys, numpy as np
from staydown.matching import Index
n = int(sys.argv[2])
index = Index()
index.add(np.random.default_rng(n).integers(0, 256, (n, 32), dtype=np.uint8), np.arange(n, dtype=np.uint64))
for _ in range(20):
    index.save(sys.argv[1])
"""


def test_two_processes_that_save_to_one_path_leave_a_whole_file_of_one_of_them(tmp_path):
    # Given two writers, and a reader that opens the file again and again
    path = tmp_path / "bank.index"
    saved(path)
    writers = [
        subprocess.Popen([sys.executable, "-c", SAVES_AGAIN_AND_AGAIN, path, str(n)]) for n in (3000, 5000)
    ]
    seen = set()
    while any(writer.poll() is None for writer in writers):
        seen.add(len(Index.open(path)))

    # Then it was whole at every moment, and nothing is left beside it
    assert [writer.returncode for writer in writers] == [0, 0]
    assert seen <= {5, 3000, 5000}
    assert len(Index.open(path)) in {3000, 5000}
    assert [file.name for file in tmp_path.iterdir()] == ["bank.index"]


def test_merge_of_several_indexes_holds_what_lives_in_each(tmp_path):
    # Given a file, of which one id was removed, and an index in memory with the same ids
    codes = random_codes(300)
    saved(tmp_path / "one.index", n=200)
    one, two = Index.open(tmp_path / "one.index"), Index(tail_limit=50)
    one.remove(ids_of(7))
    two.add(codes[190:], np.arange(190, 300, dtype=np.uint64))

    # When
    Index.merge([one, two], tmp_path / "both.index")
    both = Index.open(tmp_path / "both.index")

    # Then
    assert both.stats().segments == 1
    assert both.stats().bytes == both.stats().mapped_bytes == (tmp_path / "both.index").stat().st_size
    assert both.search(codes, 0).id.tolist() == sorted([*range(7), *range(8, 300), *range(190, 200)])


def test_merge_of_nothing_is_an_empty_file(tmp_path):
    Index.merge([], tmp_path / "empty.index")
    assert len(Index.open(tmp_path / "empty.index")) == 0


def test_mapped_segment_is_left_alone_by_merges_in_the_background(tmp_path):
    path = tmp_path / "bank.index"
    saved(path)
    index = Index.open(path, tail_limit=1)
    for row in range(50):
        index.add(random_codes(1, seed=row + 100), ids_of(row + 100))
    index.settle()
    assert index.stats().mapped_bytes == path.stat().st_size
    assert len(index) == 55
