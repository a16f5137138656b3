"""Drawn surroundings for a picture: borders, captions, stickers, collages, photo viewers and feeds.

Everything is painted from rectangles, circles, lines and the font that Pillow brings. No interface is copied
from an application, and no picture of anybody is used.
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

Pixels = npt.NDArray[np.uint8]
Generator = np.random.Generator
Colour = tuple[int, int, int]

WORDS = [
    "when",
    "you",
    "finally",
    "see",
    "the",
    "sea",
    "again",
    "after",
    "such",
    "a",
    "long",
    "week",
    "and",
    "nobody",
    "believes",
    "it",
    "look",
    "at",
    "this",
    "place",
    "wow",
    "never",
    "going",
    "back",
    "summer",
    "light",
    "quiet",
    "morning",
    "by",
    "the",
    "lake",
    "best",
    "day",
    "so",
    "far",
    "who",
    "remembers",
    "that",
]


def paint(rng: Generator) -> Colour:
    """A colour for bars and borders: black or white mostly, else grey or anything."""
    draw = rng.random()
    if draw < 0.4:
        return (0, 0, 0)
    if draw < 0.7:
        return (255, 255, 255)
    if draw < 0.8:
        return (int(rng.integers(10, 60)),) * 3
    red, green, blue = (int(value) for value in rng.integers(0, 256, 3))
    return (red, green, blue)


def padded(pixels: Pixels, top: int, bottom: int, left: int, right: int, colour: Colour) -> Pixels:
    """The picture with plain bars around it."""
    top, bottom, left, right = (max(0, value) for value in (top, bottom, left, right))
    return cv2.copyMakeBorder(pixels, top, bottom, left, right, cv2.BORDER_CONSTANT, value=colour)


def fitted(pixels: Pixels, width: int, height: int) -> Pixels:
    """The whole picture, scaled to fit."""
    h, w = pixels.shape[:2]
    scale = min(width / w, height / h)
    size = max(1, min(width, round(w * scale))), max(1, min(height, round(h * scale)))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)


def filled(pixels: Pixels, width: int, height: int) -> Pixels:
    """The centre of the picture, scaled to fill."""
    h, w = pixels.shape[:2]
    scale = max(width / w, height / h)
    size = max(width, round(w * scale)), max(height, round(h * scale))
    scaled = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    y, x = (scaled.shape[0] - height) // 2, (scaled.shape[1] - width) // 2
    return scaled[y : y + height, x : x + width]


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _words(rng: Generator, least: int, most: int) -> str:
    return " ".join(rng.choice(WORDS, int(rng.integers(least, most))))


def _write(
    draw: ImageDraw.ImageDraw, x: float, y: float, text: str, size: int, colour: Colour, width: float
) -> float:
    """Write text from (x, y) in lines of at most `width` pixels; gives the y below it."""
    line = ""
    for word in [*text.split(), ""]:
        longer = f"{line} {word}".strip()
        if word and draw.textlength(longer, font=_font(size)) <= width:
            line = longer
            continue
        draw.text((x, y), line, colour, font=_font(size))
        y += size * 1.35
        line = word
    return y


def caption_bar(pixels: Pixels, rng: Generator) -> Pixels:
    """A bar with words above or below, 8 to 30 percent of the height."""
    h, w = pixels.shape[:2]
    bar = round(h * float(rng.uniform(0.08, 0.30)))
    dark = rng.random() < 0.35
    above = rng.random() < 0.6
    canvas = padded(pixels, bar * above, bar * (not above), 0, 0, (0, 0, 0) if dark else (255, 255, 255))
    image = Image.fromarray(canvas)
    size = max(10, round(bar / 3.2))
    y = (0 if above else h) + bar * 0.12
    _write(
        ImageDraw.Draw(image),
        w * 0.03,
        y,
        _words(rng, 3, 9),
        size,
        (255,) * 3 if dark else (0,) * 3,
        w * 0.94,
    )
    # A long text would run over the picture: the bar ends where it ends.
    result = np.array(image)
    result[bar * above : bar * above + h] = pixels
    return result


def overlay(pixels: Pixels, rng: Generator) -> Pixels:
    """Something laid over the picture: large words, stickers, a watermark, a drawn line, a bar."""
    h, w = pixels.shape[:2]
    image = Image.fromarray(pixels).convert("RGB")
    draw = ImageDraw.Draw(image, "RGBA")
    what = rng.integers(6)
    if what == 0:
        size = max(12, round(h * float(rng.uniform(0.06, 0.12))))
        for y in (0.03 * h, 0.97 * h - size * 1.3):
            draw.text((w * 0.05, y), _words(rng, 2, 5).upper(), (255, 255, 255, 255), font=_font(size),
                      stroke_width=max(1, size // 12), stroke_fill=(0, 0, 0, 255))  # fmt: skip
    elif what == 1:
        for _ in range(int(rng.integers(1, 4))):
            _sticker(draw, rng, w, h)
    elif what == 2:
        size = max(10, round(h * float(rng.uniform(0.03, 0.06))))
        corner = rng.integers(0, 2, 2) * (0.66, 0.9) + (0.03, 0.03)
        draw.text((corner[0] * w, corner[1] * h), _words(rng, 1, 3), (255, 255, 255, 200), font=_font(size))
    elif what == 3:
        size = max(10, round(w * float(rng.uniform(0.03, 0.06))))
        for y in range(0, h, size * 4):
            for x in range(-size * (y % 3), w, size * 8):
                draw.text(
                    (x, y), "by the lake", (255, 255, 255, int(rng.integers(60, 140))), font=_font(size)
                )
    elif what == 4:
        points = [(float(x) * w, float(y) * h) for x, y in rng.random((int(rng.integers(3, 9)), 2))]
        red, green, blue = (int(value) for value in rng.integers(0, 256, 3))
        draw.line(points, (red, green, blue, 255), width=max(3, round(w * float(rng.uniform(0.008, 0.03)))))
    else:
        y, tall = float(rng.uniform(0.2, 0.75)) * h, float(rng.uniform(0.06, 0.14)) * h
        draw.rectangle((0, y, w, y + tall), (0, 0, 0, 170))
        draw.text(
            (w * 0.1, y + tall * 0.2),
            _words(rng, 2, 6),
            (255, 255, 255, 255),
            font=_font(max(8, round(tall * 0.5))),
        )
    return np.asarray(image)


def _sticker(draw: ImageDraw.ImageDraw, rng: Generator, w: int, h: int) -> None:
    side = float(rng.uniform(0.12, 0.28)) * min(w, h)
    x, y = float(rng.uniform(0, w - side)), float(rng.uniform(0, h - side))
    draw.ellipse((x, y, x + side, y + side), (255, 204, 50, 255), (120, 80, 0, 255), max(1, int(side / 40)))
    for eye in (0.3, 0.62):
        draw.ellipse(
            (x + side * eye, y + side * 0.28, x + side * (eye + 0.1), y + side * 0.45), (60, 40, 0, 255)
        )
    draw.arc(
        (x + side * 0.25, y + side * 0.3, x + side * 0.75, y + side * 0.8),
        20,
        160,
        (60, 40, 0, 255),
        max(2, int(side / 18)),
    )


def _screen(rng: Generator) -> tuple[int, int]:
    """Width and height of a phone's screen in pixels."""
    width = int(rng.integers(560, 820))
    return width, round(width * float(rng.choice([16 / 9, 19.5 / 9, 20 / 9, 2.0])))


