"""How much one file may cost. Every number has its reason beside it; a caller may set others."""

from dataclasses import dataclass

MEGAPIXEL = 1_000_000
MEBIBYTE = 1024 * 1024

# The kernel's limits (native/fingerprint.c): PDQ needs five pixels, and its arithmetic is 32-bit up to this
# side.
MIN_SIDE = 5
MAX_SIDE = 65_535


@dataclass(frozen=True, slots=True)
class DecodeLimits:
    """What reading one file may cost. Pixels and bytes are limited everywhere, the rest in the sandbox."""

    max_pixels: int = 120 * MEGAPIXEL
    """Phones with 108 megapixels and medium-format cameras with 102 pass; the rare 200-megapixel mode of some
    phones does not: it would double what a decoding process may hold."""

    max_bytes: int = 64 * MEBIBYTE
    """A 108-megapixel JPEG of high quality is about 45 MB. More than this is a scan or an attack."""

    seconds: float = 20.0
    """Wall and CPU time for one file. On one busy core a 108-megapixel JPEG was seen to take four seconds, a
    WebP of 81 megapixels seven; what takes three times as long is not worth its place in the queue."""

    memory_bytes: int = 2048 * MEBIBYTE
    """Address space of a decoding process. Pillow holds four bytes a pixel, twice while it turns the
    picture: 960 MB at the pixel limit; a progressive JPEG or an AVIF needs up to as much again inside its
    decoder."""

    files_per_process: int = 500
    """A decoding process is replaced after so many files, so that no leak in a decoder grows for ever."""


DEFAULT_LIMITS = DecodeLimits()
