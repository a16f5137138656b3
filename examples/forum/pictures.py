"""Paints the forum's sample pictures: landscapes, harbours, gardens and still lifes, all from a number.

The same seed and size give the same picture on the same numpy and Pillow; two seeds give clearly different
ones, with enough detail for PDQ quality 50 and more. It never paints people, and it needs nothing else of the
forum, so the demo and the tests use it too.

    paint(7).save("seven.jpg", quality=90)

How a picture comes to be: `paint` picks one of the scenes by the seed, the scene fills an `_Easel` layer by
layer from back to front, and `title_of` names it.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Array = NDArray[np.float32]
Colour = Sequence[float]
Point = tuple[float, float]

_SKIES: list[tuple[Colour, Colour]] = [
    ((0.30, 0.52, 0.78), (0.86, 0.91, 0.93)),
    ((0.20, 0.24, 0.47), (0.97, 0.66, 0.44)),
    ((0.46, 0.58, 0.66), (0.93, 0.88, 0.80)),
    ((0.11, 0.15, 0.30), (0.55, 0.50, 0.66)),
    ((0.50, 0.69, 0.80), (0.99, 0.93, 0.78)),
    ((0.35, 0.29, 0.50), (0.99, 0.78, 0.62)),
]
_LANDS: list[Colour] = [
    (0.24, 0.42, 0.28),
    (0.45, 0.46, 0.22),
    (0.52, 0.36, 0.22),
    (0.27, 0.36, 0.44),
    (0.60, 0.51, 0.33),
    (0.36, 0.27, 0.38),
]
_BRIGHTS: list[Colour] = [
    (0.83, 0.28, 0.20),
    (0.93, 0.70, 0.22),
    (0.22, 0.45, 0.62),
    (0.93, 0.89, 0.80),
    (0.44, 0.58, 0.32),
    (0.62, 0.35, 0.50),
    (0.90, 0.50, 0.28),
    (0.20, 0.35, 0.36),
]


class _Easel:
    """A canvas (h, w, 3) float32 in 0..1, a random source, and the few strokes the scenes are made of.

    Positions are fractions of width and height, (0, 0) top left; sizes are fractions of the height.
    """

    def __init__(self, seed: int, width: int, height: int) -> None:
        self.rng = np.random.default_rng([seed, 20_260])
        self.width, self.height = width, height
        self.aspect = width / height
        self.canvas: Array = np.zeros((height, width, 3), np.float32)
        self.x: Array = np.linspace(0, 1, width, dtype=np.float32)[None, :]
        self.y: Array = np.linspace(0, 1, height, dtype=np.float32)[:, None]

    def between(self, low: float, high: float) -> float:
        return float(self.rng.uniform(low, high))

    def one_of(self, choices: Sequence[Colour]) -> Array:
        return np.asarray(choices[int(self.rng.integers(len(choices)))], np.float32)

    def noise(self, across: float, down: float, octaves: int = 4) -> Array:
        """Cloudy noise (h, w) in 0..1, about `across` x `down` lumps; fewer one way make streaks."""
        total = np.zeros((self.height, self.width), np.float32)
        for octave in range(octaves):
            cells = (max(2, round(down * 2**octave) + 1), max(2, round(across * 2**octave) + 1))
            lumps = Image.fromarray(self.rng.random(cells, dtype=np.float32), mode="F")
            total += np.asarray(lumps.resize((self.width, self.height), Image.Resampling.BICUBIC)) / 2**octave
        low, high = float(total.min()), float(total.max())
        scaled: Array = (total - low) / (high - low)
        return scaled

    def ridge(self, level: float, relief: float, lumps: float) -> Array:
        """Heights (1, w) of a skyline around `level`, as fractions of the picture's height."""
        profile = np.zeros(self.width, np.float32)
        for octave in range(6):
            knots = self.rng.uniform(-1, 1, round(lumps * 2**octave) + 2)
            at = np.linspace(0, len(knots) - 1, self.width)
            profile += (np.interp(at, np.arange(len(knots)), knots) / 1.9**octave).astype(np.float32)
        heights: Array = (level + relief * profile)[None, :]
        return heights

    def blend(self, mask: Array, colour: Array) -> None:
        """Lay `colour` ((3,) or (h, w, 3)) over the canvas where `mask` (h, w) is above 0."""
        weight = mask[..., None]
        self.canvas = self.canvas * (1 - weight) + colour * weight

    def polygon(self, points: Sequence[Point], colour: Array, *, soft: float = 0.0) -> None:
        self._stroke(points, lambda pen, at: pen.polygon(at, fill=255), colour, soft=soft)

    def line(self, points: Sequence[Point], colour: Array, thickness: float) -> None:
        width = max(1, round(thickness * self.height * 2))
        self._stroke(
            points,
            lambda pen, at: pen.line(at, fill=255, width=width, joint="curve"),
            colour,
            reach=thickness,
        )

    def disc(
        self, x: float, y: float, radius: float, colour: Array, *, squash: float = 1.0, soft: float = 0.0
    ) -> None:
        """An upright ellipse; `squash` below 1 makes it flatter."""
        half = radius / self.aspect
        corners = [(x - half, y - radius * squash), (x + half, y + radius * squash)]
        self._stroke(corners, lambda pen, at: pen.ellipse(at, fill=255), colour, soft=soft)

    def ball(self, x: float, y: float, radius: float, colour: Array, *, squash: float = 1.0) -> None:
        """A round thing lit from the upper left."""
        half = radius / self.aspect
        columns = slice(max(0, int((x - half) * self.width)), max(0, int((x + half) * self.width) + 2))
        rows = slice(max(0, int((y - radius) * self.height)), max(0, int((y + radius) * self.height) + 2))
        dx = (self.x[:, columns] - x) * self.aspect / radius
        dy = (self.y[rows] - y) / (radius * squash)
        light = np.clip(1.15 - 0.62 * np.sqrt((dx + 0.35) ** 2 + (dy + 0.4) ** 2), 0.18, 1.25)[..., None]
        gleam = np.exp(-((dx + 0.38) ** 2 + (dy + 0.42) ** 2) * 28)[..., None] * 0.55
        weight = np.clip((1 - np.sqrt(dx**2 + dy**2)) * radius * self.height, 0, 1)[..., None]
        part = self.canvas[rows, columns]
        self.canvas[rows, columns] = part * (1 - weight) + (light * colour + gleam) * weight

    def shade(self, strength: float, texture: Array) -> None:
        """Lighten and darken the whole canvas by a texture (h, w) in 0..1."""
        self.canvas = self.canvas * (1 + strength * (texture[..., None] - 0.5))

    def picture(self) -> Image.Image:
        grain = self.rng.normal(0, 0.012, (self.height, self.width, 1)).astype(np.float32)
        return Image.fromarray((np.clip(self.canvas + grain, 0, 1) * 255).astype(np.uint8), mode="RGB")

    def _stroke(
        self,
        points: Sequence[Point],
        draw: Callable[[ImageDraw.ImageDraw, list[Point]], None],
        colour: Array,
        *,
        soft: float = 0.0,
        reach: float = 0.0,
    ) -> None:
        """Draw at twice the size within the points' own box (and `reach` around it), shrink, and blend."""
        room = int((soft * 3 + reach) * self.height) + 2
        across, down = ([point[axis] for point in points] for axis in (0, 1))
        left = max(0, int(min(across) * self.width) - room)
        top = max(0, int(min(down) * self.height) - room)
        right = min(self.width, int(max(across) * self.width) + room)
        bottom = min(self.height, int(max(down) * self.height) + room)
        if left >= right or top >= bottom:
            return
        large = Image.new("L", ((right - left) * 2, (bottom - top) * 2))
        at = [((x * self.width - left) * 2, (y * self.height - top) * 2) for x, y in points]
        draw(ImageDraw.Draw(large), at)
        mask = large.reduce(2)
        if soft:
            mask = mask.filter(ImageFilter.GaussianBlur(soft * self.height))
        weight = np.asarray(mask, np.float32)[..., None] / 255
        part = self.canvas[top:bottom, left:right]
        self.canvas[top:bottom, left:right] = part * (1 - weight) + colour * weight


