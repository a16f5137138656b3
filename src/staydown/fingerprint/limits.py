"""How much one file may cost. Every number has its reason beside it; a caller may set others."""

from dataclasses import dataclass

MEGAPIXEL = 1_000_000
MEBIBYTE = 1024 * 1024

# The kernel's limits (native/photo.c): PDQ needs five pixels, and its arithmetic is 32-bit up to this
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

    max_parts: int = 1_000_000
    """Segments of a JPEG, chunks of a PNG, blocks of a GIF, strips or tiles of a TIFF. Tiles of 16 x 16 need
    470,000 at the pixel limit, the 255-byte blocks of a GIF 260,000 at the byte limit; more are empty ones,
    read one by one."""

    max_items: int = 1000
    """Items of a HEIC or AVIF: tiles of 512 x 512 need 460 at the pixel limit. libheif has the same limit;
    libavif has none, and was seen to take 47 s for 40,000 items before it decoded anything."""

    max_scans: int = 100
    """Passes over a progressive JPEG: libjpeg's own script has ten. Each scan of a few bytes makes the
    decoder walk over the whole picture, 42 ms at the pixel limit, and the byte limit has room for 300,000."""

    max_profile_bytes: int = 4 * MEBIBYTE
    """A colour profile above this is ignored as a broken one is. Profiles of presses have 0.5 to 3 MiB; a PNG
    can unfold one of gigabytes out of a few kilobytes."""

    min_reduced_side: int = 512
    """A JPEG is decoded at half, quarter or eighth size as long as both sides keep this many pixels. Measured
    against full size on 60 photos: at most 4 bits of pdq's 256 with it, up to 42 without (robustness.md)."""

    max_frames: int = 64
    """Frames or pages that are taken from one file: as many codes as are kept of a video."""

    max_frame_pixels: int = 240 * MEGAPIXEL
    """Pixels of all frames together, taken or not, since each is decoded to compose the next: 500 frames of
    800 x 600. What comes later is not looked at. Composing as much was seen to take 1.5 to 3 seconds."""

    frame_seconds: float = 0.5
    """A frame is taken if it is shown this long, or begins this long after the last one taken: what a viewer
    has time to see. With max_frames this looks at the first 32 seconds, and most moving pictures have ten."""

    files_per_process: int = 500
    """A decoding process is replaced after so many files, so that no leak in a decoder grows for ever."""


DEFAULT_LIMITS = DecodeLimits()
