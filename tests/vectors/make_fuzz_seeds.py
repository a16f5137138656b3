"""Writes fuzz-seeds/: a small file of every format and of every odd way to write it, where fuzzing begins.

Only generated pictures. Run when a kind of file is added: python -m tests.vectors.make_fuzz_seeds
The HEIC files were written once by pillow-heif 1.8.1 from the same pictures; our reader cannot write HEIC.
"""

import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms

from tests.staydown.fingerprint import odd_files
from tests.staydown.fingerprint.files import encoded, exif_orientation, png_chunk
from tests.staydown.fingerprint.pictures import picture

FOLDER = Path(__file__).parent / "fuzz-seeds"

LAND, CHECKS = picture("landscape", 64, 48), picture("checks", 64, 48)
IMAGE, OTHER = Image.fromarray(LAND), Image.fromarray(CHECKS)
GREY, CMYK = IMAGE.convert("L"), IMAGE.convert("CMYK")
PALETTE = IMAGE.quantize(32)
ALPHA = Image.merge("RGBA", [*IMAGE.split(), Image.fromarray(picture("ramp", 64, 48)[:, :, 0])])
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
TURNED = exif_orientation(6)


def seeds() -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each file."""
    yield "jpeg-420.jpg", encoded(IMAGE, "JPEG", quality=60, exif=TURNED)
    yield "jpeg-progressive.jpg", encoded(IMAGE, "JPEG", quality=60, progressive=True, subsampling=0)
    yield "jpeg-grey-restarts.jpg", encoded(GREY, "JPEG", quality=60, restart_marker_rows=1)
    yield "jpeg-profile.jpg", encoded(IMAGE, "JPEG", quality=40, icc_profile=PROFILE)
    yield "jpeg-cmyk.jpg", encoded(CMYK, "JPEG", quality=40)
    yield "jpeg-ycck.jpg", odd_files.ycck(encoded(CMYK, "JPEG", quality=40))
    yield "jpeg-several.mpo", odd_files.moving([IMAGE, OTHER], "MPO", quality=40)

    texts = [png_chunk(b"zTXt", b"a\0\0" + zlib.compress(b"b" * 99)), png_chunk(b"eXIf", TURNED[6:])]
    profile = png_chunk(b"iCCP", b"sRGB\0\0" + zlib.compress(PROFILE))
    yield "png-rgb-chunks.png", odd_files.with_chunks(encoded(IMAGE, "PNG"), [profile, *texts])
    yield "png-palette.png", encoded(PALETTE, "PNG", transparency=0)
    yield "png-alpha.png", encoded(ALPHA, "PNG")
    yield "png-grey-16.png", odd_files.png(LAND[:, :, :1], bits=16)
    yield "png-rgb-16-interlaced.png", odd_files.png(LAND, bits=16, interlaced=True)
    yield "png-1-bit.png", odd_files.png(LAND[:, :, 2:], bits=1)
    yield (
        "png-moving.png",
        odd_files.moving([ALPHA, OTHER.convert("RGBA")], "PNG", disposal=2, blend=1, duration=600),
    )

    yield "gif-still.gif", encoded(PALETTE, "GIF", interlace=1)
    frames = [PALETTE, OTHER.quantize(16), IMAGE.rotate(180).quantize(16)]
    for disposal in (1, 2, 3):
        yield f"gif-disposal-{disposal}.gif", odd_files.moving(frames, "GIF", disposal=disposal, duration=600)

    yield "webp-lossy.webp", encoded(IMAGE, "WEBP", quality=40, exif=TURNED)
    yield "webp-lossless.webp", encoded(ALPHA, "WEBP", lossless=True, icc_profile=PROFILE)
    yield "webp-moving.webp", odd_files.moving([IMAGE, OTHER], "WEBP", duration=600, quality=30)

    yield "avif-still.avif", encoded(IMAGE, "AVIF", quality=40, exif=TURNED)
    yield "avif-alpha.avif", encoded(ALPHA, "AVIF", quality=30, icc_profile=PROFILE)
    yield "avif-moving.avif", odd_files.moving([IMAGE, OTHER], "AVIF", quality=30, duration=600)

    yield "bmp-24.bmp", encoded(IMAGE.crop((0, 0, 31, 20)), "BMP")
    yield "bmp-palette.bmp", encoded(PALETTE.crop((0, 0, 31, 20)), "BMP")
    yield "bmp-rle.bmp", odd_files.bmp_rle8_of(np.asarray(GREY.crop((0, 0, 31, 20))))

    yield "tiff-lzw-two-pages.tif", odd_files.moving([IMAGE, OTHER], "TIFF", compression="tiff_lzw")
    for compression in ("packbits", "tiff_deflate", "jpeg"):
        yield f"tiff-{compression}.tif", encoded(LAND, "TIFF", compression=compression)
    yield "tiff-group4.tif", encoded(GREY.convert("1"), "TIFF", compression="group4")
    yield "tiff-big.tif", encoded(GREY.copy(), "TIFF", big_tiff=True, compression="tiff_lzw")
    yield "tiff-cmyk.tif", encoded(CMYK.copy(), "TIFF", compression="tiff_lzw", icc_profile=PROFILE)
    small = LAND[:20, :30]
    yield "tiff-grey-16.tif", odd_files.tiff(small[:, :, :1].astype(np.uint16) * 257, order=">")
    yield "tiff-float.tif", odd_files.tiff(small[:, :, :1].astype(np.float32), sample_format=3)


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, data in seeds():
        (FOLDER / name).write_bytes(data)


if __name__ == "__main__":
    main()