def _sky(easel: _Easel, horizon: float) -> Array:
    """Sky with clouds and perhaps a sun or moon; returns the colour of the haze near the horizon."""
    high, low = (np.asarray(colour, np.float32) for colour in _SKIES[int(easel.rng.integers(len(_SKIES)))])
    fall = np.clip(easel.y / max(horizon, 0.2), 0, 1)[..., None]
    easel.canvas[:] = high * (1 - fall) + low * fall
    if easel.rng.random() < 0.75:
        x, y, radius = easel.between(0.08, 0.92), easel.between(0.1, horizon), easel.between(0.04, 0.12)
        far = np.sqrt(((easel.x - x) * easel.aspect) ** 2 + (easel.y - y) ** 2)
        easel.blend((np.exp(-((far / (radius * 3)) ** 2)) * 0.5).astype(np.float32), low + 0.15)
        easel.disc(x, y, radius, np.clip(low + np.array([0.25, 0.2, 0.1], np.float32), 0, 1), soft=0.002)
    clouds = easel.noise(easel.between(1.5, 5), easel.between(4, 9), 5)
    cover = easel.between(0.45, 0.65)
    easel.blend(np.clip((clouds - cover) * 5, 0, 1) * (1 - easel.y * 0.5) * 0.85, np.clip(low + 0.12, 0, 1))
    easel.blend(np.clip((clouds - cover - 0.12) * 4, 0, 1) * 0.35, high * 0.8)
    return low


