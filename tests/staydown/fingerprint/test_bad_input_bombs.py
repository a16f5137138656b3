"""Small files that claim or unfold to much: a named error or the right picture, in bounded memory, in time.

Each is read by one decoding process, whose highest memory is read from the system after each file.
"""

import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from staydown.fingerprint import (
    DamagedFile,
    DecoderCrashed,
    DecodeTimedOut,
    MediaFingerprints,
    NotFingerprintable,
    SandboxPool,
    TooManyPixels,
)
from staydown.fingerprint.errors import TooManyParts
from tests.staydown.fingerprint.files import (
    bmp_claim,
    encoded,
    jpeg,
    png_chunk,
    png_of_zeros,
    webp_claim,
)
from tests.staydown.fingerprint.odd_files import (
    bmp_rle8,
    gif,
    gif_image,
    jpeg_of_many_scans,
    resized,
    tiff,
    with_chunks,
    zeros_unfolded,
)
from tests.staydown.fingerprint.odd_iso import coded_image, grid, with_claimed_size
from tests.staydown.fingerprint.pictures import picture

SEEDS = Path(__file__).parents[2] / "vectors" / "fuzz-seeds"
SMALL = picture("landscape", 64, 64)

# Python, numpy and the picture libraries; what is held beyond it is the file's doing.
PROCESS_MIB = 110


@pytest.fixture(name="pool", scope="module")
def _pool() -> Iterator[SandboxPool]:
    with SandboxPool() as pool:
        pool.fingerprint(jpeg())
        yield pool


def _peak_mib(pool: SandboxPool, data: bytes) -> tuple[MediaFingerprints | NotFingerprintable, float]:
    """What becomes of a file, and the most memory that its process held meanwhile, in MiB."""
    pool.fingerprint(jpeg(64, 48))  # a process that was ended is replaced
    child = pool._places.get()
    pool._places.put(child)
    assert child is not None
    facts = Path(f"/proc/{child.process_id}")
    (facts / "clear_refs").write_text("5")  # the peak begins anew
    try:
        outcome: MediaFingerprints | NotFingerprintable = pool.fingerprint(data)
    except NotFingerprintable as refusal:
        outcome = refusal
    try:
        peak_kib = int((facts / "status").read_text().split("VmHWM:")[1].split()[0])
    except FileNotFoundError:  # the process has ended
        return outcome, 0.0
    return outcome, peak_kib / 1024 - PROCESS_MIB


# ---- claims, refused before memory is reserved ---------------------------------------------------


def _strips(count: int) -> bytes:
    return tiff(SMALL, further=[(273, 4, count, bytes(4 * count)), (279, 4, count, bytes(4 * count))])


def _tile(side: int) -> bytes:
    sides = struct.pack("<I", side)
    return tiff(SMALL, further=[(322, 4, 1, sides), (323, 4, 1, sides)])


def _tiff_claim(width: int, height: int) -> bytes:
    sides = [(tag, 4, 1, struct.pack("<I", side)) for tag, side in ((256, width), (257, height))]
    return tiff(SMALL, further=sides)


def _one_image(kind: str) -> bytes:
    return (SEEDS / "heic-tile.heic").read_bytes() if kind == "heic" else encoded(SMALL, "AVIF")


def _tiles(kind: str, columns: int, rows: int, size: tuple[int, int]) -> bytes:
    return grid(coded_image(_one_image(kind)), tile_size=(64, 64), columns=columns, rows=rows, size=size)


