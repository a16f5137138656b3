"""Counting what is found: distances, intervals, strangers."""

import numpy as np
import pytest

from benchmarks import recall
from benchmarks.codes import QUERY_NAMES, TURNS, VIEWS, Registered, Uploads
from benchmarks.corpus import Picture
from benchmarks.recall import Tally

PICTURE = Picture("photo", "test", "ab" * 32, 640, 480, "a-package", "1", "a.jpg")


def _code(*set_bits: int) -> np.ndarray:
    bits = np.zeros(256, np.uint8)
    bits[list(set_bits)] = 1
    return np.packbits(bits)


def _registered(**codes: np.ndarray) -> Registered:
    held = np.zeros((len(VIEWS), 8, 32), np.uint8)
    quality = np.full(len(VIEWS), -1, np.int16)
    for name, code in codes.items():
        held[VIEWS.index(name)] = code
        quality[VIEWS.index(name)] = 90
    return Registered(PICTURE, held, quality, np.zeros((8, 32), np.uint8), -1)


def _uploads(*codes: np.ndarray, quality: int = 90, place: int = 0) -> Uploads:
    held = np.full((len(codes), len(QUERY_NAMES), 32), 0xAA, np.uint8)
    qualities = np.full((len(codes), len(QUERY_NAMES)), -1, np.int16)
    held[:, place], qualities[:, place] = np.stack(codes), quality
    return Uploads(PICTURE, ("flip",) * len(codes), held, qualities)


def test_distance_counts_the_bits_that_differ() -> None:
    # Given codes with 0, 3 and 256 bits from the first
    one = np.stack([_code(), _code(1, 2, 255), np.full(32, 255, np.uint8)])

    # Then the distances say so
    assert recall.distances(one[:1], one).tolist() == [[0, 3, 256]]


@pytest.mark.parametrize(("bits", "is_found"), [(31, True), (32, False)])
def test_upload_is_found_up_to_31_bits(bits: int, is_found: bool) -> None:
    # Given an upload that many bits from its photo
    found = recall.found_uploads(_registered(full=_code()), _uploads(_code(*range(bits))), ("full",), "plain")

    # Then 31 is a hit and 32 is not
    assert found.tolist() == [is_found]


def test_code_of_low_quality_finds_nothing() -> None:
    # Given an upload that equals its photo but has too little detail
    uploads = _uploads(_code(), quality=49)

    # Then it is not looked up
    assert not recall.found_uploads(_registered(full=_code()), uploads, ("full",), "plain").any()


def test_cut_rectangle_counts_for_geo9_and_not_for_plain() -> None:
    # Given an upload of which only a cut rectangle shows the photo
    uploads = _uploads(_code(), place=QUERY_NAMES.index("cut1"))
    photo = _registered(full=_code())

    # Then only the level that looks there finds it
    assert recall.found_uploads(photo, uploads, ("full",), "geo9").all()
    assert not recall.found_uploads(photo, uploads, ("full",), "plain").any()


def test_derivation_names_lead_to_view_and_turn() -> None:
    assert recall.places_of(["full", "r90", "cc88~fH"]) == [
        (0, 0), (0, TURNS.index("r90")), (VIEWS.index("cc88"), TURNS.index("fH")),
    ]  # fmt: skip


def test_wilson_interval_holds_at_zero_and_matches_the_textbook() -> None:
    # Given Wilson's interval for 8 of 10, by hand (0.4902, 0.9433), and for nothing found
    assert Tally(8, 10).interval() == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert Tally(0, 100).interval() == pytest.approx((0.0, 0.0370), abs=1e-4)


def test_own_photo_is_no_stranger() -> None:
    # Given two uploads and a bank with a code of each of their photos
    codes = np.stack([_code(), _code(*range(100))])

    # When strangers are counted
    found = recall.strangers(codes, ["a", "b"], codes, ["a", "b"], list_within=100)

    # Then only the pairs with different owners were compared
    assert found.comparisons == 2
    assert found.least == 100
    assert found.within(99) == 0
    assert found.closest == [(100, "a", "b"), (100, "b", "a")]


def test_mean_weighs_families_and_not_uploads() -> None:
    assert recall.mean_recall({"flip": Tally(1, 1), "border": Tally(0, 99)}) == 0.5
