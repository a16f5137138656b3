"""Choosing a set: greedy, each family with the same weight. Covers benchmarks.leakage's arithmetic too."""

import numpy as np
import pytest

from benchmarks import choose_set, leakage
from staydown.fingerprint import is_derivation


def test_every_candidate_is_a_derivation_without_borders() -> None:
    names = choose_set.candidate_names()
    assert len(names) == len(set(names))
    assert all(is_derivation(name) for name in names)


def test_greedy_takes_what_adds_most_to_what_is_there() -> None:
    # Given three candidates: the second finds most, the third finds what the second does not
    found = np.array([[1, 1, 0], [1, 1, 0], [0, 1, 0], [0, 0, 1]], bool)
    weight = np.full(4, 0.25)

    # Then the third comes before the first, which adds nothing
    assert choose_set.greedy(found, weight, [], 3) == [1, 2, 0]
    assert choose_set.recall_of(found, weight, [1, 2]) == 1.0


def test_small_family_weighs_as_much_as_a_large_one() -> None:
    weight = choose_set.weights(np.array(["flip", "crop", "crop", "crop"]))
    assert weight[0] == pytest.approx(0.5)
    assert weight.sum() == pytest.approx(1.0)


def test_decoder_recovers_what_bits_determine() -> None:
    # Given pictures that are a linear function of their bits, and others
    rng = np.random.default_rng(3)
    bits = (rng.integers(0, 2, (400, 64)) * 2 - 1).astype(np.float32)
    pictures = bits @ rng.normal(size=(64, 100)).astype(np.float32)
    noise = rng.normal(size=(400, 100)).astype(np.float32)

    # Then ridge regression finds the first and nothing in the others
    assert (
        leakage.correlation(pictures[300:], leakage.ridge(bits[:300], pictures[:300], 1.0)(bits[300:])) > 0.99
    )
    assert (
        abs(leakage.correlation(noise[300:], leakage.ridge(bits[:300], noise[:300], 100.0)(bits[300:]))) < 0.1
    )
