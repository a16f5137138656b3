"""Generated pictures for tests: the same bytes on every machine and in every release of numpy.

Integer arithmetic only, so that a vector file can keep a picture as four parameters. No pictures of people.
"""

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]

KINDS = ("noise", "ramp", "landscape", "checks", "flat")


def _mixed(values: npt.NDArray[np.uint64], *, seed: int) -> npt.NDArray[np.uint64]:
    """Scrambles integers. Source: splitmix64 (Steele, Lea, Flood 2014)."""
    with np.errstate(over="ignore"):
        z = values + np.uint64((seed * 0x9E3779B97F4A7C15 + 0x9E3779B97F4A7C15) % 2**64)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def _wave(x: npt.NDArray[np.int64], period: int) -> npt.NDArray[np.int64]:
    """A triangle wave from 0 to 255."""
    return np.abs(x % period * 510 // period - 255)


def picture(kind: str, width: int, height: int, *, seed: int = 0) -> Pixels:
    """A picture of (height, width, 3) uint8, C-contiguous."""
    y, x = np.mgrid[0:height, 0:width].astype(np.int64)
    if kind == "noise":
        count = np.arange(width * height * 3, dtype=np.uint64)
        return (_mixed(count, seed=seed) & np.uint64(255)).astype(np.uint8).reshape(height, width, 3)
    if kind == "ramp":
        channels = [x * (seed + 3) // 2 + y, y * 2 + x // (seed + 1), x + y * (seed + 2)]
    elif kind == "landscape":
        ridge = (
            height
            * (200 + _wave(x + 37 * seed, max(7, width // 3)) + _wave(x, max(5, width // 11)) // 4)
            // 640
        )
        ground, haze = y > ridge, (height - y) * 120 // height
        rough = _wave(x * 7 + y * 13 + seed * 5, 97) // 6
        channels = [
            np.where(ground, 60 + rough + haze // 3, 120 + haze),
            np.where(ground, 90 + rough, 150 + haze // 2),
            np.where(ground, 40 + rough // 2, 250 - haze // 2),
        ]
    elif kind == "checks":
        side = 3 + seed % 40
        on = (x // side + y // side) % 2 * 200 + 20
        channels = [on, 255 - on, on // 2 + seed % 100]
    elif kind == "flat":
        channels = [
            np.full_like(x, seed % 256),
            np.full_like(x, seed // 2 % 256),
            np.full_like(x, seed // 3 % 256),
        ]
    else:
        raise ValueError(kind)
    return np.ascontiguousarray(np.stack(channels, axis=2) % 256).astype(np.uint8)