def _water(easel: _Easel, horizon: float, haze: Array) -> None:
    """Below the horizon: the picture above, mirrored, darker and broken into ripples."""
    top = min(easel.height - 2, round(horizon * easel.height))
    rows = easel.height - top
    mirrored = easel.canvas[max(0, top - rows) : top][::-1]
    mirrored = (
        np.concatenate([mirrored, np.repeat(mirrored[-1:], rows - len(mirrored), axis=0)])
        if len(mirrored) < rows
        else mirrored
    )
    ripple = easel.noise(easel.between(3, 7), easel.between(22, 40), 4)[top:]
    depth = np.linspace(0, 1, rows, dtype=np.float32)[:, None]
    shift = ((ripple - 0.5) * (0.02 + 0.10 * depth) * easel.width).astype(np.int64)
    columns = np.clip(np.arange(easel.width)[None, :] + shift, 0, easel.width - 1)
    sea = np.take_along_axis(mirrored, columns[..., None].repeat(3, axis=2), axis=1)
    tint = np.asarray((0.10, 0.27, 0.34), np.float32) * 0.75 + haze * 0.2
    sea = sea * (0.72 - 0.3 * depth[..., None]) + tint * (0.22 + 0.25 * depth[..., None])
    glints = np.clip((ripple - 0.62) * 6, 0, 1)[..., None] * (0.18 + 0.2 * depth[..., None])
    easel.canvas[top:] = sea + glints * haze


def _land(easel: _Easel, skyline: Array, colour: Array, *, far: float, haze: Array) -> None:
    """Everything below `skyline`, textured, and the paler the farther."""
    texture = easel.noise(easel.between(5, 12), easel.between(8, 16), 5)
    slope = np.gradient(skyline[0]) * easel.width
    lit = 0.72 + 0.55 * texture + np.clip(slope, -1, 1)[None, :] * 0.22
    body = colour * lit[..., None] * (1 - far) + haze * far
    easel.blend(np.clip((easel.y - skyline) * easel.height, 0, 1), body)


def _tree(easel: _Easel, x: float, foot: float, size: float, colour: Array) -> None:
    trunk = np.asarray((0.23, 0.16, 0.11), np.float32)
    easel.line([(x, foot), (x, foot - size * 0.55)], trunk, size * 0.06)
    if easel.rng.random() < 0.5:
        for step in range(4):
            top, half = foot - size * (1 - 0.2 * step), size * (0.12 + 0.07 * step) / easel.aspect
            points = [(x, top), (x - half, top + size * 0.3), (x + half, top + size * 0.3)]
            easel.polygon(points, colour * (0.65 + 0.12 * step))
        return
    for _ in range(7):
        spread = size * 0.26
        at = (
            x + easel.between(-spread, spread) / easel.aspect,
            foot - size * 0.68 + easel.between(-spread, spread),
        )
        easel.disc(*at, size * easel.between(0.12, 0.22), colour * easel.between(0.6, 1.25))


