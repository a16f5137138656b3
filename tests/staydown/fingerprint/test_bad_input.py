"""Files cut off, renamed, tiny, huge, or with something behind them: the right picture or a named error."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from staydown.fingerprint import (
    DamagedFile,
    NotFingerprintable,
    TooManyPixels,
    TooSmall,
    UnknownFormat,
    fingerprint_file,
    fingerprint_image,
)
from staydown.fingerprint.decode import decode_frames, decode_picture
from staydown.fingerprint.kernel import photo_codes
from tests.staydown.fingerprint.files import encoded, jpeg, png_of_zeros
from tests.staydown.fingerprint.odd_files import resized
from tests.staydown.fingerprint.odd_iso import coded_image, grid
from tests.staydown.fingerprint.pictures import Pixels, picture

LAND = picture("landscape", 320, 240, seed=5)
VECTORS = Path(__file__).parents[2] / "vectors"
SEEDS = sorted((VECTORS / "fuzz-seeds").iterdir())

# A file of each format with pixels enough to be cut somewhere in them.
WHOLE: dict[str, bytes] = {
    "JPEG": encoded(LAND, "JPEG"),
    "progressive JPEG": encoded(LAND, "JPEG", progressive=True),
    "grey JPEG": encoded(Image.fromarray(LAND).convert("L"), "JPEG"),
    "CMYK JPEG": encoded(Image.fromarray(LAND).convert("CMYK"), "JPEG"),
    "PNG": encoded(LAND, "PNG"),
    "WebP": encoded(LAND, "WEBP", quality=90),
    "lossless WebP": encoded(LAND, "WEBP", lossless=True),
    "AVIF": encoded(LAND, "AVIF"),
    "HEIC": (VECTORS / "landscape-320x240-5.heic").read_bytes(),
    "GIF": encoded(LAND, "GIF"),
    "BMP": encoded(LAND, "BMP"),
    "TIFF": encoded(LAND, "TIFF"),
    "LZW TIFF": encoded(LAND, "TIFF", compression="tiff_lzw"),
}


# ---- cut off -------------------------------------------------------------------------------------


@pytest.mark.parametrize("reduce", [False, True], ids=["whole", "reduced"])
@pytest.mark.parametrize("kept", [0.02, 0.1, 0.3, 0.5, 0.8, 0.95])
@pytest.mark.parametrize("kind", WHOLE)
def test_truncated_file_is_refused_by_name(kind: str, kept: float, reduce: bool) -> None:
    data = WHOLE[kind][: int(len(WHOLE[kind]) * kept)]
    with pytest.raises((DamagedFile, UnknownFormat)):
        decode_picture(data, reduce=reduce).pixels()


@pytest.mark.parametrize("path", SEEDS, ids=lambda path: path.name)
def test_file_cut_anywhere_gives_pictures_or_a_named_error(path: Path) -> None:
    # Given every beginning of a small file
    data = path.read_bytes()
    whole = _outcome(data)
    for end in range(0, len(data), 1 + len(data) // 150):
        # Then it is refused by name, or what is there of it is read
        assert _outcome(data[:end]) <= max(whole, 1)


def _outcome(data: bytes) -> int:
    """How many pictures can be read; 0 if the file is refused by name."""
    try:
        return sum(1 for picture in decode_frames(data) if picture.pixels().size)
    except NotFingerprintable:
        return 0


# ---- renamed, and with something behind ----------------------------------------------------------


@pytest.mark.parametrize("kind", WHOLE)
def test_name_that_lies_changes_nothing(kind: str, tmp_path: Path) -> None:
    for name in ("picture.txt", "picture.mp4", "picture.jpg", "picture.png", "picture"):
        path = tmp_path / name
        path.write_bytes(WHOLE[kind])
        assert fingerprint_file(path) == fingerprint_image(WHOLE[kind])


@pytest.mark.parametrize("content", [b"A letter.", b"\0" * 5000, b"%PDF-1.7\n", b"MZ" + bytes(500)])
def test_other_content_under_a_picture_s_name_is_refused_by_name(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "picture.jpg"
    path.write_bytes(content)
    with pytest.raises(UnknownFormat):
        fingerprint_file(path)


@pytest.mark.parametrize(
    "behind",
    [b"\0" * 5000, b"PK\3\4 an archive" * 99, jpeg(64, 48), b"\xff\xd8", b"\xff" * 999],
    ids=["zeros", "archive", "another picture", "beginning of another", "filling"],
)
@pytest.mark.parametrize("kind", WHOLE)
def test_what_lies_behind_a_picture_changes_nothing(kind: str, behind: bytes) -> None:
    if kind in ("AVIF", "HEIC"):
        behind = (8 + len(behind)).to_bytes(4) + b"free" + behind  # behind an ISO file lies another box
    found = decode_picture(WHOLE[kind] + behind).pixels()
    assert np.array_equal(found, decode_picture(WHOLE[kind]).pixels())


@pytest.mark.parametrize("kind", ["AVIF", "HEIC"])
def test_iso_file_with_loose_bytes_behind_gives_its_picture_or_a_named_error(kind: str) -> None:
    for behind in (b"\0" * 50, b"PK\3\4" * 50, b"\xff" * 50):
        try:
            found = decode_picture(WHOLE[kind] + behind).pixels()
        except DamagedFile:
            continue
        assert np.array_equal(found, decode_picture(WHOLE[kind]).pixels())


def test_picture_in_front_of_an_archive_is_the_picture() -> None:
    # Given a file that is a PNG to a browser and a ZIP to an archiver
    archive = b"PK\3\4" + bytes(26) + b"PK\5\6" + bytes(18)
    assert np.array_equal(decode_picture(WHOLE["PNG"] + archive).pixels(), LAND)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"\xff\x0a" + bytes(50), "a JPEG XL picture"),
        (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(50), "a JPEG XL picture"),
        (b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(50), "a JPEG 2000 picture"),
        (b"\0\0\1\0\1\0" + bytes(50), "an icon"),
        (b"\0\0\0\x18ftypavci\0\0\0\0mif1avci" + bytes(50), "a HEIF picture in AVC"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1jpeg" + bytes(50), "a HEIF picture"),
        (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom" + bytes(50), "a camera's raw file"),
        (b"8BPS\0\1" + bytes(50), "a Photoshop document"),
        (b"MM\0+\0\x08\0\0" + bytes(50), "a BigTIFF picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG drawing"),
    ],
)
def test_picture_that_is_not_read_is_called_by_its_name(data: bytes, name: str) -> None:
    with pytest.raises(UnknownFormat, match=f"^This is {name}.*not read here"):
        decode_picture(data)


# ---- sizes ---------------------------------------------------------------------------------------

Maker = Callable[[int, int], bytes]


def _pixels(width: int, height: int) -> Pixels:
    return np.broadcast_to(np.arange(width, dtype=np.uint8)[None, :, None], (height, width, 3)).copy()


MAKERS: dict[str, Maker] = {
    name: (lambda width, height, name=name: encoded(_pixels(width, height), name))
    for name in ("JPEG", "PNG", "WEBP", "AVIF", "GIF", "BMP", "TIFF")
}


@pytest.mark.parametrize("size", [(1, 1), (4, 4), (4, 50), (50, 4)], ids=str)
@pytest.mark.parametrize("image_format", MAKERS)
def test_tiny_picture_is_refused_by_name(image_format: str, size: tuple[int, int]) -> None:
    for reduce in (False, True):
        with pytest.raises(TooSmall, match=f"{size[0]} x {size[1]} pixels; each side must have at least 5"):
            decode_picture(MAKERS[image_format](*size), reduce=reduce)


@pytest.mark.parametrize("image_format", MAKERS)
def test_picture_of_five_pixels_has_a_code(image_format: str) -> None:
    read = decode_picture(MAKERS[image_format](5, 5))
    assert read.pixels().shape[:2] == (5, 5)
    assert len(photo_codes(read.pixels()).pdq.codes) == 256


@pytest.mark.parametrize("size", [(65_535, 1), (1, 65_535)], ids=str)
@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "GIF", "BMP", "TIFF"])
def test_line_of_pixels_is_refused_by_name(image_format: str, size: tuple[int, int]) -> None:
    if image_format == "JPEG":  # libjpeg writes none so long, but a header may say so
        data = resized(jpeg(16, 16), *size)
    else:
        data = png_of_zeros(*size) if image_format == "PNG" else MAKERS[image_format](*size)
    with pytest.raises(TooSmall):
        decode_picture(data)


@pytest.mark.parametrize(("size", "reduce"), [((65_500, 5), False), ((5, 65_500), True)], ids=str)
@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "GIF", "BMP", "TIFF"])
def test_longest_side_has_a_code(image_format: str, size: tuple[int, int], reduce: bool) -> None:
    read = decode_picture(MAKERS[image_format](*size), reduce=reduce)
    assert (read.width, read.height, read.step) == (*size, 1)
    assert photo_codes(read.pixels()).pdq.quality >= 0


@pytest.mark.parametrize("image_format", ["PNG", "BMP", "TIFF"])
def test_side_beyond_the_longest_is_refused_by_name(image_format: str) -> None:
    with pytest.raises(TooManyPixels, match="no side may have more than 65535"):
        decode_picture(MAKERS[image_format](65_536, 5))


@pytest.mark.parametrize("kind", ["heic", "avif"])
def test_picture_of_tiles_is_read(kind: str) -> None:
    # Given four equal tiles, as phones write large pictures
    path = VECTORS / "fuzz-seeds" / "heic-tile.heic"
    one = path.read_bytes() if kind == "heic" else encoded(picture("landscape", 64, 64), "AVIF")
    data = grid(coded_image(one), tile_size=(64, 64), columns=2, rows=2, size=(120, 128))

    # Then they are one picture
    whole, tile = decode_picture(data).pixels().astype(int), decode_picture(one).pixels().astype(int)
    assert whole.shape == (128, 120, 3)
    assert np.abs(whole[:64, :64] - tile).mean() < 2
    assert np.abs(whole[64:, 64:] - tile[:, :56]).mean() < 2


# ---- files that change ---------------------------------------------------------------------------


def test_digests_and_codes_are_of_the_same_bytes_though_the_file_changes() -> None:
    # Given a file that is another one at every reading
    first, second = jpeg(200, 150, seed=1), jpeg(200, 150, seed=2)

    class Changing(io.BytesIO):
        readings = 0

        def read(self, size: int | None = -1) -> bytes:
            self.readings += 1
            return first if self.readings == 1 else second

    # Then what is told is of one of them, not of both
    assert fingerprint_image(Changing()) == fingerprint_image(first)


def test_file_that_becomes_another_between_its_head_and_its_bytes_is_told_by_its_bytes() -> None:
    # Given a file whose head was a PNG when it was looked at, and that is a JPEG when it is read
    png, whole = encoded(LAND, "PNG"), jpeg(200, 150)

    class Changing(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return png[:size] if size and 0 < size < 10_000 else whole

    assert fingerprint_file(Changing()) == fingerprint_image(whole)


def test_file_that_shrinks_while_it_is_read_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "picture.jpg"
    path.write_bytes(jpeg())
    with path.open("rb") as file:
        file.read(100)
        path.write_bytes(b"\xff\xd8\xff")
        file.seek(0)
        with pytest.raises(DamagedFile):
            fingerprint_image(file)