def _status_bar(draw: ImageDraw.ImageDraw, rng: Generator, width: int, ink: Colour) -> int:
    tall = round(width * 0.055)
    clock = f"{int(rng.integers(0, 24)):02}:{int(rng.integers(0, 60)):02}"
    draw.text((width * 0.05, tall * 0.25), clock, ink, font=_font(max(8, round(tall * 0.6))))
    for place in range(3):
        x = width * (0.82 + 0.05 * place)
        draw.rectangle((x, tall * 0.3, x + width * 0.03, tall * 0.8), ink)
    return tall


def viewer(pixels: Pixels, rng: Generator) -> Pixels:
    """A phone's photo viewer: the picture on a plain ground between a title and a row of buttons."""
    width, height = _screen(rng)
    dark = rng.random() < 0.6
    ground: Colour = (0, 0, 0) if dark else (255, 255, 255)
    ink: Colour = (230, 230, 230) if dark else (40, 40, 40)
    image = Image.new("RGB", (width, height), ground)
    draw = ImageDraw.Draw(image)
    top = _status_bar(draw, rng, width, ink)
    bare = rng.random() < 0.3
    if not bare:
        draw.text((width * 0.35, top * 1.5), _words(rng, 1, 3), ink, font=_font(max(8, round(width * 0.035))))
        draw.line([(width * 0.08, top * 1.5), (width * 0.05, top * 2), (width * 0.08, top * 2.5)], ink, 4)
        for place in range(4):
            x, y = width * (0.12 + 0.23 * place), height * 0.955
            shape = (x, y - width * 0.025, x + width * 0.05, y + width * 0.025)
            draw.ellipse(shape, outline=ink, width=4) if place % 2 else draw.rectangle(
                shape, outline=ink, width=4
            )
    canvas = np.array(image)
    head, foot = (top * 3, round(height * 0.09)) if not bare else (top, 0)
    shown = fitted(pixels, width, height - head - foot)
    y, x = head + (height - head - foot - shown.shape[0]) // 2, (width - shown.shape[1]) // 2
    canvas[y : y + shown.shape[0], x : x + shown.shape[1]] = shown
    return canvas


