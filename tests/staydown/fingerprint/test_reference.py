"""The readable reference keeps the contract, and its steps do what their names say."""

import numpy as np

from staydown.fingerprint import reference
from tests.staydown.fingerprint.photo_codes_contract import PhotoCodesContract


class TestReference(PhotoCodesContract):
    photo_codes = reference.photo_codes


def test_box_filter_is_the_mean_of_the_rows_in_its_window() -> None:
    # Given ten rows of one column, and a window of three
    plane = np.arange(10, dtype=np.float32)[:, None]

    # When it is filtered
    filtered = reference.box_filter(plane, 3)

    # Then each row is the mean of itself and its neighbours, of fewer at the edges
    assert filtered[:, 0].tolist() == [0.5, 1, 2, 3, 4, 5, 6, 7, 8, 8.5]


def test_flat_picture_has_no_quality() -> None:
    codes = reference.photo_codes(np.full((99, 99, 3), 77, np.uint8))
    assert (codes.pdq.quality, codes.pdq512.quality) == (0, 0)