def _boat(easel: _Easel, x: float, y: float, size: float) -> None:
    hull, sail = easel.one_of(_BRIGHTS) * 0.8, easel.one_of(_BRIGHTS)
    wide = size / easel.aspect
    easel.polygon(
        [
            (x - wide * 0.6, y),
            (x + wide * 0.65, y),
            (x + wide * 0.4, y + size * 0.2),
            (x - wide * 0.45, y + size * 0.2),
        ],
        hull,
    )
    easel.line([(x, y), (x, y - size)], np.asarray((0.2, 0.15, 0.1), np.float32), size * 0.03)
    easel.polygon(
        [(x + wide * 0.04, y - size), (x + wide * 0.04, y - size * 0.08), (x + wide * 0.55, y - size * 0.08)],
        sail,
    )
    easel.polygon(
        [
            (x - wide * 0.04, y - size * 0.9),
            (x - wide * 0.04, y - size * 0.1),
            (x - wide * 0.4, y - size * 0.1),
        ],
        sail * 0.82,
    )


def _lighthouse(easel: _Easel, x: float, foot: float, size: float) -> None:
    bright, white = easel.one_of(_BRIGHTS[:3]), np.asarray((0.95, 0.93, 0.88), np.float32)
    low, high = size * 0.13 / easel.aspect, size * 0.085 / easel.aspect
    for band in range(6):
        here, there = band / 6, (band + 1) / 6
        wide, narrow = low + (high - low) * here, low + (high - low) * there
        points = [
            (x - wide, foot - size * 0.8 * here),
            (x + wide, foot - size * 0.8 * here),
            (x + narrow, foot - size * 0.8 * there),
            (x - narrow, foot - size * 0.8 * there),
        ]
        easel.polygon(points, bright if band % 2 else white)
    easel.polygon(
        [
            (x - high, foot - size * 0.8),
            (x + high, foot - size * 0.8),
            (x + high, foot - size * 0.92),
            (x - high, foot - size * 0.92),
        ],
        np.asarray((0.99, 0.88, 0.5), np.float32),
    )
    easel.polygon(
        [(x - high * 1.3, foot - size * 0.92), (x + high * 1.3, foot - size * 0.92), (x, foot - size)],
        bright * 0.7,
    )


def _hills(easel: _Easel) -> None:
    horizon = easel.between(0.3, 0.6)
    haze = _sky(easel, horizon)
    count = int(easel.rng.integers(3, 6))
    for layer in range(count):
        near = layer / (count - 1)
        level = horizon + (0.95 - horizon) * near * easel.between(0.7, 1.0)
        skyline = easel.ridge(level, easel.between(0.06, 0.16) * (1.2 - near * 0.6), easel.between(1.2, 4))
        ground = easel.one_of(_LANDS)
        _land(easel, skyline, ground, far=0.62 * (1 - near) ** 1.2, haze=haze)
        for _ in range(int(easel.rng.integers(2, 9)) if near > 0.4 else 0):
            x = easel.between(0.02, 0.98)
            foot = float(skyline[0, int(x * (easel.width - 1))]) + 0.02
            _tree(easel, x, foot, easel.between(0.08, 0.26) * (0.4 + near), ground * easel.between(0.6, 1.1))


def _sea(easel: _Easel) -> None:
    horizon = easel.between(0.38, 0.66)
    haze = _sky(easel, horizon)
    skyline = easel.ridge(horizon, easel.between(0.03, 0.12), easel.between(1.5, 4))
    _land(easel, skyline, easel.one_of(_LANDS), far=0.45, haze=haze)
    if easel.rng.random() < 0.6:
        _lighthouse(easel, easel.between(0.1, 0.9), horizon, easel.between(0.2, 0.42))
    _water(easel, horizon, haze)
    for _ in range(int(easel.rng.integers(2, 6))):
        y = easel.between(horizon + 0.06, 0.92)
        _boat(easel, easel.between(0.06, 0.94), y, 0.07 + (y - horizon) * easel.between(0.35, 0.8))