def feed(pixels: Pixels, rng: Generator) -> Pixels:
    """A post in a feed: a name with a round mark, words, the picture, a row of buttons, more words."""
    width, height = _screen(rng)
    dark = rng.random() < 0.4
    ground: Colour = (18, 18, 18) if dark else (255, 255, 255)
    ink: Colour = (225, 225, 225) if dark else (30, 30, 30)
    faint: Colour = (60, 60, 60) if dark else (205, 205, 205)
    size = max(9, round(width * 0.033))
    image = Image.new("RGB", (width, height), ground)
    draw = ImageDraw.Draw(image)
    y: float = _status_bar(draw, rng, width, ink)
    draw.text((width * 0.04, y + size * 0.5), "Pictures", ink, font=_font(round(size * 1.5)))
    y += size * 3
    draw.line([(0, y), (width, y)], faint, 2)
    y += size * 0.8
    red, green, blue = (int(value) for value in rng.integers(40, 220, 3))
    draw.ellipse((width * 0.03, y, width * 0.03 + size * 2.4, y + size * 2.4), (red, green, blue))
    draw.text((width * 0.15, y), _words(rng, 2, 3), ink, font=_font(size))
    draw.text((width * 0.15, y + size * 1.3), f"{int(rng.integers(1, 23))} h", faint, font=_font(size))
    y += size * 3
    if rng.random() < 0.6:
        y = _write(draw, width * 0.03, y, _words(rng, 4, 22), size, ink, width * 0.93)
    margin = int(rng.choice([0, 0, round(width * 0.03)]))
    top = round(y + size * 0.4)
    shown = fitted(pixels, width - 2 * margin, max(64, round(height * 0.92) - top))
    y = top + shown.shape[0] + size * 0.7
    for place in range(3):
        x = width * (0.04 + 0.11 * place)
        draw.ellipse((x, y, x + size * 1.5, y + size * 1.5), outline=ink, width=3)
    y += size * 2.4
    y = _write(
        draw,
        width * 0.03,
        y,
        f"{int(rng.integers(2, 900))} people. " + _words(rng, 3, 15),
        size,
        ink,
        width * 0.93,
    )
    draw.line([(0, y + size), (width, y + size)], faint, 2)
    canvas = np.array(image)
    x0 = (width - shown.shape[1]) // 2
    bottom = min(height, top + shown.shape[0])
    canvas[top:bottom, x0 : x0 + shown.shape[1]] = shown[: bottom - top]
    return canvas


def collage(pixels: Pixels, rng: Generator) -> Pixels:
    """The picture beside one or three others (painted), with or without a gap, in cells that crop or fit."""
    cells = int(rng.choice([2, 2, 4]))
    across, down = (2, 2) if cells == 4 else ((2, 1) if rng.random() < 0.5 else (1, 2))
    h, w = pixels.shape[:2]
    gap = int(rng.choice([0, 6, 14]))
    # Cells have the picture's own aspect, as layouts of two or four shots of one session do.
    scale = 700 / max(w, h)
    cell_w, cell_h = max(16, round(w * scale)), max(16, round(h * scale))
    ground = int(rng.choice([0, 255]))
    canvas = np.full(
        (down * cell_h + (down + 1) * gap, across * cell_w + (across + 1) * gap, 3), ground, np.uint8
    )
    mine = int(rng.integers(across * down))
    for place in range(across * down):
        y, x = divmod(place, across)
        shown = filled(pixels, cell_w, cell_h) if place == mine else painted_scene(rng, cell_w, cell_h)
        top, left = gap + y * (cell_h + gap), gap + x * (cell_w + gap)
        canvas[top : top + cell_h, left : left + cell_w] = shown
    return canvas


def painted_scene(rng: Generator, width: int, height: int) -> Pixels:
    """A landscape in paint: a sky, hills of different colours, a disc, some noise as texture."""
    y = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    high, low = rng.uniform(80, 255, 3), rng.uniform(80, 255, 3)
    scene = np.broadcast_to(high * (1 - y) + low * y, (height, width, 3)).astype(np.float32).copy()
    centre = int(rng.integers(width)), int(rng.integers(max(1, height // 2)))
    cv2.circle(scene, centre, max(3, height // 10),
               tuple(float(value) for value in rng.uniform(180, 255, 3)), -1)  # fmt: skip
    columns = np.arange(width)
    for depth in range(4):
        ridge = height * (0.4 + 0.14 * depth)
        for _ in range(4):
            ridge = ridge + height * rng.uniform(0.01, 0.06) * np.sin(
                columns / width * rng.uniform(3, 40) + rng.uniform(0, 6)
            )
        below = np.arange(height)[:, None] > ridge[None, :]
        scene[below] = rng.uniform(20, 200, 3)
    scene += cv2.resize(
        rng.normal(0, 22, (max(2, height // 6), max(2, width // 6), 1)).astype(np.float32), (width, height)
    )[..., None]
    return np.clip(scene, 0, 255).astype(np.uint8)
