"""A video file as a few of its frames: about one a second, upright, with the time at which each is shown.

Refuses every format and codec that it does not name, and every file, address or device but the one file it is
given: playlists, image sequences and scripts that make FFmpeg open other files are no videos here.

What a frame's pixels are. `vpdq` 0.2.5 lets swscale convert each frame to RGB with the matrix of BT.601,
whatever the video is tagged with, and computes PDQ of that. Three ways to do the same were measured on 40
frames of a 720p H.264 video. The RGB of PyAV with BT.601 forced equals `vpdq` in every bit of every frame, in
the quality too. The Y plane with its range expanded, by a table or by swscale, is 1.25 bits away on average
and 6 at most, because RGB is rounded and clipped once more; it would save 2 ms of the 75 ms that a second of
720p takes. So frames are RGB with BT.601: what partners computed with `vpdq` is met at distance 0, and what
we export is what `vpdq` would give. A browser that has only the Y plane stays well within the 31 bits of a
match. Where we differ on purpose: a frame is turned upright first (`vpdq` ignores how a phone was held;
video.py registers the frame as it is stored, too), and a video that is tagged as full-range is not stretched
again.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, NoReturn, cast

import numpy as np

from staydown.fingerprint.errors import (
    AudioOnly,
    DamagedFile,
    DecoderCrashed,
    DecodeTimedOut,
    NoFrames,
    NotFingerprintable,
    TooManyPixels,
    UnknownFormat,
    VideoTooLong,
)
from staydown.fingerprint.formats import HEAD_BYTES, is_video
from staydown.fingerprint.kernel import Pixels
from staydown.fingerprint.limits import MAX_SIDE, MEGAPIXEL
from staydown.fingerprint.video_clock import VideoClock
from staydown.fingerprint.video_limits import VideoLimits
from staydown.fingerprint.video_source import check_video_is_readable

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

# What people film with and share. FFmpeg knows 500 more decoders, many of them read by nobody for years: each
# would be one more thing to attack.
# In FFmpeg's words, as its whitelists take them.
CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,flv,mpegts,mpeg,mpegvideo,asf,ogg"
CODECS = (
    "h264,hevc,vp8,vp9,av1,libdav1d,libvpx,libvpx-vp9,mpeg4,h263,mjpeg,prores,mpeg1video,mpeg2video,mpegvideo,"
    "msmpeg4v1,msmpeg4v2,msmpeg4,wmv1,wmv2,wmv3,vc1,theora,flv,vp6,vp6a,vp6f,dvvideo"
)

# A key frame is looked at beside the frames at whole seconds, because a new scene begins with one; where
# every frame is a key frame, as from many cameras, not more often than this.
_KEY_FRAME_SECONDS = 0.25

# A frame that is shown for so long is looked at, though no whole second begins with it: slides and screens.
_STILL_SECONDS = 0.5

# What ends this much before its declared end (sound counts) was cut short: encoders round by less.
_MISSING_SECONDS = 1.0
_MISSING_SHARE = 0.02

# Damaged packets that are passed over; a file with more is read no further. A lost megabyte of a stream has a
# thousand.
_DAMAGED_PACKETS = 2000

# For finding out what the streams are (FFmpeg reads at most 5 MB for it), and for each packet.
_STEP_SECONDS = 60.0

_TINY = 1e-6  # seconds: whole ones are not missed by rounding

# The stored frame as a turn of the upright one, for frames that are turned by 0, 90, 180 and 270 degrees
# against the clock to be upright.
_STORED_TURNS = ("full", "r270", "r180", "r90")


@dataclass(frozen=True, slots=True)
class Sample:
    """One frame."""

    at_seconds: float
    """From the first frame."""
    pixels: Pixels
    """(height, width, 3) uint8 RGB, C-contiguous, upright."""
    stored_turn: str
    """Which turn of the upright frame is stored in the file: "full", or "r90" and so on from phones."""


class VideoReader:
    """One video, read once from its start to its end. `close` it, or use it with `with contextlib.closing`.

    file: seekable, positioned anywhere; nothing else is ever opened. samples_per_second: how many frames are
    looked at, beside key frames.
    Raises VideoUnavailable, UnknownFormat, AudioOnly, NoFrames, TooManyPixels, DamagedFile, DecodeTimedOut,
    DecoderCrashed; OSError if the file cannot be read.
    """

    def __init__(self, file: BinaryIO, *, limits: VideoLimits, samples_per_second: int = 1) -> None:
        self._limits = limits
        self._samples_per_second = samples_per_second
        self._damaged_packets = 0
        self._is_cut_short = False
        self._heard_seconds = 0.0
        file.seek(0)
        if not is_video(file.read(HEAD_BYTES)):
            raise UnknownFormat("This is no video that can be read.")
        file.seek(0)
        check_video_is_readable()
        self._av = importlib.import_module("av")
        from av.video.reformatter import VideoReformatter

        self._to_rgb = VideoReformatter()
        self._file = _Nameless(file)
        with self._errors_named():
            self._container = self._open()
            try:
                self._stream = self._video_stream()
                self._rate = float(self._stream.average_rate or 0)
                self._clock = VideoClock(frames_per_second=self._rate, time_base=self._stream.time_base)
            except BaseException:
                self._container.close()
                raise

    def close(self) -> None:
        """Lets go of the decoder; the file stays open."""
        self._container.close()

    @property
    def share_read(self) -> float:
        """How much of the file was read so far, 0..1; in a file of an odd order it may fall."""
        return min(1.0, self._file.tell() / self._file.size)

    @property
    def end_seconds(self) -> float:
        """Where the frames that were read so far end."""
        return self._clock.end_seconds

    @property
    def broke_off(self) -> bool:
        """Whether damage was met so far, or the file ended before the end that it declares."""
        return self._is_cut_short or self._damaged_packets > 0

    def samples(self) -> Iterator[Sample]:
        """Frames in the order in which they are shown.

        Raises NoFrames if there is not one, VideoTooLong, and as the class.
        """
        with self._errors_named():
            yield from self._samples()

    def _samples(self) -> Iterator[Sample]:
        next_seconds, last_seconds = 0.0, -1.0
        passed: tuple[float, VideoFrame] | None = None
        for frame in self._frames():
            at_seconds = self._clock.at(frame.pts if frame.pts is not None else frame.dts, frame.duration)
            if at_seconds > self._limits.max_duration_seconds:
                raise VideoTooLong(f"More than {self._limits.max_duration_seconds / 3600:g} hours of video.")
            if passed and at_seconds - passed[0] >= _STILL_SECONDS:
                yield from self._sample(*passed)
            is_new_scene = frame.key_frame and at_seconds >= last_seconds + _KEY_FRAME_SECONDS
            passed = (at_seconds, frame)
            if is_new_scene or at_seconds + _TINY >= next_seconds:
                step = int((at_seconds + _TINY) * self._samples_per_second)
                next_seconds = (step + 1) / self._samples_per_second
                last_seconds, passed = at_seconds, None
                yield from self._sample(at_seconds, frame)
        if last_seconds < 0:
            raise NoFrames
        self._look_for_the_end()

    def _sample(self, at_seconds: float, frame: VideoFrame) -> Iterator[Sample]:
        """The frame; nothing if its pixels are of a kind that cannot be shown."""
        from av.video.reformatter import Colorspace

        self._check_pixels(frame.width, frame.height)
        try:
            rgb = self._to_rgb.reformat(frame, format="rgb24", src_colorspace=Colorspace.ITU601)
        except (self._av.FFmpegError, ValueError) as error:
            self._count_damage(error)
            return
        yield _upright(at_seconds, cast(Pixels, rgb.to_ndarray()), degrees=frame.rotation)

    def _open(self) -> InputContainer:
        options = {
            "format_whitelist": CONTAINERS,
            "codec_whitelist": CODECS,
            "protocol_whitelist": "none",
            "max_pixels": self._most_coded_pixels(),
        }
        # Without a name there is no folder to start from, and every other file is asked of `_refuse`.
        container: InputContainer = self._av.open(
            self._file,
            mode="r",
            options=options,
            io_open=_refuse,
            timeout=_STEP_SECONDS,
            metadata_errors="ignore",
        )
        return container

    def _video_stream(self) -> VideoStream:
        """The stream that a player would show. Raises AudioOnly, NoFrames, UnknownFormat, TooManyPixels."""
        from av.stream import Disposition

        streams = self._container.streams
        moving = [one for one in streams.video if not one.disposition & Disposition.attached_pic]
        if not moving:
            raise AudioOnly if streams.audio else NoFrames
        best = streams.best("video")
        stream = next((one for one in moving if one is best), moving[0])
        context = stream.codec_context
        if context is None or context.name not in CODECS.split(","):
            raise UnknownFormat("The video is coded in a way that is not read here.")
        self._check_pixels(context.width, context.height)
        context.options = {"max_pixels": self._most_coded_pixels()}
        context.thread_type = "AUTO"
        context.thread_count = self._limits.threads
        return stream

    def _most_coded_pixels(self) -> str:
        """FFmpeg's own limit, checked before it reserves memory; it counts the sides in whole blocks."""
        return str(2 * self._limits.max_pixels + (1 << 16))

    def _check_pixels(self, width: int, height: int) -> None:
        if width * height > self._limits.max_pixels or max(width, height) > MAX_SIDE:
            most = self._limits.max_pixels // MEGAPIXEL
            raise TooManyPixels(f"A frame has {width} x {height} pixels; at most {most} megapixels are read.")

    def _frames(self) -> Iterator[VideoFrame]:
        """The decoder's frames, without those between samples that no other frame refers to."""
        context = self._stream.codec_context
        for packet in self._packets():
            # Half of the time would go into frames that nobody looks at.
            context.skip_frame = "DEFAULT" if self._is_wanted(packet) else "NONREF"
            yield from self._decoded(packet)
        yield from self._decoded(None)

    def _packets(self) -> Iterator[Packet[Any]]:
        packets, count = self._container.demux(), 0
        while True:
            try:
                packet = next(packets, None)
            except self._av.FFmpegError as error:  # a file that ends too early, or nonsense between packets
                self._count_damage(error)
                return
            if packet is None:
                return
            if not packet.size:  # PyAV's own mark of the end
                continue
            count += 1
            if count > self._limits.max_packets:
                raise VideoTooLong("The video is cut into more packets than are read.")
            self._hear(packet)
            if packet.stream_index == self._stream.index:
                yield packet

    def _decoded(self, packet: Packet[Any] | None) -> list[VideoFrame]:
        try:
            return self._stream.codec_context.decode(packet)
        except self._av.FFmpegError as error:
            self._count_damage(error)
            return []

    def _count_damage(self, error: Exception) -> None:
        """Passes over damage. Raises what is none (memory, time), and DamagedFile for too much of it."""
        if isinstance(error, MemoryError | self._av.error.ExitError):
            raise error
        self._damaged_packets += 1
        if self._damaged_packets > _DAMAGED_PACKETS:
            raise DamagedFile("The video is damaged.") from error

    def _is_wanted(self, packet: Packet[Any]) -> bool:
        """Whether the frame in this packet may be looked at: the first in its second, or one that stays."""
        start = self._clock.start
        if start is None or packet.pts is None or packet.is_keyframe or not self._rate:
            return True
        at_seconds = float((packet.pts - start) * packet.time_base) + _TINY
        lasts_seconds = float((packet.duration or 0) * packet.time_base)
        return self._clock.has_seams or lasts_seconds >= _STILL_SECONDS or at_seconds % 1.0 < 2 / self._rate

    def _hear(self, packet: Packet[Any]) -> None:
        """Notes how far any stream goes: sound may outlast the frames."""
        if packet.pts is not None and packet.time_base:
            end = float((packet.pts + (packet.duration or 0)) * packet.time_base)
            self._heard_seconds = max(self._heard_seconds, end - (self._container.start_time or 0) / 1e6)

    def _look_for_the_end(self) -> None:
        declared = (self._container.duration or 0) / 1e6
        if self._container.format.name == "avi" and self._rate:  # FFmpeg counts only what is there
            declared = self._stream.frames / self._rate
        if not self._clock.has_seams:
            missing = declared - max(self._heard_seconds, self.end_seconds)
            self._is_cut_short = missing > max(_MISSING_SECONDS, _MISSING_SHARE * declared)

    @contextmanager
    def _errors_named(self) -> Iterator[None]:
        """Names what FFmpeg and PyAV raise: whatever a broken byte leads to is the file's fault."""
        try:
            yield
        except NotFingerprintable:
            raise
        except MemoryError as error:
            raise DecoderCrashed("Reading the video needs more memory than is allowed.") from error
        except _OtherFile as error:
            raise UnknownFormat("This is a list of other files, not a video.") from error
        except self._av.error.ExitError as error:
            raise DecodeTimedOut from error
        except OSError as error:
            if isinstance(error, self._av.FFmpegError):
                raise DamagedFile("The video is damaged.") from error
            raise  # the disk, not the file
        except Exception as error:
            raise DamagedFile("The video is damaged.") from error


class _OtherFile(Exception):
    """FFmpeg wanted to open something beside the file that it was given."""


class _Nameless:
    """A file without its name and descriptor: what FFmpeg is given to read. Knows how far it was read."""

    def __init__(self, file: BinaryIO) -> None:
        self.read, self.seek, self.tell = file.read, file.seek, file.tell
        self.size = file.seek(0, os.SEEK_END)
        file.seek(0)


def _refuse(url: str, flags: int, options: dict[str, str]) -> NoReturn:
    raise _OtherFile


def _upright(at_seconds: float, rgb: Pixels, *, degrees: int) -> Sample:
    """degrees: how far the stored frame is turned against the clock to be shown."""
    quarters = round(degrees / 90) % 4
    # FFmpeg's rows end with padding, so that even an unturned frame may not be contiguous.
    return Sample(at_seconds, np.ascontiguousarray(np.rot90(rgb, quarters)), _STORED_TURNS[quarters])
