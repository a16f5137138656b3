"""The native index does what any index must do, and agrees with its readable twin."""

import subprocess
import sys
import threading

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from staydown.matching import Index, WrongShape, WrongType
from staydown.matching.linear import LinearIndex
from tests.staydown.matching.search_contract import SearchContract, as_rows, flipped, ids_of, random_codes

DISTANCES = [*range(64), 100, 128, 255, 256]
# Chunks as large banks have them, but narrower, so that a few codes fill them: what is searched follows from
# how many chunks there are.
LAYOUTS = {
    "by size": (),
    "of a million": (10,) * 6 + (8,) * 4 + (7,) * 3,
    "of ten million": (11,) * 4 + (10,) * 6 + (9,),
    "of fifty million": (10,) * 10,
    "of one chunk": (12,),
    "of single bits": (1,) * 32,
}


class TestIndexThatScans(SearchContract):
    """So few codes that there are no tables."""

    def make(self):
        return Index()


class TestIndexWithTables(SearchContract):
    """Every addition becomes a segment with tables, and segments are merged all the time."""

    def make(self):
        return Index(tail_limit=1, _widths=LAYOUTS["of a million"])


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
    st.tuples(st.just("add with thresholds"), crowded_codes()),
    st.tuples(st.just("remove"), st.lists(st.integers(0, 12), min_size=1, max_size=3)),
    st.tuples(st.just("reopen"), st.none()),
    st.tuples(st.just("merge with another"), crowded_codes(most=8)),
    st.tuples(st.just("settle"), st.none()),
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.lists(change, min_size=1, max_size=8),
    queries=crowded_codes(most=6),
    distance=st.sampled_from(DISTANCES),
    tail_limit=st.sampled_from([1, 7, 4096]),
    layout=st.sampled_from(sorted(LAYOUTS)),
    numbers=st.randoms(use_true_random=False),
)
def test_index_agrees_with_its_twin_after_any_changes(
    tmp_path, changes, queries, distance, tail_limit, layout, numbers
):
    # Given an index and its twin after the same additions, removals, merges and reopenings
    form = {"tail_limit": tail_limit, "_widths": LAYOUTS[layout]}
    index, twin = Index(**form), LinearIndex()
    for what, value in changes:
        if what in ("add", "add with thresholds", "merge with another"):
            ids = ids_of(*(numbers.randrange(13) for _ in value))
            thresholds = np.array([numbers.choice([0, 8, 31, 254, 255]) for _ in value], np.uint8)
            added = (value, ids, thresholds) if what == "add with thresholds" else (value, ids)
            twin.add(*added)
            queries = np.concatenate([queries, value[:1]])
            if what == "merge with another":
                other = Index(**form)
                other.add(*added)
                Index.merge([other, Index(), index], tmp_path / "x.index")
                index = Index.open(tmp_path / "x.index", **form)
            else:
                index.add(*added)
        elif what == "remove":
            assert index.remove(ids_of(*value)) == twin.remove(ids_of(*value))
        elif what == "settle":
            index.settle()
        else:
            index.save(tmp_path / "x.index")
            index = Index.open(tmp_path / "x.index", **form)

        # Then they hold and find the same
        assert len(index) == len(twin) == index.stats().codes
        assert as_rows(index.search(queries, distance)) == as_rows(twin.search(queries, distance))


