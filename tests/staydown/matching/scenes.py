"""Painted landscapes for tests of the second look, the same from the same seed, and their files."""

from __future__ import annotations

import io
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

sys.path.append(str(Path(__file__).resolve().parents[3] / "examples"))

from forum.pictures import paint

Pixels = npt.NDArray[np.uint8]


@cache
def scene(seed: int, width: int = 900, height: int = 600) -> Image.Image:
    """A painted landscape. Callers do not change it."""
    return paint(seed, (width, height))


def pixels(image: Image.Image) -> Pixels:
    """(height, width, channels) uint8."""
    return np.array(image)


def jpeg(image: Image.Image, **options: Any) -> bytes:
    """The bytes of a JPEG file."""
    out = io.BytesIO()
    image.save(out, "JPEG", **({"quality": 85} | options))
    return out.getvalue()


def pasted(image: Image.Image, *, into: tuple[int, int], at: tuple[int, int]) -> Image.Image:
    """The picture on a larger white one."""
    whole = Image.new("RGB", into, "white")
    whole.paste(image, at)
    return whole