CLAIMS: dict[str, tuple[Callable[[], bytes], type[NotFingerprintable]]] = {
    "JPEG of 65500 x 65500": (lambda: resized(jpeg(), 65_500, 65_500), TooManyPixels),
    "progressive JPEG of 65500 x 65500": (
        lambda: resized(jpeg(progressive=True), 65_500, 65_500), TooManyPixels),
    "JPEG of 40 scans too many": (lambda: jpeg_of_many_scans(SMALL, 140), TooManyParts),
    "JPEG of a hundred thousand scans": (lambda: jpeg_of_many_scans(SMALL, 100_000), TooManyParts),
    "PNG of 1600 megapixels": (lambda: png_of_zeros(40_000, 40_000), TooManyPixels),
    "PNG of 2^31 pixels a side": (lambda: png_of_zeros(2**31 - 1, 2**31 - 1, rows=0), TooManyPixels),
    "PNG of a million chunks": (
        lambda: with_chunks(encoded(SMALL, "PNG"), [png_chunk(b"IDAT", b"")] * 1_000_001), TooManyParts),
    "GIF of 65535 x 65535": (lambda: gif(65_535, 65_535, gif_image(0, 0, 1, 1)), TooManyPixels),
    "GIF whose image is 65535 x 65535": (
        lambda: gif(9, 9, gif_image(0, 0, 65_535, 65_535, disposal=2)), TooManyPixels),
    "GIF whose image lies far outside": (lambda: gif(9, 9, gif_image(60_000, 60_000, 9, 9)), TooManyPixels),
    "WebP of 16383 x 16383": (lambda: webp_claim(16_383, 16_383), TooManyPixels),
    "WebP of 16777216 x 16777216": (lambda: webp_claim(16_777_216, 16_777_216), TooManyPixels),
    "BMP of 50000 x 50000": (lambda: bmp_claim(50_000, 50_000), TooManyPixels),
    "BMP of -2^31 rows": (lambda: bmp_claim(50_000, -(2**31)), TooManyPixels),
    "BMP of 50000 x 50000 in run lengths": (lambda: bmp_rle8(50_000, 50_000, b"\0\1"), TooManyPixels),
    "TIFF of 65535 x 65535": (lambda: _tiff_claim(65_535, 65_535), TooManyPixels),
    "TIFF of 2^32 x 2^32": (lambda: _tiff_claim(2**32 - 1, 2**32 - 1), TooManyPixels),
    "TIFF of two million strips": (lambda: _strips(2_000_000), TooManyParts),
    "TIFF of a tile of 65535 x 65535": (lambda: _tile(65_535), TooManyPixels),
    "AVIF of 65535 x 65535": (lambda: with_claimed_size(_one_image("avif"), 65_535, 65_535), DamagedFile),
    "AVIF of 15000 x 15000": (lambda: with_claimed_size(_one_image("avif"), 15_000, 15_000), TooManyPixels),
    "HEIC of 65535 x 65535": (lambda: with_claimed_size(_one_image("heic"), 65_535, 65_535), TooManyPixels),
    "HEIC of 20000 x 20000": (lambda: with_claimed_size(_one_image("heic"), 20_000, 20_000), TooManyPixels),
    "AVIF of forty thousand tiles": (lambda: _tiles("avif", 200, 200, (12_800, 12_800)), TooManyParts),
    "HEIC of forty thousand tiles": (lambda: _tiles("heic", 200, 200, (12_800, 12_800)), TooManyParts),
    "HEIC of tiles that do not reach": (lambda: _tiles("heic", 2, 2, (10_000, 10_000)), DamagedFile),
    "AVIF of tiles that do not reach": (lambda: _tiles("avif", 2, 2, (10_000, 10_000)), DamagedFile),
}  # fmt: skip


@pytest.mark.parametrize("kind", CLAIMS)
def test_claim_is_refused_by_name_before_it_costs_anything(kind: str, pool: SandboxPool) -> None:
    make, error = CLAIMS[kind]
    outcome, peak_mib = _peak_mib(pool, make())
    assert type(outcome) is error, outcome
    assert peak_mib < 100


# ---- what unfolds, within the limits -------------------------------------------------------------


def _packed_chunk(kind: bytes) -> bytes:
    front = {b"zTXt": b"a\0\0", b"iTXt": b"a\0\1\0\0\0", b"iCCP": b"a\0\0"}[kind]
    return png_chunk(kind, front + zeros_unfolded(256 << 20))


@pytest.mark.parametrize("kind", [b"zTXt", b"iTXt", b"iCCP"])
def test_text_or_profile_that_unfolds_to_gigabytes_is_not_unfolded(kind: bytes, pool: SandboxPool) -> None:
    # Given a picture with a chunk of 256 KB that holds 256 MB, twenty times
    whole = encoded(SMALL, "PNG")
    outcome, peak_mib = _peak_mib(pool, with_chunks(whole, [_packed_chunk(kind)] * 20))

    # Then it is the picture, and nothing was unfolded beyond a profile's limit
    assert isinstance(outcome, MediaFingerprints)
    assert outcome.fingerprints == pool.fingerprint(whole).fingerprints
    assert peak_mib < 100