@pytest.mark.parametrize("layout", sorted(LAYOUTS))
@pytest.mark.parametrize("skewed", [False, True], ids=["spread", "all in one bucket"])
def test_large_index_agrees_with_its_twin_at_every_distance(skewed, layout):
    # Given more codes than are scanned, with planted neighbours at 0..63 bits, some added later
    codes = random_codes(6000)
    if skewed:
        codes[:, 6:] = 0
    chance = np.random.default_rng(1)
    queries = codes[:64].copy()
    for bits, query in enumerate(queries):
        for bit in chance.choice(256, size=bits, replace=False):
            query[bit // 8] ^= np.uint8(1 << int(bit % 8))
    index, twin = Index(_widths=LAYOUTS[layout]), LinearIndex()
    for each in (index, twin):
        each.add(codes[:5000], np.arange(5000, dtype=np.uint64))
        each.add(codes[5000:], np.arange(5000, 6000, dtype=np.uint64))
        each.remove(ids_of(3, 5, 5001))
    found = twin.search(queries, 64)

    # Then
    for distance in range(0, 65, 8) if skewed else range(65):
        near = found.distance_bits <= distance
        hits = index.search(queries, distance)
        assert np.array_equal(hits.query, found.query[near])
        assert np.array_equal(hits.id, found.id[near])
        assert np.array_equal(hits.distance_bits, found.distance_bits[near])


def test_queries_that_threads_share_get_the_answer_of_one_thread():
    index = Index()
    codes = random_codes(5000)
    index.add(codes, np.arange(5000, dtype=np.uint64))
    alone = as_rows(index.search(codes[:777], 100))
    assert as_rows(index.search(codes[:777], 100, threads=3)) == alone
    assert as_rows(index.search(codes[:777], 100, threads=10_000)) == alone
    with pytest.raises(ValueError, match="at least one thread"):
        index.search(codes[:1], threads=0)


# ---- thresholds and equal codes ------------------------------------------------------------------------


@pytest.mark.parametrize("tail_limit", [1, 4096], ids=["tables", "tail"])
def test_code_with_a_threshold_is_found_no_further_away_than_that(tail_limit):
    # Given one code three times, with thresholds of 8 and 40 bits and without one
    index = Index(tail_limit=tail_limit, _widths=LAYOUTS["of ten million"])
    code = random_codes(1)
    index.add(np.repeat(code, 3, axis=0), ids_of(1, 2, 3), np.array([8, 40, 255], np.uint8))

    # Then each is found within the lesser of its own threshold and the distance
    for bits, most, found in [
        (8, 31, [1, 2, 3]),
        (9, 31, [2, 3]),
        (32, 31, []),
        (40, 256, [2, 3]),
        (41, 256, [3]),
    ]:
        query = flipped(code[0], bits=bits)[np.newaxis]
        assert [number for _, number, _ in as_rows(index.search(query, most))] == found


@pytest.mark.parametrize(
    ("thresholds", "error"),
    [
        (np.zeros(3, np.uint8), WrongShape),
        (np.zeros((2, 1), np.uint8), WrongShape),
        (np.zeros(2, np.int64), WrongType),
        ([31, 31], WrongType),
    ],
)
def test_thresholds_of_another_form_are_refused_and_nothing_is_added(thresholds, error):
    index = Index()
    with pytest.raises(error):
        index.add(random_codes(2), ids_of(1, 2), thresholds)
    assert len(index) == 0


def test_equal_codes_are_stored_once_and_found_each():
    # Given twenty thousand equal codes among others
    index = Index()
    codes = np.repeat(random_codes(1), 20_000, axis=0)
    index.add(codes, np.arange(20_000, dtype=np.uint64)[::-1])
    index.add(random_codes(5000, seed=3), np.arange(20_000, 25_000, dtype=np.uint64))

    # When one of them is removed
    index.remove(ids_of(7))

    # Then all the others are found, and they take little more than their ids
    rows = as_rows(index.search(codes[:1]))
    assert rows == [(0, number, 0) for number in range(20_000) if number != 7]
    fresh = Index()
    fresh.add(codes, np.arange(20_000, dtype=np.uint64))
    assert fresh.stats().bytes < 20_000 * 16


def test_same_code_added_twice_under_one_id_is_there_twice():
    index = Index(tail_limit=1)
    index.add(np.repeat(random_codes(1), 2, axis=0), ids_of(4, 4))
    assert as_rows(index.search(random_codes(1))) == [(0, 4, 0), (0, 4, 0)]
    assert index.remove(ids_of(4)) == 2


# ---- segments ----------------------------------------------------------------------------------------


def test_many_small_additions_are_merged_into_few_segments():
    # Given two thousand codes, added five at a time, of which a third is removed
    index = Index(tail_limit=8)
    codes = random_codes(2000)
    for row in range(0, 2000, 5):
        index.add(codes[row : row + 5], np.arange(row, row + 5, dtype=np.uint64))
    removed = index.remove(np.arange(0, 2000, 3, dtype=np.uint64))

    # When
    index.settle()

    # Then
    stats = index.stats()
    assert (removed, stats.codes) == (667, 1333)
    assert stats.segments <= 5
    assert stats.mapped_bytes == 0
    found = index.search(codes, 0)
    assert found.id.tolist() == [number for number in range(2000) if number % 3]


def test_removing_everything_leaves_no_segment():
    index = Index(tail_limit=1)
    index.add(random_codes(50), np.arange(50, dtype=np.uint64))
    assert index.remove(np.arange(50, dtype=np.uint64)) == 50
    index.settle()
    assert (index.stats().segments, index.stats().tombstones, len(index)) == (0, 0, 0)


# ---- threads and processes ---------------------------------------------------------------------------


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


def test_removal_while_a_merge_is_under_way_is_not_undone_by_it():
    # Given an index that merges again and again, while every id is removed soon after it was added
    index = Index(tail_limit=4)
    codes = random_codes(3000)
    for row in range(3000):
        index.add(codes[row : row + 1], ids_of(row))
        if row >= 50:
            assert index.remove(ids_of(row - 50)) == 1

    # Then no removed code comes back
    index.settle()
    assert len(index) == 50
    assert index.search(codes, 0).id.tolist() == list(range(2950, 3000))


ENDS_WHILE_IT_MERGES = """
import os, numpy as np
from staydown.matching import Index
codes = np.random.default_rng(0).integers(0, 256, (200_000, 32), dtype=np.uint8)
index = Index()
for part in range(20):
    index.add(codes[part * 10_000 :][:10_000], np.arange(10_000, dtype=np.uint64))
dropped = Index()
dropped.add(codes[:100_000], np.arange(100_000, dtype=np.uint64))
dropped.add(codes[100_000:], np.arange(100_000, dtype=np.uint64))
del dropped
child = os.fork()
if not child:
    index.add(codes[:5000], np.arange(5000, dtype=np.uint64))
    index.settle()
    os._exit(0 if len(index) == 205_000 and len(index.search(codes[:1])) == 2 else 1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
"""


def test_index_can_be_dropped_forked_and_left_behind_while_it_merges():
    run = subprocess.run([sys.executable, "-c", ENDS_WHILE_IT_MERGES], timeout=60, check=False)
    assert run.returncode == 0
