"""The videos of the benchmark and what people do to them: films of packages, cameras that wander over photos.

Every parameter comes from a generator seeded by the clip and the family; crops keep away from whole
percentages, which is what a registration set holds. Everything is written to var/bench, which git ignores;
nothing is committed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path

import av
import cv2
import numpy as np

from benchmarks import corpus, packages, screens
from benchmarks.edits import Generator, crop, crop_centre, off_grid
from benchmarks.screens import Pixels

FOLDER = packages.CACHE / "videos"
# Shorter, smaller and slower than most of what is shared, so that one machine makes them all in minutes.
RATE = 15
SECONDS = 12
WIDTH, HEIGHT = 480, 270

# Package and path. They show a car park from afar, drawn figures, a globe, a city from the air, teapots.
FILMS = (
    ("opencv-doc", "usr/share/doc/opencv-doc/examples/data/vtest.avi"),
    ("opencv-doc", "usr/share/doc/opencv-doc/examples/data/Megamind.avi"),
    ("gradio", "gradio/media_assets/videos/world.mp4"),
    ("tracking", "package/examples/assets/minions.mp4"),
    ("perception", "perception/testing/videos/v1.m4v"),
    ("perception", "perception/testing/videos/v2.m4v"),
    ("gem-doc", "usr/share/gem/examples/data/anim-1.mov"),
)

Frames = Iterable[Pixels]
FrameEdit = Callable[[Pixels], Pixels]


@dataclass(frozen=True)
class Clip:
    """One original video."""

    name: str
    path: Path


@dataclass(frozen=True)
class Edited:
    """What became of a clip."""

    family: str
    clip: Clip
    path: Path

    @property
    def part(self) -> tuple[float, float]:
        """Which seconds of the clip it shows."""
        begin, end = json.loads(self.path.with_suffix(".json").read_text())
        return begin, end


def seeded(*words: str) -> Generator:
    """The same generator for the same words, everywhere."""
    digest = hashlib.sha256("\0".join(words).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "little"))


def films() -> list[Clip]:
    """The films of the packages that could be had."""
    listed = {package.name: package for package in packages.listed()}
    found = []
    for name, path in FILMS:
        file = packages.fetch(listed[name]) / path
        if file.exists():
            found.append(Clip(f"{name}-{file.stem}", file))
    return found


def wandering(split: str, count: int) -> list[Clip]:
    """Clips of a camera that wanders over photos: one photo for half of them, four in turn for the others."""
    photos = [one for one in corpus.pictures("photo", split) if min(one.width, one.height) >= 700]
    order = seeded("wandering", split).permutation(len(photos))
    clips, taken = [], 0
    for number in range(count):
        scenes = 1 if number % 2 == 0 else 4
        chosen = [photos[int(order[(taken + n) % len(photos)])] for n in range(scenes)]
        taken += scenes
        clip = Clip(f"{split}-{number:02}", FOLDER / f"{split}-{number:02}.mp4")
        if not clip.path.exists():
            write(
                clip.path,
                _scenes([corpus.pixels_of(one, longest=1600) for one in chosen], clip.name),
                rate=RATE,
            )
        clips.append(clip)
    return clips


def high_definition() -> Clip:
    """The film of which the speed is measured: 30 seconds of 720p at 30 frames a second, ten photos."""
    clip = Clip("720p", FOLDER / "720p.mp4")
    if not clip.path.exists():
        photos = [one for one in corpus.pictures("photo", "train") if min(one.width, one.height) >= 1100][:10]
        pixels = [corpus.pixels_of(one, longest=2000) for one in photos]
        frames = _scenes(pixels, clip.name, frames=90, width=1280, height=720)
        write(clip.path, frames, rate=30, speed="medium")
    return clip


def _scenes(
    photos: list[Pixels], name: str, *, frames: int | None = None, width: int = WIDTH, height: int = HEIGHT
) -> Frames:
    each = frames or SECONDS * RATE // len(photos)
    for number, photo in enumerate(photos):
        yield from _wander(photo, seeded(name, str(number)), each, width, height)


def _wander(photo: Pixels, rng: Generator, frames: int, width: int, height: int) -> Iterator[Pixels]:
    """Pans and zooms along a random path, with a shaking hand and the noise of a sensor."""
    h, w = photo.shape[:2]
    most = min(w / width, h / height)
    for x, y, zoom in _path(rng, frames):
        scale = most * (0.55 + 0.12 * float(np.clip(zoom, 0, 1)))
        left, top = (
            (w - width * scale) * float(np.clip(x, 0, 1)),
            (h - height * scale) * float(np.clip(y, 0, 1)),
        )
        matrix = np.array([[scale, 0, left], [0, scale, top]], np.float32)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        shown = cv2.warpAffine(photo, matrix, (width, height), flags=flags).astype(np.int16)
        grain = rng.integers(-3, 4, (height, width, 1), dtype=np.int16)
        yield np.clip(shown + grain, 0, 255).astype(np.uint8)


def _path(rng: Generator, frames: int) -> np.ndarray:
    """(frames, 3) left, top and zoom in 0..1: from one random place to another in 3 to 4 s, and shaking."""
    stations = 2 + frames // (4 * RATE)
    points = rng.uniform(0, 1, (stations, 3))
    time = np.linspace(0, stations - 1, frames)
    path = np.stack([np.interp(time, range(stations), points[:, axis]) for axis in range(3)], axis=1)
    return path + rng.normal(0, 0.002, path.shape)


def write(path: Path, frames: Frames, *, rate: float, quality: int = 23, speed: str = "veryfast") -> None:
    """H.264 in MP4, as most of what is shared. `quality` is x264's CRF: larger is worse."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part.mp4")
    with av.open(str(part), "w") as out:
        stream = out.add_stream("libx264", rate=Fraction(rate).limit_denominator(1000))
        stream.pix_fmt, stream.options = "yuv420p", {"crf": str(quality), "preset": speed}
        for number, pixels in enumerate(frames):
            even = np.ascontiguousarray(pixels[: pixels.shape[0] // 2 * 2, : pixels.shape[1] // 2 * 2])
            if number == 0:
                stream.height, stream.width = even.shape[:2]
            frame = av.VideoFrame.from_ndarray(even, "rgb24")
            frame.pts = number
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    part.rename(path)


def frames_of(path: Path) -> tuple[float, list[Pixels]]:
    """Frames a second and all frames of a short clip, at most as wide as our own."""
    with av.open(str(path)) as source:
        stream = source.streams.video[0]
        rate = float(stream.average_rate or RATE)
        width = min(WIDTH, stream.codec_context.width)
        height = round(stream.codec_context.height * width / stream.codec_context.width)
        frames = [
            frame.to_ndarray(format="rgb24", width=width, height=height) for frame in source.decode(stream)
        ]
    return rate, frames[: round(rate * 20)]


# ---- edits: each takes a generator and gives what is done to every frame -----------------


def _share(rng: Generator, low: float, high: float) -> float:
    return off_grid(rng, low, high)


def _cropped(low: float, high: float) -> Callable[[Generator], FrameEdit]:
    def family(rng: Generator) -> FrameEdit:
        keep = 1 - _share(rng, low, high)
        return lambda pixels: crop_centre(pixels, keep)

    return family


def _free_crop(rng: Generator) -> FrameEdit:
    sides = [_share(rng, 0.0, 0.1) for _ in range(4)]
    return lambda pixels: crop(pixels, *sides)


def _mirrored(rng: Generator) -> FrameEdit:
    return lambda pixels: pixels[:, ::-1]


def _mirrored_and_cropped(rng: Generator) -> FrameEdit:
    keep = 1 - _share(rng, 0.02, 0.12)
    return lambda pixels: crop_centre(pixels[:, ::-1], keep)


def _letterbox(rng: Generator) -> FrameEdit:
    share = _share(rng, 0.1, 0.3)

    def edit(pixels: Pixels) -> Pixels:
        bar = round(pixels.shape[0] * share / (1 - share) / 2)
        return screens.padded(pixels, bar, bar, 0, 0, (0, 0, 0))

    return edit


def _portrait(rng: Generator) -> FrameEdit:
    def edit(pixels: Pixels) -> Pixels:
        width = pixels.shape[1]
        bar = (round(width * 16 / 9) - pixels.shape[0]) // 2
        return screens.padded(pixels, bar, bar, 0, 0, (0, 0, 0))

    return edit


def _logo(rng: Generator) -> FrameEdit:
    share, x, y = rng.uniform(0.1, 0.16), int(rng.integers(0, 2)), int(rng.integers(0, 2))
    colour = tuple(int(value) for value in rng.integers(0, 256, 3))

    def edit(pixels: Pixels) -> Pixels:
        drawn = pixels.copy()
        h, w = drawn.shape[:2]
        size = round(w * share)
        left, top = (w - size - 8 if x else 8), (h - size // 2 - 8 if y else 8)
        cv2.rectangle(drawn, (left, top), (left + size, top + size // 2), colour, -1)
        cv2.circle(drawn, (left + size // 4, top + size // 4), size // 6, (255, 255, 255), -1)
        return drawn

    return edit


def _caption(rng: Generator) -> FrameEdit:
    seed = int(rng.integers(0, 1 << 32))
    return lambda pixels: screens.caption_bar(pixels, np.random.default_rng(seed))


def _screen_recording(rng: Generator) -> FrameEdit:
    seed = int(rng.integers(0, 1 << 32))

    def edit(pixels: Pixels) -> Pixels:
        shown = screens.viewer(pixels, np.random.default_rng(seed))
        return screens.fitted(shown, 480, 854)

    return edit


def _grey(rng: Generator) -> FrameEdit:
    contrast, light = rng.uniform(0.8, 1.3), rng.uniform(-15, 15)

    def edit(pixels: Pixels) -> Pixels:
        grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
        changed = np.clip((grey - 128) * contrast + 128 + light, 0, 255).astype(np.uint8)
        return np.repeat(changed[..., None], 3, axis=2)

    return edit


def _as_it_is(rng: Generator) -> FrameEdit:
    return lambda pixels: pixels


FRAME_EDITS: dict[str, Callable[[Generator], FrameEdit]] = {
    "re-encode, smaller": _as_it_is,
    "fewer frames a second": _as_it_is,
    "trim to 40-75 %": _as_it_is,
    "speed x 1.25": _as_it_is,
    "grey, contrast": _grey,
    "corner logo": _logo,
    "mirror": _mirrored,
    "crop 5 % (4-6)": _cropped(0.04, 0.06),
    "crop 10 % (8-12)": _cropped(0.08, 0.12),
    "crop 20 % (16-24)": _cropped(0.16, 0.24),
    "mirror and crop 2-12 %": _mirrored_and_cropped,
    "letterbox 10-30 %": _letterbox,
    "portrait 9:16, black bars": _portrait,
    "caption bar": _caption,
    "screen recording": _screen_recording,
    "crop four free sides, 0-10 % each": _free_crop,
}


def edited(clip: Clip) -> Iterator[Edited]:
    """The clip in every family, written once."""
    made = [
        Edited(family, clip, FOLDER / "edited" / f"{clip.name}-{number:02}.mp4")
        for number, family in enumerate(FRAME_EDITS)
    ]
    if not all(one.path.exists() for one in made):
        rate, frames = frames_of(clip.path)
        for one in made:
            if not one.path.exists():
                _write_edited(one, frames, rate)
    yield from made


def _write_edited(one: Edited, frames: list[Pixels], rate: float) -> None:
    rng = seeded(one.clip.name, one.family)
    edit = FRAME_EDITS[one.family](rng)
    quality = 28
    part = (0.0, len(frames) / rate)
    if one.family.startswith("re-encode"):
        quality, size = int(rng.integers(32, 40)), rng.uniform(0.5, 0.8)
        edit = partial(cv2.resize, dsize=None, fx=size, fy=size, interpolation=cv2.INTER_AREA)
    elif one.family.startswith("fewer"):
        slower = float(rng.uniform(0.4, 0.8)) * rate
        frames = [frames[int(at * rate / slower)] for at in range(int(len(frames) * slower / rate))]
        rate = slower
    elif one.family.startswith("trim"):
        kept = round(len(frames) * rng.uniform(0.4, 0.75))
        start = int(rng.integers(0, len(frames) - kept + 1))
        frames = frames[start : start + kept]
        part = (start / rate, (start + kept) / rate)
    elif one.family.startswith("speed"):
        rate *= 1.25
    one.path.parent.mkdir(parents=True, exist_ok=True)
    one.path.with_suffix(".json").write_text(json.dumps(part))
    write(one.path, map(edit, frames), rate=rate, quality=quality)