UNFOLDING: dict[str, tuple[Callable[[], bytes], int]] = {
    # name: file, and the MiB that it may take: 4 bytes a pixel, and the decoder's own
    "PNG of 100 megapixels": (lambda: png_of_zeros(10_000, 10_000, bits=8), 250),
    "deflated TIFF of 100 megapixels": (
        lambda: encoded(Image.new("L", (10_000, 10_000)), "TIFF", compression="tiff_deflate"), 250),
    "LZW TIFF of 100 megapixels": (
        lambda: encoded(Image.new("L", (10_000, 10_000)), "TIFF", compression="tiff_lzw"), 250),
    "fax TIFF of 100 megapixels": (
        lambda: encoded(Image.new("1", (10_000, 10_000)), "TIFF", compression="group4"), 250),
    "WebP of 100 megapixels": (
        lambda: encoded(Image.new("RGB", (10_000, 10_000)), "WEBP", lossless=True, method=0), 1600),
    "JPEG header of 100 megapixels": (lambda: resized(jpeg(), 10_000, 10_000), 800),
    "progressive JPEG header of 100 megapixels": (
        lambda: resized(jpeg(progressive=True), 10_000, 10_000), 1200),
    "BMP in run lengths that leaps over 100 megapixels": (
        lambda: bmp_rle8(10_000, 10_000, b"\0\2\xff\xff" * 400 + b"\0\1"), 500),
    "BMP in run lengths that ends at once": (lambda: bmp_rle8(10_000, 10_000, b"\0\1"), 500),
    "AVIF of 64 pixels that claims 100 megapixels": (
        lambda: with_claimed_size(_one_image("avif"), 10_000, 10_000), 1500),
    "HEIC of 64 pixels that claims 100 megapixels": (
        lambda: with_claimed_size(_one_image("heic"), 10_000, 10_000), 700),
}  # fmt: skip


@pytest.mark.parametrize("kind", UNFOLDING)
def test_what_unfolds_within_the_limits_stays_in_bounded_memory(kind: str, pool: SandboxPool) -> None:
    # Given a file of at most some hundred kilobytes that is, or claims to be, just within the pixel limit
    make, most_mib = UNFOLDING[kind]
    outcome, peak_mib = _peak_mib(pool, make())

    # Then it is read, or refused by name, in memory that grows with its pixels only
    assert isinstance(outcome, MediaFingerprints | DamagedFile | DecodeTimedOut | DecoderCrashed)
    assert peak_mib < most_mib


# ---- large pictures that are what they say -------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"progressive": True}], ids=["baseline", "progressive"])
def test_jpeg_of_108_megapixels_is_taken_in_bounded_memory(
    options: dict[str, object], pool: SandboxPool
) -> None:
    # Given a photo as large as phones take them, held sideways
    rows = np.repeat(np.arange(9000, dtype=np.uint32)[:, None], 12_000, axis=1) // 40
    image = Image.fromarray(rows.astype(np.uint8)).convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encoded(image, "JPEG", quality=50, exif=exif.tobytes(), **options)

    # When it is read
    outcome, peak_mib = _peak_mib(pool, data)

    # Then it is taken, in three bytes a pixel and, where it comes in passes, as much again for each colour
    assert isinstance(outcome, MediaFingerprints), outcome
    assert (outcome.width, outcome.height) == (9000, 12_000)
    assert peak_mib < (1100 if options else 500)


def test_moving_picture_without_end_is_read_to_its_limit(pool: SandboxPool) -> None:
    # Given ten thousand frames of a large canvas, each of a few bytes
    dot = Image.new("P", (1500, 1200))
    frame = encoded(dot, "GIF")
    at = frame.index(b"\x2c")
    image = b"\x21\xf9\x04\0\x0a\0\0\0" + frame[at:-1]
    data = frame[:-1] + image * (10_000 if len(image) < 5000 else 1000) + b";"

    # Then it is read as far as the limits go
    outcome, peak_mib = _peak_mib(pool, data)
    assert isinstance(outcome, MediaFingerprints)
    assert peak_mib < 150


def test_gif_of_a_million_blocks_is_read_to_the_end_of_its_first_image(pool: SandboxPool) -> None:
    # Given two images, the first of which comes in blocks of one byte without end
    first = gif_image(0, 0, 9, 9, blocks=b"\1\0" * 1_000_001 + b"\0")
    outcome, peak_mib = _peak_mib(pool, gif(9, 9, first, gif_image(0, 0, 9, 9)))

    # Then it is read or refused by name, and the second one is not looked for
    assert isinstance(outcome, MediaFingerprints | DamagedFile | TooManyParts)
    assert peak_mib < 100


def test_zlib_that_never_ends_is_damage(pool: SandboxPool) -> None:
    # Given pixels that unfold far beyond the picture
    header = struct.pack(">IIBBBBB", 64, 64, 8, 0, 0, 0, 0)
    body = png_chunk(b"IDAT", zeros_unfolded(512 << 20))
    data = b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + body + png_chunk(b"IEND", b"")

    # Then the rest of them is not unfolded
    outcome, peak_mib = _peak_mib(pool, data)
    assert isinstance(outcome, MediaFingerprints | DamagedFile)
    assert peak_mib < 100
    assert zlib.crc32(data)  # the file is as long as it is: half a megabyte
