"""What is registered of a picture: the whole bit for bit, views close to pdqhash of the crops."""

import numpy as np

from staydown.fingerprint.kernel import scan_strips
from staydown.fingerprint.registration import derived_fingerprints, needs_plane
from staydown.fingerprint.terms import Algorithm, Fingerprint
from staydown.fingerprint.views import DERIVATION_SETS, split_derivation, view_rectangle
from tests.staydown.fingerprint.judge import pdqhash_codes
from tests.staydown.fingerprint.pictures import Pixels, picture

TURNS = ("full", "r90", "r180", "r270", "fV", "fH", "fP", "fM")


def _registered(pixels: Pixels, name: str) -> tuple[Fingerprint, ...]:
    height, width = pixels.shape[:2]
    derivation_set = DERIVATION_SETS[name]
    scan, codes = scan_strips([pixels], width=width, height=height, keeps_plane=needs_plane(derivation_set))
    return derived_fingerprints(scan, codes, derivation_set, width=width, height=height)


def test_default_set_is_within_four_bits_of_pdqhash_on_every_crop() -> None:
    # Given a picture
    pixels = picture("landscape", 1030, 770, seed=3)

    # When the default set is made of it
    fingerprints = _registered(pixels, "crops32")

    # Then each pdq code is that of pdqhash of the cut and turned picture, the whole ones bit for bit
    assert [each.derivation for each in fingerprints if each.algorithm is Algorithm.PDQ] == list(
        DERIVATION_SETS["crops32"].derivations[Algorithm.PDQ]
    )
    for each in fingerprints[:-1]:
        view, turn = split_derivation(each.derivation)
        place = view_rectangle(view, width=1030, height=770)
        assert place is not None
        cut = pixels[place.top : place.top + place.height, place.left : place.left + place.width]
        codes, _ = pdqhash_codes(np.ascontiguousarray(cut))
        at = 32 * TURNS.index(turn)
        distance = (int.from_bytes(each.code) ^ int.from_bytes(codes[at : at + 32])).bit_count()
        assert distance <= (0 if view == "full" else 4), each.derivation


def test_last_code_is_pdq512_of_the_whole() -> None:
    pixels = picture("landscape", 900, 700)
    last = _registered(pixels, "crops32")[-1]
    assert (last.algorithm, last.derivation) == (Algorithm.PDQ512, "full")
    assert last.code == pdqhash_codes(pixels)[0][256:288]


def test_rectangle_that_two_names_share_is_registered_once() -> None:
    # Given a square picture, whose square crop is the whole
    names = [each.derivation for each in _registered(picture("landscape", 600, 600), "crops64")]

    # Then that crop is left out
    assert "full" in names
    assert "as1:1" not in names


def test_tiny_picture_registers_what_fits() -> None:
    # Given the smallest picture there is
    fingerprints = _registered(picture("noise", 5, 5), "crops64")

    # Then only views that keep five pixels are there, each rectangle once a turn
    assert {split_derivation(each.derivation)[0] for each in fingerprints} <= {
        "full",
        "cc98",
        "cc96",
        "cc94",
        "cc92",
    }


def test_sets_without_views_need_no_plane() -> None:
    assert [needs_plane(DERIVATION_SETS[name]) for name in ("plain", "turns8", "crops32")] == [
        False,
        False,
        True,
    ]
