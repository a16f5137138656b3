"""What any index must do. The native index and its readable twin both run this class."""

import numpy as np
import pytest

from staydown.matching import DistanceOutOfRange, WrongShape, WrongType


def ids_of(*numbers):
    return np.array(numbers, np.uint64)


def random_codes(n, *, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (n, 32), dtype=np.uint8)


def flipped(code, *, bits):
    """The code with so many bits changed, spread evenly over its 16 chunks."""
    changed = code.copy()
    for bit in range(bits):
        place = bit % 16 * 16 + bit // 16
        changed[place // 8] ^= np.uint8(1 << (place % 8))
    return changed


def as_rows(hits):
    return list(zip(hits.query.tolist(), hits.id.tolist(), hits.distance_bits.tolist(), strict=True))


class SearchContract:
    """Subclasses give `make()`, an empty index."""

    def make(self):
        raise NotImplementedError

    def test_empty_index_finds_nothing(self):
        index = self.make()
        assert len(index) == 0
        assert len(index.search(random_codes(3), 256)) == 0

    def test_search_without_queries_finds_nothing(self):
        index = self.make()
        index.add(random_codes(3), ids_of(1, 2, 3))
        assert len(index.search(np.empty((0, 32), np.uint8))) == 0

    def test_answer_has_the_promised_types(self):
        index = self.make()
        index.add(random_codes(1), ids_of(2**64 - 1))
        hits = index.search(random_codes(1))
        assert (hits.query.dtype, hits.id.dtype, hits.distance_bits.dtype) == (np.int64, np.uint64, np.uint16)
        assert as_rows(hits) == [(0, 2**64 - 1, 0)]

    @pytest.mark.parametrize("bits", [0, 1, 15, 16, 17, 30, 31])
    def test_code_at_the_limit_is_found_and_one_bit_further_is_not(self, bits):
        # Given differences spread evenly over the chunks: the hardest case for looking up buckets
        index = self.make()
        code = random_codes(1)[0]
        index.add(np.stack([flipped(code, bits=bits), flipped(code, bits=bits + 1)]), ids_of(1, 2))

        # When
        hits = index.search(code[np.newaxis], bits)

        # Then
        assert as_rows(hits) == [(0, 1, bits)]

    def test_limit_is_31_bits_when_none_is_given(self):
        index = self.make()
        code = random_codes(1)[0]
        index.add(np.stack([flipped(code, bits=31), flipped(code, bits=32)]), ids_of(1, 2))
        assert as_rows(index.search(code[np.newaxis])) == [(0, 1, 31)]

    def test_opposite_code_is_256_bits_away(self):
        index = self.make()
        code = random_codes(1)
        index.add(~code, ids_of(5))
        assert as_rows(index.search(code, 256)) == [(0, 5, 256)]
        assert len(index.search(code, 255)) == 0

    def test_answer_is_ordered_by_query_then_distance_then_id(self):
        # Given
        index = self.make()
        code = random_codes(1)[0]
        near = [flipped(code, bits=bits) for bits in (3, 0, 3, 1)]
        index.add(np.stack(near), ids_of(9, 7, 2, 8))

        # When
        hits = index.search(np.stack([code, ~code, code]))

        # Then
        once = [(7, 0), (8, 1), (2, 3), (9, 3)]
        assert as_rows(hits) == [(row, number, bits) for row in (0, 2) for number, bits in once]

    def test_code_that_shares_every_chunk_is_reported_once(self):
        index = self.make()
        code = random_codes(1)
        index.add(code, ids_of(4))
        assert as_rows(index.search(code)) == [(0, 4, 0)]

    def test_removed_id_takes_all_its_codes_along_at_once(self):
        # Given one id with three codes, and another
        index = self.make()
        codes = random_codes(4)
        index.add(codes, ids_of(1, 1, 2, 1))

        # When
        removed = index.remove(ids_of(1, 77, 1))

        # Then
        assert removed == 3
        assert len(index) == 1
        assert as_rows(index.search(codes)) == [(2, 2, 0)]

    def test_removing_twice_removes_once(self):
        index = self.make()
        index.add(random_codes(2), ids_of(1, 2))
        assert [index.remove(ids_of(1)), index.remove(ids_of(1)), index.remove(ids_of())] == [1, 0, 0]

    def test_id_that_was_removed_can_be_added_again(self):
        index = self.make()
        codes = random_codes(2)
        index.add(codes[:1], ids_of(1))
        index.remove(ids_of(1))
        index.add(codes[1:], ids_of(1))
        assert as_rows(index.search(codes)) == [(1, 1, 0)]

    def test_strided_arrays_are_read_as_numpy_shows_them(self):
        index = self.make()
        codes = random_codes(6)
        index.add(codes[::2], np.arange(6, dtype=np.uint64)[::2])
        assert as_rows(index.search(codes[::-1][1::2])) == [(0, 4, 0), (1, 2, 0), (2, 0, 0)]

    @pytest.mark.parametrize("shape", [(32,), (1, 31), (1, 33), (1, 1, 32), ()])
    def test_codes_of_another_shape_are_refused(self, shape):
        index = self.make()
        for call in (index.search, lambda codes: index.add(codes, ids_of(1))):
            with pytest.raises(WrongShape):
                call(np.zeros(shape, np.uint8))

    def test_more_ids_than_codes_are_refused_and_nothing_is_added(self):
        index = self.make()
        with pytest.raises(WrongShape):
            index.add(random_codes(1), ids_of(1, 2))
        assert len(index) == 0

    @pytest.mark.parametrize(
        "codes", [np.zeros((1, 32), np.int8), np.zeros((1, 32)), [[0] * 32], b"0" * 32, None]
    )
    def test_codes_of_another_type_are_refused(self, codes):
        index = self.make()
        for call in (index.search, lambda codes: index.add(codes, ids_of(1))):
            with pytest.raises(WrongType):
                call(codes)

    @pytest.mark.parametrize("ids", [np.array([1]), np.array([1], ">u8"), np.array([1.0]), [1], 1])
    def test_ids_of_another_type_are_refused(self, ids):
        index = self.make()
        for call in (index.remove, lambda ids: index.add(random_codes(1), ids)):
            with pytest.raises(WrongType):
                call(ids)

    def test_ids_of_another_shape_are_refused(self):
        with pytest.raises(WrongShape):
            self.make().remove(np.zeros((1, 1), np.uint64))

    @pytest.mark.parametrize("bits", [-1, 257, 2**40])
    def test_distance_outside_0_to_256_is_refused(self, bits):
        with pytest.raises(DistanceOutOfRange):
            self.make().search(random_codes(1), bits)

    @pytest.mark.parametrize("bits", [31.0, "31", None, True])
    def test_distance_that_is_no_whole_number_is_refused(self, bits):
        with pytest.raises(WrongType):
            self.make().search(random_codes(1), bits)
