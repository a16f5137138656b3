"""What `pdqhash`, the implementation that partners run, says about a picture, in the form of our kernels."""

import numpy as np
import pdqhash

from tests.staydown.fingerprint.pictures import Pixels

Codes = tuple[bytes, tuple[int, int]]


def _dihedral(pixels: Pixels) -> tuple[bytes, int]:
    vectors, quality = pdqhash.compute_dihedral(np.ascontiguousarray(pixels))
    return b"".join(np.packbits(vector).tobytes() for vector in vectors), int(quality)


def pdqhash_codes(pixels: Pixels) -> Codes:
    """512 bytes and two qualities: of the picture, then of its 512 x 512 sample if a side is above 512."""
    height, width = pixels.shape[:2]
    full, full_quality = _dihedral(pixels)
    if max(width, height) <= 512:
        return full + full, (full_quality, full_quality)
    place = np.arange(512)
    small, small_quality = _dihedral(
        pixels[(place * height // 512)[:, None], (place * width // 512)[None, :]]
    )
    return full + small, (full_quality, small_quality)
