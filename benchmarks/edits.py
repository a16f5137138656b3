"""What people do to a picture before they upload it again: 22 families of edits with random parameters.

Every parameter comes from a generator seeded by the photo, the family and a number, so a run can be
repeated; no
crop ever uses a whole percentage or an exact aspect, because those are what a registration set holds and a
test on them would be worthless. Interfaces are drawn here, never copied from an application.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from benchmarks import screens
from benchmarks.screens import Pixels

Generator = np.random.Generator
Edit = Callable[[Pixels, Generator], Pixels]

JPEG_QUALITY = 85
# Uploads are as large as phones and platforms make them.
SHORTEST_CAP, LONGEST_CAP = 720, 1600
# The aspects that platforms and cameras offer.
ASPECTS = (1 / 1, 4 / 5, 3 / 4, 4 / 3, 3 / 2, 16 / 9, 9 / 16)
# Registered crops keep or remove whole percentages. An edit keeps this far from every one of them.
OFF_GRID = 0.001


@dataclass(frozen=True)
class Upload:
    """One edited photo as somebody might upload it: JPEG bytes, and what was done."""

    family: str
    number: int
    jpeg: bytes

    def pixels(self) -> Pixels:
        """Decoded RGB."""
        return np.asarray(Image.open(io.BytesIO(self.jpeg)).convert("RGB"))


def off_grid(rng: Generator, low: float, high: float) -> float:
    """A uniform fraction in low..high that is not within OFF_GRID of a whole percentage."""
    while True:
        fraction = float(rng.uniform(low, high))
        if abs(fraction * 100 - round(fraction * 100)) > OFF_GRID * 100:
            return fraction


def off_aspect(rng: Generator) -> float:
    """One of ASPECTS, missed by 0.2 to 1.5 percent as hands and rounding do."""
    miss = float(rng.uniform(0.002, 0.015)) * float(rng.choice([-1, 1]))
    return float(rng.choice(ASPECTS)) * (1 + miss)


def crop(pixels: Pixels, top: float, bottom: float, left: float, right: float) -> Pixels:
    """The picture without the given fractions of its height and width."""
    h, w = pixels.shape[:2]
    return pixels[round(h * top) : max(round(h * top) + 8, h - round(h * bottom)),
                  round(w * left) : max(round(w * left) + 8, w - round(w * right))]  # fmt: skip


def crop_to_aspect(pixels: Pixels, aspect: float, offset: float) -> Pixels:
    """The largest crop with that width / height; `offset` 0 is the top or left end, 1 the other."""
    h, w = pixels.shape[:2]
    if w / h > aspect:
        width = max(8, round(h * aspect))
        x = round((w - width) * offset)
        return pixels[:, x : x + width]
    height = max(8, round(w / aspect))
    y = round((h - height) * offset)
    return pixels[y : y + height]


def _free_crop(limit: float) -> Edit:
    def edit(pixels: Pixels, rng: Generator) -> Pixels:
        return crop(pixels, *(off_grid(rng, 0.0, limit) for _ in range(4)))

    return edit


def _centred_crop(pixels: Pixels, rng: Generator) -> Pixels:
    side = (1 - off_grid(rng, 0.55, 0.99)) / 2
    return crop(pixels, side, side, side, side)


def _one_side(pixels: Pixels, rng: Generator) -> Pixels:
    sides = [0.0] * 4
    sides[rng.integers(4)] = off_grid(rng, 0.01, 0.40)
    return crop(pixels, *sides)


def _two_sides(pixels: Pixels, rng: Generator) -> Pixels:
    side = off_grid(rng, 0.02, 0.40) / 2
    return crop(pixels, side, side, 0, 0) if rng.random() < 0.5 else crop(pixels, 0, 0, side, side)


def _aspect_centred(pixels: Pixels, rng: Generator) -> Pixels:
    return crop_to_aspect(pixels, off_aspect(rng), 0.5)


def _aspect_offset(pixels: Pixels, rng: Generator) -> Pixels:
    return crop_to_aspect(pixels, off_aspect(rng), float(rng.random()))


def _border(pixels: Pixels, rng: Generator) -> Pixels:
    m = round(min(pixels.shape[:2]) * off_grid(rng, 0.01, 0.25))
    return screens.padded(pixels, m, m, m, m, screens.paint(rng))


def _letterbox_standard(pixels: Pixels, rng: Generator) -> Pixels:
    h, w = pixels.shape[:2]
    aspect = float(rng.choice([*ASPECTS, 9 / 19.5, 9 / 20]))
    if w / h > aspect:
        bar = round((w / aspect - h) / 2)
        return screens.padded(pixels, bar, bar, 0, 0, screens.paint(rng))
    bar = round((h * aspect - w) / 2)
    return screens.padded(pixels, 0, 0, bar, bar, screens.paint(rng))


def _letterbox_any(pixels: Pixels, rng: Generator) -> Pixels:
    h, w = pixels.shape[:2]
    bars = off_grid(rng, 0.02, 0.45)
    share = float(rng.choice([0.5, 0.5, rng.uniform(0.2, 0.8)]))
    if rng.random() < 0.6:
        total = round(h * bars / (1 - bars))
        return screens.padded(
            pixels, round(total * share), total - round(total * share), 0, 0, screens.paint(rng)
        )
    total = round(w * bars / (1 - bars))
    return screens.padded(
        pixels, 0, 0, round(total * share), total - round(total * share), screens.paint(rng)
    )


def _small_rotation(pixels: Pixels, rng: Generator) -> Pixels:
    degrees = float(rng.uniform(0.7, 15)) * float(rng.choice([-1, 1]))
    h, w = pixels.shape[:2]
    matrix = cv2.getRotationMatrix2D((w / 2, h / 2), degrees, 1)
    if rng.random() < 0.5:
        return cv2.warpAffine(pixels, matrix, (w, h), flags=cv2.INTER_LINEAR, borderValue=screens.paint(rng))
    turned = cv2.warpAffine(pixels, matrix, (w, h), flags=cv2.INTER_LINEAR)
    sine, cosine = abs(np.sin(np.radians(degrees))), abs(np.cos(np.radians(degrees)))
    scale = min(h / (h * cosine + w * sine), w / (w * cosine + h * sine))
    return crop_centre(turned, scale)


def crop_centre(pixels: Pixels, keep: float) -> Pixels:
    """The centre, `keep` of each side."""
    side = (1 - keep) / 2
    return crop(pixels, side, side, side, side)


def _flip(pixels: Pixels, rng: Generator) -> Pixels:
    return pixels[:, ::-1] if rng.random() < 0.75 else pixels[::-1]


def _flip_and_crop(pixels: Pixels, rng: Generator) -> Pixels:
    return crop_centre(_flip(pixels, rng), 1 - off_grid(rng, 0.005, 0.15))


def _quarter_turn(pixels: Pixels, rng: Generator) -> Pixels:
    return np.rot90(pixels, int(rng.integers(1, 4)))


def _photometric(pixels: Pixels, rng: Generator) -> Pixels:
    value = pixels.astype(np.float32)
    what = rng.integers(10)
    if what == 0:
        value *= rng.uniform(0.55, 1.45)
    elif what == 1:
        value = (value - value.mean()) * rng.uniform(0.5, 1.6) + value.mean()
    elif what == 2:
        value = 255 * (value / 255) ** rng.uniform(0.5, 2.0)
    elif what == 3:
        turn = rng.uniform(10, 170)
        hsv = cv2.cvtColor(pixels, cv2.COLOR_RGB2HSV)
        hsv[..., 0] = ((hsv[..., 0].astype(np.float32) + turn) % 180).astype(np.uint8)
        value = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB).astype(np.float32)
    elif what == 4:
        grey = value @ np.array([0.299, 0.587, 0.114], np.float32)
        value = grey[..., None] + (value - grey[..., None]) * rng.uniform(0.0, 2.0)
    elif what == 5:
        value = value @ np.array(
            [[0.393, 0.349, 0.272], [0.769, 0.686, 0.534], [0.189, 0.168, 0.131]], np.float32
        )
    elif what == 6:
        value += rng.normal(0, rng.uniform(5, 30), value.shape).astype(np.float32)
    elif what == 7:
        value = cv2.GaussianBlur(value, (0, 0), rng.uniform(0.8, 5))
    elif what == 8:
        value = np.stack(
            [cv2.equalizeHist(np.ascontiguousarray(pixels[..., i])) for i in range(3)], 2
        ).astype(np.float32)
    else:
        h, w = pixels.shape[:2]
        y, x = np.mgrid[-1 : 1 : h * 1j, -1 : 1 : w * 1j]
        dark = 1 - rng.uniform(0.2, 0.6) * np.clip((x * x + y * y) / 2, 0, 1)
        value = value * dark[..., None].astype(np.float32) * np.array([1.06, 1.0, 0.9], np.float32)
    return np.clip(value, 0, 255).astype(np.uint8)


def _jpeg_and_resize(pixels: Pixels, rng: Generator) -> Pixels:
    h, w = pixels.shape[:2]
    scale = max(float(rng.uniform(0.25, 1.5)), 96 / min(h, w))
    how = int(rng.choice([cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_NEAREST]))
    pixels = cv2.resize(pixels, (max(8, round(w * scale)), max(8, round(h * scale))), interpolation=how)
    return _through_jpeg(pixels, int(rng.integers(12, 75)))


def _through_jpeg(pixels: Pixels, quality: int) -> Pixels:
    _, data = cv2.imencode(
        ".jpg", np.ascontiguousarray(pixels[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, quality]
    )
    return np.ascontiguousarray(cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1])


def _collage(pixels: Pixels, rng: Generator) -> Pixels:
    return screens.collage(pixels, rng)


SIMPLE: dict[str, Edit] = {
    "crop 4 free sides <=15 %": _free_crop(0.15),
    "crop 4 free sides <=30 %": _free_crop(0.30),
    "crop centred": _centred_crop,
    "crop one side": _one_side,
    "crop two opposite sides": _two_sides,
    "crop to aspect, centred": _aspect_centred,
    "crop to aspect, offset": _aspect_offset,
    "border": _border,
    "letterbox, standard": _letterbox_standard,
    "letterbox, any": _letterbox_any,
    "viewer screenshot": screens.viewer,
    "feed screenshot": screens.feed,
    "caption bar": screens.caption_bar,
    "overlay": screens.overlay,
    "small rotation": _small_rotation,
    "flip": _flip,
    "flip and crop": _flip_and_crop,
    "quarter turn": _quarter_turn,
    "photometric": _photometric,
    "JPEG and resize": _jpeg_and_resize,
    "collage": _collage,
}
# What people combine: small crops, mirrors, filters and re-encoding first, then captions, bars and
# screenshots.
FIRST_STEPS = (
    "crop centred",
    "crop one side",
    "crop to aspect, centred",
    "flip",
    "photometric",
    "JPEG and resize",
    "overlay",
)
LAST_STEPS = (
    "border",
    "letterbox, any",
    "viewer screenshot",
    "feed screenshot",
    "caption bar",
    "photometric",
    "JPEG and resize",
)


def _chain(pixels: Pixels, rng: Generator) -> Pixels:
    for name in rng.choice(FIRST_STEPS, size=int(rng.integers(1, 3)), replace=False):
        pixels = SIMPLE[str(name)](pixels, rng)
    return SIMPLE[str(rng.choice(LAST_STEPS))](pixels, rng)


FAMILIES: dict[str, Edit] = {**SIMPLE, "random chain": _chain}
# 61 uploads for each photo; fewer where a family has few outcomes.
COUNTS = dict.fromkeys(FAMILIES, 3) | {
    "flip": 2, "quarter turn": 2, "JPEG and resize": 2, "viewer screenshot": 2, "letterbox, standard": 2,
}  # fmt: skip


def upload(pixels: Pixels, identity: str, family: str, number: int) -> Upload:
    """One upload of a photo, (h, w, 3) uint8 RGB; the same arguments always give the same bytes."""
    seed = int.from_bytes(hashlib.sha256(f"{identity}/{family}/{number}".encode()).digest()[:8], "big")
    rng = np.random.default_rng(seed)
    base = capped(pixels, int(rng.integers(SHORTEST_CAP, LONGEST_CAP + 1)))
    edited = capped(np.ascontiguousarray(FAMILIES[family](base, rng)), LONGEST_CAP + 800)
    held = io.BytesIO()
    Image.fromarray(edited).save(held, "JPEG", quality=JPEG_QUALITY)
    return Upload(family, number, held.getvalue())


def uploads(pixels: Pixels, identity: str) -> list[Upload]:
    """The 61 uploads of a photo."""
    return [upload(pixels, identity, family, n) for family, count in COUNTS.items() for n in range(count)]


def capped(pixels: Pixels, longest: int) -> Pixels:
    """The picture, reduced so that no side is longer than `longest`."""
    h, w = pixels.shape[:2]
    scale = longest / max(h, w)
    if scale >= 1:
        return pixels
    return cv2.resize(
        pixels, (max(8, round(w * scale)), max(8, round(h * scale))), interpolation=cv2.INTER_AREA
    )