def _town(easel: _Easel) -> None:
    horizon = easel.between(0.55, 0.74)
    haze = _sky(easel, horizon)
    _land(easel, easel.ridge(horizon - 0.25, 0.09, 2), easel.one_of(_LANDS), far=0.5, haze=haze)
    x = easel.between(-0.08, 0.0)
    while x < 1.0:
        wide, top = easel.between(0.07, 0.17), horizon - easel.between(0.16, 0.46)
        wall, roof = easel.one_of(_BRIGHTS), easel.one_of(_LANDS) * 0.8
        easel.polygon([(x, horizon), (x, top), (x + wide, top), (x + wide, horizon)], wall * 0.9)
        easel.polygon(
            [(x - 0.006, top), (x + wide / 2, top - easel.between(0.05, 0.12)), (x + wide + 0.006, top)], roof
        )
        rows, columns = int((horizon - top) / 0.09), max(1, int(wide / 0.038))
        pane = np.asarray((0.98, 0.86, 0.55) if easel.rng.random() < 0.4 else (0.16, 0.22, 0.28), np.float32)
        for row in range(rows):
            for column in range(columns):
                left = x + wide * (column + 0.28) / columns
                above = top + 0.025 + row * 0.09
                right = left + wide * 0.44 / columns
                easel.polygon(
                    [(left, above), (right, above), (right, above + 0.05), (left, above + 0.05)], pane
                )
        x += wide
    _water(easel, horizon, haze)
    for _ in range(int(easel.rng.integers(1, 4))):
        _boat(easel, easel.between(0.1, 0.9), easel.between(horizon + 0.08, 0.88), easel.between(0.12, 0.24))


def _forest(easel: _Easel) -> None:
    haze = _sky(easel, 0.8)
    ground = easel.one_of(_LANDS)
    easel.blend(easel.noise(4, 4, 5) * 0.7, ground * 1.2)
    floor = easel.ridge(easel.between(0.68, 0.85), 0.05, 2)
    _land(easel, floor, ground * 0.9, far=0.1, haze=haze)
    bark = np.asarray((0.88, 0.85, 0.80) if easel.rng.random() < 0.5 else (0.25, 0.18, 0.14), np.float32)
    for layer in range(3):
        for _ in range(int(easel.rng.integers(3, 7))):
            x, lean = easel.between(-0.02, 1.02), easel.between(-0.07, 0.07)
            wide, foot = (
                (0.006 + 0.011 * layer) * easel.between(0.7, 1.7),
                0.74 + 0.1 * layer + easel.between(0, 0.06),
            )
            shade = (0.55 + 0.22 * layer) * easel.between(0.8, 1.1)
            body = (bark * shade + haze * (0.11 * (2 - layer))).astype(np.float32)
            easel.polygon(
                [
                    (x - wide, foot),
                    (x + wide, foot),
                    (x + lean + wide * 0.6, -0.02),
                    (x + lean - wide * 0.6, -0.02),
                ],
                body,
            )
            for _ in range(5 * layer):
                up = easel.between(0.0, 0.9)
                at = x + lean * up
                mark = bark * 0.3 if bark[0] > 0.5 else bark * 1.6
                easel.line(
                    [
                        (at - wide * 0.8, foot * (1 - up)),
                        (at + wide * easel.between(-0.2, 0.7), foot * (1 - up)),
                    ],
                    mark,
                    0.006,
                )
        for _ in range(26):
            leaf = easel.one_of(_BRIGHTS) * 0.35 + ground * easel.between(0.5, 1.1)
            easel.disc(
                easel.between(0, 1),
                easel.between(-0.05, 0.42),
                easel.between(0.02, 0.075),
                leaf,
                squash=0.7,
                soft=0.003,
            )


def _garden(easel: _Easel) -> None:
    leaf = easel.one_of(_LANDS)
    easel.canvas[:] = leaf * 0.6
    easel.shade(1.5, easel.noise(easel.between(3, 9), easel.between(3, 9), 5))
    for _ in range(40):
        x, y = easel.between(0, 1), easel.between(0.1, 1.1)
        tip = (x + easel.between(-0.09, 0.09), y - easel.between(0.15, 0.45))
        easel.line([(x, y), tip], leaf * easel.between(0.5, 1.7), easel.between(0.005, 0.014))
    for index in range(int(easel.rng.integers(9, 20))):
        x, y, size = easel.between(0, 1), easel.between(0.03, 0.97), easel.between(0.05, 0.1) + 0.004 * index
        petal, heart = easel.one_of(_BRIGHTS), easel.one_of(_BRIGHTS) * 0.6
        petals, turn = int(easel.rng.integers(5, 10)), easel.between(0, 6)
        for number in range(petals):
            angle = turn + number * 2 * np.pi / petals
            at = (
                x + size * 0.66 * float(np.cos(angle)) / easel.aspect,
                y + size * 0.66 * float(np.sin(angle)),
            )
            easel.disc(*at, size * 0.46, petal * easel.between(0.78, 1.08))
        easel.ball(x, y, size * 0.38, heart)


