"""Writes heic/: photos as phones store them, once; our own reader cannot write HEIC.

In an environment of its own (pillow-heif's wheel has a GPL encoder): pip install pillow-heif==1.8.1 numpy,
then python -m tests.vectors.write_heic
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pillow_heif  # type: ignore[import-not-found]
from PIL import Image

from tests.web.colour_profiles import ADOBE_RGB, DISPLAY_P3, rgb_profile
from tests.web.pictures import scene, with_alpha

FOLDER = Path(__file__).parent / "heic"
SIZES = [(64, 64), (65, 63), (129, 127), (320, 240), (511, 512), (640, 480), (333, 901)]


def write(name: str, picture: Image.Image, **options: Any) -> None:
    pillow_heif.from_pillow(picture).save(FOLDER / f"{name}.heic", **{"quality": 60, **options})


def main() -> None:
    for seed, (width, height) in enumerate(SIZES, 200):
        write(f"{width}x{height}", scene(width, height, seed=seed))
    for quality in (20, 40, 80, 95):
        write(f"quality-{quality}", scene(400, 300, seed=210 + quality), quality=quality)
    for orientation in (3, 6, 8):
        exif = Image.Exif()
        exif[0x0112] = orientation
        write(f"turned-{orientation}", scene(300, 200, seed=220 + orientation), exif=exif.tobytes())
    write("444", scene(300, 220, seed=230), chroma=444)
    write("alpha", with_alpha(scene(300, 220, seed=231)))
    write("grey", scene(300, 220, seed=232).convert("L"))
    for name, space in (("p3", DISPLAY_P3), ("adobe", ADOBE_RGB)):
        picture = scene(310, 260, seed=233)
        picture.info["icc_profile"] = rgb_profile(space)
        write(name, picture, icc_profile=rgb_profile(space))
    write("three-megapixels", scene(1000, 750, seed=234).resize((2000, 1500)), quality=35)


if __name__ == "__main__":
    main()
