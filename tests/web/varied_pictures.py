"""Pictures of every kind that people have, to compare browser and server with; none shows anything.

The HEIC files were written once (write_heic.py says how), for our own reader cannot write them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tests.staydown.fingerprint import odd_files
from tests.web.colour_profiles import ADOBE_RGB, DISPLAY_P3, grey_profile, rgb_profile
from tests.web.pictures import encoded, scene, with_alpha

HEIC_FOLDER = Path(__file__).parents[1] / "vectors" / "heic"
JPEG_SIZES = [(64, 64), (65, 63), (129, 127), (511, 512), (513, 512), (640, 480), (1023, 769)]


def turned(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def sixteen_bits(picture: Image.Image) -> np.ndarray[Any, Any]:
    """Samples of which the low byte is not the high byte again."""
    high = np.asarray(picture).astype(np.uint16)
    return (high << 8) | (high[::-1, ::-1] ^ 0x5A)


def varied() -> dict[str, bytes]:
    """Name to content, of all but HEIC."""
    return dict([*_jpegs(), *_pngs(), *_others()])


def heics() -> dict[str, bytes]:
    """Name to content."""
    return {path.name: path.read_bytes() for path in sorted(HEIC_FOLDER.glob("*.heic"))}


def _jpegs() -> Iterator[tuple[str, bytes]]:
    for seed, size in enumerate(JPEG_SIZES, 20):
        yield f"{size[0]}x{size[1]}.jpg", encoded(scene(*size, seed=seed), "JPEG", quality=90)
    for orientation in range(1, 9):
        picture = scene(333, 251, seed=30 + orientation)
        yield f"turned-{orientation}.jpg", encoded(picture, "JPEG", exif=turned(orientation))
    for quality in (30, 60, 75, 98):
        yield f"quality-{quality}.jpg", encoded(scene(500, 410, seed=40 + quality), "JPEG", quality=quality)
    picture = scene(601, 433, seed=41)
    for name, how in (("444", 0), ("422", 1), ("420", 2)):
        yield f"{name}.jpg", encoded(picture, "JPEG", subsampling=how)
        yield f"{name}-progressive.jpg", encoded(picture, "JPEG", subsampling=how, progressive=True)
    yield "optimised.jpg", encoded(picture, "JPEG", optimize=True, quality=80)
    yield "restarts.jpg", encoded(picture, "JPEG", restart_marker_blocks=7)
    grey = scene(420, 380, seed=42).convert("L")
    yield "grey.jpg", encoded(grey, "JPEG")
    yield "grey-profile.jpg", encoded(grey, "JPEG", icc_profile=grey_profile())
    yield "cmyk.jpg", encoded(scene(420, 380, seed=43).convert("CMYK"), "JPEG")
    yield "ycck.jpg", odd_files.ycck(encoded(scene(420, 380, seed=44).convert("CMYK"), "JPEG"))
    for name, space in (("p3", DISPLAY_P3), ("adobe", ADOBE_RGB)):
        profile = rgb_profile(space)
        yield f"{name}.jpg", encoded(scene(520, 390, seed=45), "JPEG", icc_profile=profile)
        both = {"icc_profile": profile, "exif": turned(6)}
        yield f"{name}-turned.jpg", encoded(scene(390, 520, seed=46), "JPEG", **both)
    yield "broken-profile.jpg", encoded(scene(520, 390, seed=47), "JPEG", icc_profile=b"none" * 50)
    twelve_megapixels = scene(1000, 750, seed=48).resize((4000, 3000), Image.Resampling.BICUBIC)
    yield "12-megapixels.jpg", encoded(twelve_megapixels, "JPEG", quality=85)


def _pngs() -> Iterator[tuple[str, bytes]]:
    picture = scene(480, 361, seed=50)
    yield "eight.png", encoded(picture, "PNG")
    yield "odd.png", encoded(scene(77, 1201, seed=51), "PNG")
    yield "grey.png", encoded(picture.convert("L"), "PNG")
    yield "grey-profile.png", encoded(picture.convert("L"), "PNG", icc_profile=grey_profile(1.4))
    yield "grey-alpha.png", encoded(with_alpha(picture).convert("LA"), "PNG")
    yield "alpha.png", encoded(with_alpha(picture), "PNG")
    yield "palette.png", encoded(picture.quantize(200), "PNG")
    yield "palette-16.png", encoded(picture.quantize(16), "PNG", bits=4)
    yield "palette-clear.png", encoded(picture.quantize(64), "PNG", transparency=7)
    yield "two-colours.png", encoded(picture.convert("1"), "PNG")
    yield "colour-key.png", encoded(picture.quantize(12).convert("RGB"), "PNG", transparency=(0, 0, 0))
    yield "interlaced.png", odd_files.png(np.asarray(picture), interlaced=True)
    yield "sixteen.png", odd_files.png(sixteen_bits(picture), bits=16)
    yield "sixteen-grey.png", encoded(Image.fromarray(sixteen_bits(picture.convert("L"))), "PNG")
    yield "turned.png", encoded(picture, "PNG", exif=turned(8))
    for name, space in (("p3", DISPLAY_P3), ("adobe", ADOBE_RGB)):
        yield f"{name}.png", encoded(picture, "PNG", icc_profile=rgb_profile(space))
    yield "p3-alpha.png", encoded(with_alpha(picture), "PNG", icc_profile=rgb_profile(DISPLAY_P3))


def _others() -> Iterator[tuple[str, bytes]]:
    picture = scene(460, 345, seed=60)
    p3 = rgb_profile(DISPLAY_P3)
    for quality in (40, 80, 100):
        yield f"lossy-{quality}.webp", encoded(picture, "WEBP", quality=quality)
    yield "lossless.webp", encoded(picture, "WEBP", lossless=True)
    yield "alpha.webp", encoded(with_alpha(picture), "WEBP", quality=80)
    yield "alpha-lossless.webp", encoded(with_alpha(picture), "WEBP", lossless=True)
    yield "p3.webp", encoded(picture, "WEBP", quality=85, icc_profile=p3)
    yield "turned.webp", encoded(picture, "WEBP", quality=85, exif=turned(6))
    for quality in (50, 90):
        yield f"{quality}.avif", encoded(picture, "AVIF", quality=quality)
    yield "444.avif", encoded(picture, "AVIF", quality=85, subsampling="4:4:4")
    yield "alpha.avif", encoded(with_alpha(picture), "AVIF", quality=85)
    yield "p3.avif", encoded(picture, "AVIF", quality=85, icc_profile=p3)
    yield "turned.avif", encoded(picture, "AVIF", quality=85, exif=turned(6))
    yield "odd.avif", encoded(scene(333, 255, seed=61), "AVIF", quality=80)
    yield "plain.gif", encoded(picture, "GIF")
    yield "interlaced.gif", encoded(picture.quantize(90), "GIF", interlace=1)
    yield "clear.gif", encoded(picture.quantize(40), "GIF", transparency=3)
    yield "plain.bmp", encoded(picture, "BMP")
    yield "odd.bmp", encoded(picture.resize((301, 222)), "BMP")
