"""Generated picture files for the browser tests: gradients and discs, in the formats that people have."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image


def scene(width: int, height: int, *, seed: int = 1) -> Image.Image:
    """A picture with much structure, so that its fingerprint has a high quality."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    channels = []
    for _ in range(3):
        a, b, c = rng.uniform(3, 16, 3)
        channels.append(
            127 + 60 * np.sin(a * x / width + b * y / height) + 60 * np.cos(c * x * y / width / height)
        )
    pixels = np.stack(channels, axis=-1)
    for _ in range(14):
        centre = rng.uniform(0, 1, 2) * (width, height)
        radius = rng.uniform(0.05, 0.2) * min(width, height)
        inside = (x - centre[0]) ** 2 + (y - centre[1]) ** 2 < radius**2
        pixels[inside] = rng.uniform(0, 255, 3)
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def encoded(picture: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def with_alpha(picture: Image.Image) -> Image.Image:
    ramp = np.linspace(0, 255, picture.width, dtype=np.uint8)
    picture = picture.convert("RGBA")
    picture.putalpha(Image.fromarray(np.repeat(ramp[None], picture.height, axis=0)))
    return picture


def rotated_jpeg(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(scene(900, 700, seed=5), "JPEG", quality=92, exif=exif)


def large_jpeg() -> bytes:
    """12.6 megapixels: each sample that is kept for parts of the picture is a mean of 4 x 2 pixels."""
    return encoded(scene(1400, 1000, seed=8).resize((4200, 3000), Image.Resampling.BICUBIC), "JPEG")


FORMATS: dict[str, Callable[[], bytes]] = {
    "photo.jpg": lambda: encoded(scene(1300, 900), "JPEG", quality=90),
    "progressive.jpg": lambda: encoded(scene(800, 1100, seed=2), "JPEG", quality=85, progressive=True),
    "small.png": lambda: encoded(scene(320, 240, seed=3), "PNG"),
    "lossless.webp": lambda: encoded(scene(700, 620, seed=4), "WEBP", lossless=True),
    "lossy.webp": lambda: encoded(scene(700, 620, seed=4), "WEBP", quality=85),
    "alpha.png": lambda: encoded(with_alpha(scene(640, 520, seed=6)), "PNG"),
    "turned-3.jpg": lambda: rotated_jpeg(3),
    "turned-6.jpg": lambda: rotated_jpeg(6),
    "turned-8.jpg": lambda: rotated_jpeg(8),
    "wide.png": lambda: encoded(scene(5200, 300, seed=7), "PNG"),  # wider than one canvas tile
    "large.jpg": large_jpeg,
}


def moving(kind: str, seeds: list[int], milliseconds: list[int], **options: Any) -> bytes:
    """A scene for each frame, so that frames of the same seed are the same."""
    first, *others = [scene(420, 300, seed=seed) for seed in seeds]
    timing = {"save_all": True, "append_images": others, "duration": milliseconds, "loop": 0}
    return encoded(first, kind, **timing, **options)


# A hurried frame, one that comes again, one that is shown too short after another, and more than are taken.
MOVING_SEEDS, MOVING_TIMES = [1, 2, 3, 4, 1, 5, 6], [600, 10, 700, 300, 500, 800, 100]
MOVING: dict[str, Callable[[], bytes]] = {
    "moving.gif": lambda: moving("GIF", MOVING_SEEDS, MOVING_TIMES),
    "moving.png": lambda: moving("PNG", MOVING_SEEDS, MOVING_TIMES),
    "moving.webp": lambda: moving("WEBP", MOVING_SEEDS, MOVING_TIMES, lossless=True),
    "long.gif": lambda: moving("GIF", list(range(20)), [500] * 20),
    "cut.gif": lambda: (whole := moving("GIF", MOVING_SEEDS, MOVING_TIMES))[: len(whole) * 3 // 4],
}


def png_header_only(width: int, height: int) -> bytes:
    """A few bytes that claim a huge picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + body + chunk(b"IEND", b"")
