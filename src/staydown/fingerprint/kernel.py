"""The native kernel behind a typed face. Refuses pictures it is not defined for, by name."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from staydown import _native
from staydown.fingerprint.errors import TooManyPixels, TooSmall
from staydown.fingerprint.limits import MAX_SIDE, MIN_SIDE
from staydown.fingerprint.terms import CODE_BYTES, DERIVATIONS, Algorithm, Digests, Fingerprint

Pixels = npt.NDArray[np.uint8]
Codes = tuple[bytes, tuple[int, int]]
"""2 x 8 codes of 32 bytes (pdq's eight, then pdq512's), and the two qualities."""


def check_sides(width: int, height: int) -> None:
    """Raises TooSmall or TooManyPixels for a picture that has no fingerprint whatever the limits are."""
    if min(width, height) < MIN_SIDE:
        raise TooSmall(f"The picture is {width} x {height} pixels; each side must have at least {MIN_SIDE}.")
    if max(width, height) > MAX_SIDE:
        raise TooManyPixels(
            f"The picture is {width} x {height} pixels; no side may have more than {MAX_SIDE}."
        )


def photo_codes(pixels: Pixels) -> Codes:
    """Both algorithms' codes of one picture. The GIL is released.

    pixels: (height, width, 1 | 3 | 4) uint8, C-contiguous; luma, RGB, or RGB with a fourth channel that is
    ignored. Raises TooSmall, TooManyPixels. Source: hashing.pdf of ThreatExchange; equal to `pdqhash` 0.2.8
    bit for bit.
    """
    check_sides(pixels.shape[1], pixels.shape[0])
    return _native.photo_codes(pixels)


def photo_codes_of_strips(strips: Iterable[Pixels], *, width: int, height: int) -> Codes:
    """As `photo_codes`, of a picture that arrives as strips of rows from the top, and is never held whole.

    Raises TooSmall, TooManyPixels; ValueError if the strips do not make up the picture.
    """
    check_sides(width, height)
    photo = _native.photo_begin(width, height)
    for strip in strips:
        _native.photo_rows(photo, strip)
    return _native.photo_finish(photo)


def fingerprints_of_codes(codes: Codes) -> tuple[Fingerprint, ...]:
    """The sixteen fingerprints: both algorithms, each with the eight derivations."""
    data, qualities = codes
    return tuple(
        Fingerprint(algorithm, data[at : at + CODE_BYTES], quality, derivation)
        for scale, (algorithm, quality) in enumerate(zip(Algorithm, qualities, strict=True))
        for place, derivation in enumerate(DERIVATIONS)
        for at in [CODE_BYTES * (len(DERIVATIONS) * scale + place)]
    )


def digests_of(data: bytes | bytearray | memoryview) -> Digests:
    """MD5 and SHA-256 by the kernel that the browser runs. For files use `digest_file`: it is quicker."""
    both = _native.digests(data)
    return Digests(sha256=both[16:].hex(), md5=both[:16].hex())
