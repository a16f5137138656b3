"""How far two pictures' codes are apart, for tests."""

from collections.abc import Iterable

import numpy as np

from staydown.fingerprint import DecodedPicture
from staydown.fingerprint.kernel import Method, PhotoCodes, PhotoScan, photo_codes
from tests.staydown.fingerprint.pictures import Pixels


def bits_apart(a: bytes, b: bytes) -> int:
    """Hamming distance of two codes."""
    return (int.from_bytes(a) ^ int.from_bytes(b)).bit_count()


def distance(a: Pixels, b: Pixels) -> int:
    """How many bits of the exact pdq code two pictures' pixels are apart."""
    codes = [photo_codes(np.ascontiguousarray(pixels)).pdq.code() for pixels in (a, b)]
    return bits_apart(*codes)


def codes_of(picture: DecodedPicture, *, method: Method = Method.FAST) -> PhotoCodes:
    """The codes of a decoded picture, reduced or not."""
    scan = PhotoScan(picture.width, picture.height, step=picture.step, method=method)
    for strip in picture.strips():
        scan.rows(strip)
    return scan.finish()


def most_bits_apart(a: PhotoCodes, b: PhotoCodes) -> int:
    """The largest distance of two pictures' eight pdq codes."""
    pairs: Iterable[tuple[bytes, bytes]] = (
        (a.pdq.codes[at : at + 32], b.pdq.codes[at : at + 32]) for at in range(0, 256, 32)
    )
    return max(bits_apart(*pair) for pair in pairs)