def _still_life(easel: _Easel) -> None:
    edge = easel.between(0.5, 0.72)
    wall, table = easel.one_of(_LANDS), easel.one_of(_BRIGHTS) * 0.7
    easel.canvas[:] = wall * (1.25 - 0.8 * np.abs(easel.x - easel.between(0, 1)))[..., None]
    easel.shade(0.7, easel.noise(3, 3, 5))
    easel.blend(np.clip((easel.y - edge) * easel.height, 0, 1) * np.ones_like(easel.x), table)
    squares = easel.between(5, 11)
    check = (np.floor(easel.x * squares * 1.5) + np.floor((easel.y - edge) * squares * 1.6)) % 2
    easel.blend(np.where(easel.y > edge, check, 0).astype(np.float32) * 0.4, easel.one_of(_BRIGHTS))
    easel.shade(0.35, easel.noise(4, 12, 5))
    spots = np.linspace(0.1, 0.9, int(easel.rng.integers(4, 8))) + easel.rng.uniform(-0.06, 0.06)
    for x in easel.rng.permutation(spots):
        foot, size, colour = (
            easel.between(edge + 0.03, 0.93),
            easel.between(0.09, 0.19),
            easel.one_of(_BRIGHTS),
        )
        easel.disc(x + 0.03, foot, size * 1.15, np.zeros(3, np.float32) + 0.08, squash=0.22, soft=0.012)
        if easel.rng.random() < 0.45:
            for dx, dy in ((-0.5, 0.0), (0.55, 0.02), (0.02, -0.12))[: int(easel.rng.integers(1, 4))]:
                fruit = colour * easel.between(0.85, 1.1)
                easel.ball(
                    x + dx * size / easel.aspect * 1.5,
                    foot - size * (0.75 - dy),
                    size * 0.78,
                    fruit,
                    squash=0.94,
                )
        else:
            tall, neck = size * easel.between(2.0, 3.1), size * easel.between(0.2, 0.5)
            half, thin = size * 0.62 / easel.aspect, neck / easel.aspect
            left = [
                (x - thin, foot - tall),
                (x - thin, foot - tall * 0.7),
                (x - half, foot - tall * 0.5),
                (x - half * 0.85, foot),
            ]
            outline = left + [(2 * x - px, py) for px, py in reversed(left)]
            easel.polygon(outline, colour * 0.85)
            shine = [(px * 0.45 + x * 0.55 - half * 0.12, py) for px, py in left]
            easel.line(shine, np.clip(colour + 0.3, 0, 1), size * 0.09)
            dark = [(2 * x - px * 0.8 - x * 0.2, py) for px, py in left]
            easel.line(dark, colour * 0.5, size * 0.16)


_SCENES: list[tuple[Callable[[_Easel], None], tuple[str, ...]]] = [
    (_hills, ("Above the valley", "Hills before noon", "The long way home", "Five ridges")),
    (_sea, ("Wind from the west", "Out past the point", "Slack water", "Sails before supper")),
    (_still_life, ("Kitchen table", "Bottles and fruit", "Study in the afternoon", "Sunday still life")),
    (_forest, ("Birches by the path", "Between the trunks", "Light in the wood", "Late leaves")),
    (_town, ("The harbour front", "Houses on the quay", "Low tide in town", "Evening windows")),
    (_garden, ("What came up this year", "The back garden", "By the fence", "Too many dahlias")),
]


def paint(seed: int, size: tuple[int, int] = (1200, 800)) -> Image.Image:
    """The picture of this seed (0 or more), RGB, `size` = (width, height) of at least 64 pixels."""
    width, height = size
    if seed < 0 or width < 64 or height < 64:
        raise ValueError("a seed of 0 or more and a size of at least 64 by 64 pixels")
    easel = _Easel(seed, width, height)
    _SCENES[seed % len(_SCENES)][0](easel)
    return easel.picture()


def title_of(seed: int) -> str:
    """A short title that fits the picture of this seed."""
    titles = _SCENES[seed % len(_SCENES)][1]
    return titles[(seed // len(_SCENES)) % len(titles)]
