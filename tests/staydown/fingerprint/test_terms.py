"""Fingerprints are exactly 256 bits with a quality, or they are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from staydown.fingerprint import (
    DERIVATIONS,
    MIN_QUALITY,
    Algorithm,
    Digests,
    Fingerprint,
    MalformedFingerprint,
    MediaFingerprints,
    distance_bits,
)

CODE = bytes(range(32))


@given(code=st.binary(min_size=32, max_size=32), quality=st.integers(0, 100))
def test_hex_form_gives_the_fingerprint_back(code: bytes, quality: int) -> None:
    fingerprint = Fingerprint(Algorithm.PDQ, code, quality)
    assert Fingerprint.from_hex(fingerprint.hex, quality=quality) == fingerprint
    assert Fingerprint.from_hex(fingerprint.hex.upper(), quality=quality) == fingerprint


@pytest.mark.parametrize(
    "text", ["", "00" * 31, "00" * 33, "zz" * 32, " " + "00" * 32, "00" * 31 + "0 ", "٠" * 64]
)
def test_text_that_is_not_64_hex_digits_is_refused(text: str) -> None:
    with pytest.raises(MalformedFingerprint, match="64 hex digits"):
        Fingerprint.from_hex(text, quality=80)


@pytest.mark.parametrize("quality", [-1, 101])
def test_quality_outside_0_to_100_is_refused(quality: int) -> None:
    with pytest.raises(MalformedFingerprint, match="from 0 to 100"):
        Fingerprint(Algorithm.PDQ, CODE, quality)


@pytest.mark.parametrize("length", [0, 31, 33])
def test_code_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(MalformedFingerprint, match="32 bytes"):
        Fingerprint(Algorithm.PDQ, bytes(length), 80)


@given(a=st.binary(min_size=32, max_size=32), b=st.binary(min_size=32, max_size=32))
def test_distance_counts_the_bits_that_differ(a: bytes, b: bytes) -> None:
    # Given two codes, of either algorithm
    first, second = Fingerprint(Algorithm.PDQ, a, 80), Fingerprint(Algorithm.PDQ512, b, 80)

    # Then the distance is the plain count, the same both ways
    expected = sum((x ^ y).bit_count() for x, y in zip(a, b, strict=True))
    assert distance_bits(first, second) == distance_bits(second, first) == expected


def test_media_gives_one_fingerprint_by_algorithm_and_derivation() -> None:
    # Given a picture whose larger scale has too little detail
    fingerprints = (
        Fingerprint(Algorithm.PDQ, CODE, MIN_QUALITY - 1),
        Fingerprint(Algorithm.PDQ512, CODE, MIN_QUALITY),
        Fingerprint(Algorithm.PDQ512, CODE[::-1], MIN_QUALITY, "r90"),
    )
    media = MediaFingerprints("image", Digests(sha256="00" * 32, md5="00" * 16), 640, 480, fingerprints)

    # Then each is found by its name, and only those with enough detail may be registered
    assert media.of(Algorithm.PDQ) is fingerprints[0]
    assert media.of(Algorithm.PDQ512, "r90") is fingerprints[2]
    assert media.of(Algorithm.PDQ, "r90") is None
    assert media.registrable() == fingerprints[1:]


def test_derivations_are_in_the_order_of_pdqhash() -> None:
    assert DERIVATIONS == ("full", "r90", "r180", "r270", "fV", "fH", "fP", "fM")
