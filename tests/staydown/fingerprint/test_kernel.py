"""The native kernel keeps the contract, takes strips of any height, and refuses what does not fit."""

import hashlib
import itertools
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from staydown import _native
from staydown.fingerprint import Algorithm, kernel
from staydown.fingerprint.terms import DERIVATIONS
from tests.staydown.fingerprint.judge import pdqhash_codes
from tests.staydown.fingerprint.photo_codes_contract import PhotoCodesContract, plain
from tests.staydown.fingerprint.pictures import picture


class TestKernel(PhotoCodesContract):
    photo_codes = kernel.photo_codes


def test_integer_luma_equals_the_published_one_for_all_colours() -> None:
    # Given every colour there is
    green, blue = (plane.astype(np.int32) for plane in np.mgrid[0:256, 0:256])

    for red in range(256):
        # When luma is computed in double precision, and as the kernel does: an exact sum and one division
        published = (np.float64(red) * 0.299 + green * 0.587 + blue * 0.114).astype(np.float32)
        ours = (299 * red + 587 * green + 114 * blue).astype(np.float32) / np.float32(1000)

        # Then every float is the same
        assert np.array_equal(published, ours)


@settings(max_examples=40, deadline=None)
@given(
    width=st.integers(5, 700),
    height=st.integers(5, 300),
    heights=st.lists(st.integers(1, 50), min_size=1, max_size=5),
    seed=st.integers(0, 99),
)
def test_strips_of_any_height_give_the_codes_of_the_whole(
    width: int, height: int, heights: list[int], seed: int
) -> None:
    # Given a picture cut into strips
    pixels = picture("noise", width, height, seed=seed)
    cuts = [0]
    while cuts[-1] < height:
        cuts.append(min(height, cuts[-1] + heights[len(cuts) % len(heights)]))
    strips = [pixels[top:end] for top, end in itertools.pairwise(cuts)]

    # When they are fed one after the other, Then the codes are those of the whole
    whole = kernel.photo_codes(pixels)
    assert kernel.scan_strips(strips, width=width, height=height)[1] == whole


def test_large_photo_equals_pdqhash() -> None:
    # Given a photo of three megapixels, where the filter is 16 rows high
    pixels = picture("noise", 2048, 1536)

    # Then its codes are those of pdqhash
    assert plain(kernel.photo_codes(pixels)) == pdqhash_codes(pixels)


def test_derivations_name_the_turned_pictures() -> None:
    # Given a picture and its eight forms; at 9 x 64 pixels the filter and the samples are symmetric
    pixels = picture("landscape", 576, 576, seed=4)
    codes = kernel.photo_codes(pixels).fingerprints()
    turned = {
        "full": pixels,
        "r90": np.rot90(pixels, 1),
        "r180": np.rot90(pixels, 2),
        "r270": np.rot90(pixels, 3),
        "fV": pixels[::-1],
        "fH": pixels[:, ::-1],
        "fP": pixels.swapaxes(0, 1),
        "fM": pixels[::-1, ::-1].swapaxes(0, 1),
    }

    for place, derivation in enumerate(DERIVATIONS):
        # When the turned picture is fingerprinted itself
        actual = kernel.photo_codes(np.ascontiguousarray(turned[derivation])).pdq.code()
        derived = codes[place]

        # Then the code derived from the upright one is the same up to a rounding
        distance = (int.from_bytes(actual) ^ int.from_bytes(derived.code)).bit_count()
        assert derived.derivation == derivation
        assert derived.algorithm is Algorithm.PDQ
        assert distance <= 2, derivation


def test_many_threads_share_the_kernel_without_disturbing_each_other() -> None:
    # Given pictures whose codes are known
    pictures = [picture("noise", 300 + n, 200 + n, seed=n) for n in range(8)]
    expected = [kernel.photo_codes(pixels) for pixels in pictures]

    # When four threads compute them again and again
    with ThreadPoolExecutor(4) as threads:
        again = list(threads.map(kernel.photo_codes, pictures * 5))

    # Then nothing changes
    assert again == expected * 5


def test_finish_before_the_last_row_is_refused() -> None:
    with pytest.raises(ValueError, match="rows are missing"):
        kernel.scan_strips([np.zeros((9, 10, 3), np.uint8)], width=10, height=10)


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((10, 10), np.uint8),
        np.zeros((10, 10, 2), np.uint8),
        np.zeros((10, 10, 3), np.float32),
        np.zeros((10, 10, 3), np.int8),
    ],
    ids=["two dimensions", "two channels", "floats", "signed"],
)
def test_wrong_arrays_are_refused(pixels: np.ndarray) -> None:
    with pytest.raises(ValueError, match="pixels must be"):
        _native.photo_rows(_native.photo_begin(10, 10, 1, 0), pixels)


def test_strided_array_is_refused_not_misread() -> None:
    with pytest.raises((ValueError, BufferError)):
        _native.photo_rows(_native.photo_begin(10, 10, 1, 0), np.zeros((10, 20, 3), np.uint8)[:, ::2])


def test_rows_of_another_width_are_refused() -> None:
    photo = _native.photo_begin(10, 10, 1, 0)
    with pytest.raises(ValueError, match="do not fit"):
        _native.photo_rows(photo, np.zeros((2, 9, 3), np.uint8))


def test_digest_functions_refuse_a_photo() -> None:
    with pytest.raises(ValueError, match="PyCapsule"):
        _native.digest_finish(_native.photo_begin(10, 10, 1, 0))  # type: ignore[arg-type]


@pytest.mark.parametrize("length", [*range(130), 1000, 65_536, 1_000_003])
def test_digests_equal_hashlib(length: int) -> None:
    data = picture("noise", length // 3 + 1, 1, seed=length).tobytes()[:length]
    digests = kernel.digests_of(data)
    assert digests.sha256 == hashlib.sha256(data).hexdigest()
    assert digests.md5 == hashlib.md5(data).hexdigest()


@settings(max_examples=60, deadline=None)
@given(parts=st.lists(st.binary(max_size=200), max_size=8))
def test_digests_of_parts_equal_the_whole(parts: list[bytes]) -> None:
    stream = _native.digest_begin()
    for part in parts:
        _native.digest_update(stream, part)
    assert _native.digest_finish(stream) == _native.digests(b"".join(parts))
