"""A landscape in paint for the pictures in docs/: mountains, a lake, trees. Nobody owns it."""

from __future__ import annotations

import cv2
import numpy as np

from benchmarks.screens import Pixels

WIDTH, HEIGHT = 1200, 800
SEED = 11


def landscape() -> Pixels:
    """(800, 1200, 3) uint8 RGB, always the same."""
    rng = np.random.default_rng(SEED)
    shore = int(HEIGHT * 0.62)
    y = np.linspace(0, 1, shore, dtype=np.float32)[:, None, None]
    high, low = np.array([64, 106, 168], np.float32), np.array([247, 207, 168], np.float32)
    sky = np.broadcast_to(high * (1 - y) ** 1.2 + low * (1 - (1 - y) ** 1.2), (shore, WIDTH, 3)).copy()
    _clouds(sky, rng)
    cv2.circle(sky, (int(WIDTH * 0.71), int(shore * 0.52)), 46, (255, 238, 196), -1, cv2.LINE_AA)
    for depth, colour in enumerate([(143, 152, 178), (104, 116, 146), (66, 84, 104), (38, 58, 58)]):
        _ridge(
            sky,
            rng,
            shore * (0.42 + 0.15 * depth),
            shore * (0.24 - 0.04 * depth),
            np.array(colour, np.float32),
        )
    _trees(sky, rng, shore)
    water = _water(sky, rng)
    scene = np.concatenate([sky, water])
    scene += cv2.GaussianBlur(rng.normal(0, 9, scene.shape).astype(np.float32), (0, 0), 0.9)
    _boat(scene, int(WIDTH * 0.34), int(HEIGHT * 0.79))
    return np.clip(scene, 0, 255).astype(np.uint8)


def _noise(rng: np.random.Generator, height: int, width: int, cells: tuple[int, ...]) -> Pixels:
    total = np.zeros((height, width), np.float32)
    for cell in cells:
        coarse = rng.normal(0, 1, (max(2, height // cell), max(2, width // (cell * 3)))).astype(np.float32)
        total += cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC) * cell
    return total / sum(cells)


def _clouds(sky: Pixels, rng: np.random.Generator) -> None:
    thick = np.clip(_noise(rng, *sky.shape[:2], cells=(160, 80, 40, 20)) * 1.3 - 0.15, 0, 0.8)[..., None]
    sky[:] = sky * (1 - thick) + np.array([255, 236, 222], np.float32) * thick


def _ridge(sky: Pixels, rng: np.random.Generator, middle: float, height: float, colour: Pixels) -> None:
    """A mountain range by midpoint displacement, lit from the right."""
    line = np.zeros(2)
    rough = 1.0
    while len(line) < WIDTH:
        between = (line[:-1] + line[1:]) / 2 + rng.normal(0, rough, len(line) - 1)
        line = _interleave(line, between)
        rough *= 0.56
    line = np.interp(np.arange(WIDTH), np.linspace(0, WIDTH, len(line)), line)
    crest = middle - height * line / max(1.0, float(np.abs(line).max()))
    rows = np.arange(sky.shape[0])[:, None]
    below = rows > crest[None, :]
    light = np.clip(np.gradient(cv2.GaussianBlur(crest[None].astype(np.float32), (0, 0), 3)[0]), -1, 1) * 9
    texture = _noise(rng, *sky.shape[:2], cells=(24, 12, 6)) * 24
    shade = colour + light[None, :, None] + texture[..., None]
    sky[below] = shade[below]


def _interleave(line: Pixels, between: Pixels) -> Pixels:
    longer = np.empty(len(line) + len(between))
    longer[::2], longer[1::2] = line, between
    return longer


def _trees(sky: Pixels, rng: np.random.Generator, shore: int) -> None:
    """Firs along the shore, more on the left."""
    for _ in range(170):
        x = int(WIDTH * float(rng.beta(0.8, 1.5)))
        tall = int(rng.uniform(34, 128) * (1.25 - 0.7 * x / WIDTH))
        foot = shore - int(rng.uniform(0, 8))
        green = np.array([18, 46, 34]) + rng.uniform(-8, 22, 3)
        for level in range(6):
            top, wide = foot - tall + tall * level / 7, (level + 1.6) * tall / 26
            points = np.array(
                [[x, top], [x - wide, top + tall / 4.5], [x + wide, top + tall / 4.5]], np.int32
            )
            cv2.fillPoly(sky, [points], tuple(float(value) for value in green), cv2.LINE_AA)


def _water(sky: Pixels, rng: np.random.Generator) -> Pixels:
    """The upper part upside down, darker, with ripples."""
    rows = HEIGHT - sky.shape[0]
    mirrored = cv2.resize(sky[::-1][: int(rows * 1.5)], (WIDTH, rows), interpolation=cv2.INTER_AREA)
    across, down = np.meshgrid(np.arange(WIDTH, dtype=np.float32), np.arange(rows, dtype=np.float32))
    wave = _noise(rng, rows, WIDTH, cells=(18, 8, 4)) * (1.5 + down / 22)
    moved = cv2.remap(
        mirrored, across + wave * 2, down + wave * 1.5, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
    )
    return moved * 0.78 + np.array([8, 26, 44], np.float32) + (wave * 5)[..., None]


def _boat(scene: Pixels, x: int, y: int) -> None:
    hull = np.array([[x - 62, y], [x + 62, y], [x + 44, y + 22], [x - 46, y + 22]], np.int32)
    cv2.fillPoly(scene, [hull], (118, 44, 34), cv2.LINE_AA)
    cv2.line(scene, (x, y), (x, y - 108), (70, 52, 40), 4, cv2.LINE_AA)
    cv2.fillPoly(
        scene,
        [np.array([[x + 5, y - 104], [x + 5, y - 12], [x + 62, y - 14]], np.int32)],
        (244, 236, 220),
        cv2.LINE_AA,
    )
    cv2.fillPoly(
        scene,
        [np.array([[x - 5, y - 90], [x - 5, y - 12], [x - 44, y - 14]], np.int32)],
        (214, 96, 62),
        cv2.LINE_AA,
    )
