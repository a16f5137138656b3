"""Small videos for tests, made in memory from painted scenes. No pictures of people, no file from outside."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import av
import numpy as np
import numpy.typing as npt
from PIL import Image

Pixels = npt.NDArray[np.uint8]

WIDTH, HEIGHT, RATE = 160, 120, 10


def scene(seed: int, width: int = WIDTH, height: int = HEIGHT) -> Pixels:
    """Soft blots of colour, rich enough for a quality of 100: (height, width, 3) uint8."""
    blots = np.random.default_rng(seed).integers(0, 256, (9, 12, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(blots).resize((width, height), Image.Resampling.BICUBIC))


def scenes(*seeds: int, seconds: float = 1.0, rate: int = RATE) -> Iterator[Pixels]:
    """Each scene for so long, standing still."""
    for seed in seeds:
        yield from [scene(seed)] * round(seconds * rate)


def film(
    frames: Iterable[Pixels],
    *,
    rate: int | Fraction = RATE,
    kind: str = "mp4",
    codec: str = "libx264",
    times: Sequence[float] | None = None,
    sound_seconds: float = 0.0,
    muxer_options: dict[str, str] | None = None,
    **options: str,
) -> bytes:
    """A video file's bytes. `times`: when each frame is shown, if not one after the other."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "film"  # a real file, because an MP4 with its table first is written twice
        _write(path, frames, rate, kind, codec, times, sound_seconds, muxer_options or {}, options)
        return path.read_bytes()


def _write(
    path: Path,
    frames: Iterable[Pixels],
    rate: int | Fraction,
    kind: str,
    codec: str,
    times: Sequence[float] | None,
    sound_seconds: float,
    muxer_options: dict[str, str],
    options: dict[str, str],
) -> None:
    with av.open(str(path), "w", format=kind, options=muxer_options) as out:
        stream: Any = out.add_stream(codec, rate=rate)
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.options = (
            {"preset": "ultrafast", "crf": "18", "g": "250", **options} if "264" in codec else options
        )
        if "264" not in codec:
            stream.bit_rate = 4_000_000
        if times is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        sound: Any = (
            out.add_stream("aac" if kind == "mp4" else "libopus", rate=48_000) if sound_seconds else None
        )
        for number, pixels in enumerate(frames):
            if number == 0:
                stream.height, stream.width = pixels.shape[:2]
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), "rgb24")
            if times is None:
                frame.pts = number
            else:
                frame.pts, frame.time_base = round(times[number] * 1000), Fraction(1, 1000)
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
        if sound:
            _mux_silence(out, sound, sound_seconds)


def sound_only(kind: str = "mp4", *, seconds: float = 1.0) -> bytes:
    """Silence as a file of a kind that is known for videos."""
    file = io.BytesIO()
    with av.open(file, "w", format=kind) as out:
        stream = out.add_stream("aac" if kind == "mp4" else "libopus", rate=48_000)
        _mux_silence(out, stream, seconds)
    return file.getvalue()


def _mux_silence(out: Any, stream: Any, seconds: float) -> None:
    for start in range(0, round(48_000 * seconds), 960):
        silence = np.zeros((1, 960), np.float32)
        frame = av.AudioFrame.from_ndarray(silence, format="fltp", layout="mono")
        frame.sample_rate, frame.pts = 48_000, start
        out.mux(stream.encode(frame))
    out.mux(stream.encode())


def turned(data: bytes, *, degrees: int) -> bytes:
    """An MP4 that says it is to be turned clockwise to be upright: the matrix in its track header.

    Source: ISO/IEC 14496-12, 8.3.2: nine 32-bit numbers, 40 bytes after the box's version in version 0.
    """
    cosine, sine = {90: (0, 1), 180: (-1, 0), 270: (0, -1)}[degrees]
    one, corner = 0x1_0000, 0x4000_0000
    rows = (cosine * one, sine * one, 0, -sine * one, cosine * one, 0, 0, 0, corner)
    matrix = b"".join(value.to_bytes(4, signed=True) for value in rows)
    place = data.index(b"tkhd") + 4 + 40
    return data[:place] + matrix + data[place + 36 :]
