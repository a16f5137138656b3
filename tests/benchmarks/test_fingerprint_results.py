"""The published figures on speed hold what was asked for, and their table is what the figures make."""

import json

import pytest

from benchmarks import report


@pytest.fixture(scope="module")
def result() -> dict:
    return json.loads((report.RESULTS / "fingerprint.json").read_text())


def test_no_photo_is_a_bit_from_the_reference(result: dict) -> None:
    # Given every photo of the corpus, by both methods
    agreed = result["agreement"]

    # Then all codes are equal, in all turns where the method is exact
    assert agreed["exact"]["bits_apart_in_eight_turns"] == {"0": agreed["photos"]}
    assert agreed["exact"]["qualities_that_differ"] == 0
    assert agreed["fast"]["bits_apart"] == {"0": agreed["photos"]}


def test_reduced_files_stay_within_four_bits(result: dict) -> None:
    assert max(int(bits) for bits in result["files_apart"]["bits_apart"]) <= 4


def test_ratios_of_the_table_are_those_of_its_medians(result: dict) -> None:
    # Given the medians of one run
    for block, opponent in (
        (result["pixels"], "pdqhash.compute"),
        (result["file"], "PdqSignal.hash_from_bytes"),
    ):
        middle = {name: values["median"] for name, values in block["ms"].items()}

        # Then each ratio follows from them
        for name, ratio in block["times_as_fast"].items():
            assert ratio == pytest.approx(middle[opponent] / middle[name], rel=0.01)
