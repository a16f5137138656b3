"""The native index does what any index must do, agrees with its readable twin, and survives as a file."""

import os
import subprocess
import sys
import threading

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from staydown.matching import Index, IndexDamaged, IndexFormatUnknown
from staydown.matching.linear import LinearIndex
from tests.staydown.matching.search_contract import SearchContract, as_rows, ids_of, random_codes

DISTANCES = [*range(41), 255, 256]


class TestIndexThatScans(SearchContract):
    """So few codes that there are no tables."""

    def make(self):
        return Index()


class TestIndexWithTables(SearchContract):
    """Every addition is folded into the tables."""

    def make(self):
        return Index(tail_limit=1)


class TestIndexOpenedFromAFile(SearchContract):
    """The immutable part is mapped from a file."""

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path):
        self.folder = tmp_path

    def make(self):
        Index().save(self.folder / "bank.index")
        return Index.open(self.folder / "bank.index", tail_limit=2)


# ---- against the readable twin ----------------------------------------------------------------------

byte = st.integers(0, 255)


@st.composite
def crowded_codes(draw, *, most=24):
    """Codes as banks have them: equal ones, near ones, and some that fall into the same buckets."""
    seed, n = draw(st.integers(0, 2**32 - 1)), draw(st.integers(1, most))
    chance = np.random.default_rng(seed)
    skew = draw(st.sampled_from(["random", "sparse", "one chunk", "constant"]))
    codes = chance.integers(0, 256, (n, 32), dtype=np.uint8)
    if skew == "sparse":
        codes[:, 3:] = 0
    elif skew == "one chunk":
        codes[:, :2] = 7
    elif skew == "constant":
        codes[:] = codes[0]
    for row in range(1, n):
        if chance.random() < 0.5:
            codes[row] = codes[chance.integers(row)]
            for bit in chance.choice(256, size=int(chance.integers(0, 36)), replace=False):
                codes[row, bit // 8] ^= np.uint8(1 << int(bit % 8))
    return codes


change = st.one_of(
    st.tuples(st.just("add"), crowded_codes()),
    st.tuples(st.just("remove"), st.lists(st.integers(0, 12), min_size=1, max_size=3)),
    st.tuples(st.just("reopen"), st.none()),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.lists(change, min_size=1, max_size=8),
    queries=crowded_codes(most=6),
    distance=st.sampled_from(DISTANCES),
    tail_limit=st.sampled_from([1, 7, 4096]),
    numbers=st.randoms(use_true_random=False),
)
def test_index_agrees_with_its_twin_after_any_changes(
    tmp_path, changes, queries, distance, tail_limit, numbers
):
    # Given an index and its twin after the same additions, removals and reopenings
    index, twin = Index(tail_limit=tail_limit), LinearIndex()
    for what, value in changes:
        if what == "add":
            ids = ids_of(*(numbers.randrange(13) for _ in value))
            index.add(value, ids)
            twin.add(value, ids)
            queries = np.concatenate([queries, value[:1]])
        elif what == "remove":
            assert index.remove(ids_of(*value)) == twin.remove(ids_of(*value))
        else:
            index.save(tmp_path / "x.index")
            index = Index.open(tmp_path / "x.index", tail_limit=tail_limit)

        # Then they hold and find the same
        assert len(index) == len(twin)
        assert as_rows(index.search(queries, distance)) == as_rows(twin.search(queries, distance))


@pytest.mark.parametrize("skewed", [False, True], ids=["spread", "all in one bucket"])
def test_large_index_agrees_with_its_twin_at_every_distance(skewed):
    # Given more codes than are scanned, with planted neighbours at 0..40 bits, some added after the fold
    codes = random_codes(6000)
    if skewed:
        codes[:, 4:] = 0
    chance = np.random.default_rng(1)
    queries = codes[:41].copy()
    for bits, query in enumerate(queries):
        for bit in chance.choice(256, size=bits, replace=False):
            query[bit // 8] ^= np.uint8(1 << int(bit % 8))
    index, twin = Index(), LinearIndex()
    for each in (index, twin):
        each.add(codes[:5000], np.arange(5000, dtype=np.uint64))
        each.add(codes[5000:], np.arange(5000, 6000, dtype=np.uint64))
        each.remove(ids_of(3, 5, 5001))

    # Then
    for distance in (0, 7, 15, 16, 24, 31, 32, 40):
        assert as_rows(index.search(queries, distance)) == as_rows(twin.search(queries, distance))


# ---- threads -----------------------------------------------------------------------------------------


def test_searches_run_beside_additions_and_removals():
    # Given a code that stays, and a writer that adds and removes others through several folds
    index = Index(tail_limit=64)
    codes = random_codes(2000)
    index.add(codes[:1], ids_of(10_000))
    done = threading.Event()

    def write():
        for row in range(1, 2000):
            index.add(codes[row : row + 1], ids_of(row))
            if row % 3 == 0:
                index.remove(ids_of(row - 1))
        done.set()

    writer = threading.Thread(target=write)

    # When
    writer.start()
    answers = []
    while not done.is_set():
        answers.append(as_rows(index.search(codes[:1], 8)))
    writer.join()

    # Then no search missed it
    assert answers
    assert all(answer == [(0, 10_000, 0)] for answer in answers)
    assert len(index) == 2000 - 666


# ---- files -------------------------------------------------------------------------------------------


def saved(path, *, n=5, tail_limit=4096):
    index = Index(tail_limit=tail_limit)
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


@pytest.mark.parametrize(("tail_limit", "stride"), [(4096, 1), (1, 39_989)], ids=["without tables", "tables"])
def test_file_with_one_flipped_bit_is_refused_wherever_it_is(tmp_path, tail_limit, stride):
    # Given a whole file
    path = tmp_path / "bank.index"
    whole = saved(path, tail_limit=tail_limit)
    positions = sorted({*range(min(512, len(whole))), *range(0, len(whole), stride), len(whole) - 1})

    for position in positions:
        # When
        damaged = bytearray(whole)
        damaged[position] ^= 1 << position % 8
        path.write_bytes(damaged)

        # Then
        with pytest.raises((IndexDamaged, IndexFormatUnknown), match=r"^bank\.index cannot be opened: "):
            Index.open(path)


@pytest.mark.parametrize("tail_limit", [4096, 1], ids=["without tables", "tables"])
def test_file_that_was_cut_or_grew_is_refused(tmp_path, tail_limit):
    path = tmp_path / "bank.index"
    whole = saved(path, tail_limit=tail_limit)
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
        (b"SDINDEX\0\2\0\0\0\4\3\2\1" + bytes(200), IndexFormatUnknown, "format version"),
        (b"SDINDEX\0\0\0\0\1\1\2\3\4" + bytes(200), IndexFormatUnknown, "byte order"),
        (b"SDINDEX\0\1\0\0\0\4\3\2\1" + bytes(200), IndexDamaged, "checksum of its header"),
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


def checksum(content: bytes) -> int:
    """The file's checksum, as native/index_file.c defines it."""
    state = START ^ len(content)
    for word in np.frombuffer(content, "<u8").tolist():
        state ^= word
        state = ((state << ROTATION | state >> 64 - ROTATION) & MASK) * FACTOR & MASK
    return state ^ state >> 32


def with_new_checksums(content: bytearray) -> bytes:
    content[40:48] = checksum(bytes(content[64:])).to_bytes(8, "little")
    content[56:64] = checksum(bytes(content[:56])).to_bytes(8, "little")
    return bytes(content)


@pytest.mark.skipif(sys.byteorder != "little", reason="the test writes the file's words itself")
def test_file_forged_with_right_checksums_is_never_read_out_of_bounds(tmp_path):
    # Given a whole file with tables, whose checksums this test can make as well
    path = tmp_path / "bank.index"
    whole = bytearray(saved(path, tail_limit=1))
    assert with_new_checksums(bytearray(whole)) == bytes(whole)
    codes = 64 + 64  # five ids are rounded up to 64 bytes
    offsets = codes + 192
    positions = offsets + 16 * 65537 * 4
    far = (2**32 - 1).to_bytes(4, "little")
    forgeries = [
        (64, b"\xff" * 8, "its tables"),  # ids out of order
        (offsets, far, "its tables"),
        (offsets + 4 * 40_000, far, "its tables"),
        (offsets + 4 * 65536, b"\6\0\0\0", "its tables"),
        (positions, b"\5\0\0\0", "its tables"),
        (24, b"\6" + bytes(7), "shorter or longer"),  # one code more than there are
        (24, b"\xff" * 8, "its tables"),  # so many that sizes would wrap around
        (24, (2**58).to_bytes(8, "little"), "its tables"),
        (32, bytes(4), "shorter or longer"),  # no tables
        (32, b"\2\0\0\0", "its tables"),
    ]
    for place, value, reason in forgeries:
        # When
        forged = bytearray(whole)
        forged[place : place + len(value)] = value
        path.write_bytes(with_new_checksums(forged))

        # Then
        with pytest.raises(IndexDamaged, match=reason):
            Index.open(path)


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
