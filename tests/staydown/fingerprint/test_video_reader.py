"""Frames come out upright and at their times; damage is survived or named; no other file is ever opened."""

from __future__ import annotations

import io
import socket
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import av
import numpy as np
import pytest

from staydown.fingerprint import NotFingerprintable, TooManyPixels, UnknownFormat, video_reader
from staydown.fingerprint.errors import AudioOnly, DamagedFile, NoFrames, VideoTooLong, VideoUnavailable
from staydown.fingerprint.video_limits import DEFAULT_VIDEO_LIMITS, VideoLimits
from staydown.fingerprint.video_reader import Sample, VideoReader
from tests.staydown.fingerprint.films import film, scene, scenes, sound_only, turned


def _read(
    data: bytes | BinaryIO, limits: VideoLimits = DEFAULT_VIDEO_LIMITS
) -> tuple[list[Sample], VideoReader]:
    file = io.BytesIO(data) if isinstance(data, bytes) else data
    with closing(VideoReader(file, limits=limits)) as reader:
        return list(reader.samples()), reader


def _times(data: bytes) -> list[float]:
    return [round(sample.at_seconds, 3) for sample in _read(data)[0]]


def _shows(sample: Sample, seed: int) -> bool:
    """Whether this is that scene, as far as the codec keeps it."""
    wanted = scene(seed, *sample.pixels.shape[1::-1]).astype(int)
    return float(np.abs(sample.pixels - wanted).mean()) < 12


# ---- which frames, and when ----------------------------------------------------------------------


def test_one_frame_a_second_is_read_with_its_time() -> None:
    # Given five scenes of a second each, coded with one key frame
    samples, reader = _read(film(scenes(1, 2, 3, 4, 5), sc_threshold="0"))

    # Then each second gives its scene
    assert [sample.at_seconds for sample in samples] == [0, 1, 2, 3, 4]
    assert all(_shows(sample, 1 + number) for number, sample in enumerate(samples))
    assert reader.end_seconds == pytest.approx(5.0)
    assert not reader.broke_off


def test_key_frame_between_seconds_is_read_too_but_not_every_one() -> None:
    # Given a cut in the middle of a second, which the encoder marks with a key frame
    cut = film(scenes(1, 2, seconds=1.5), preset="veryfast")
    # and a video of key frames only
    only_key_frames = film(scenes(1, 2), g="1")

    # Then the first frame after the cut is read, and of many key frames no more than four a second
    assert _times(cut) == [0, 1, 1.5, 2]
    assert _times(only_key_frames) == [0, 0.3, 0.6, 0.9, 1, 1.3, 1.6, 1.9]


def test_frames_that_nobody_looks_at_change_nothing() -> None:
    # Given a video with frames that no other refers to, which are left out between seconds
    data = film(scenes(1, 2, 3, rate=25), rate=25, sc_threshold="0", bf="2", preset="fast")

    # Then the ones that are read are there
    samples, _ = _read(data)
    assert [round(sample.at_seconds, 2) for sample in samples] == [0, 1, 2]
    assert all(_shows(sample, 1 + number) for number, sample in enumerate(samples))


def test_frames_of_uneven_length_have_the_times_at_which_they_are_shown() -> None:
    # Given slides: one for less than half a second, one for almost three
    data = film([scene(seed) for seed in range(5)], times=[0, 0.4, 3.1, 3.2, 9.9], g="1")

    # Then those that stay are read though no second begins with them, and the short one is not
    assert _times(data) == [0, 0.4, 3.1, 3.2, 9.9]
    assert _times(film(scenes(1, 2, 3, seconds=0.2), rate=10, g="9", sc_threshold="0")) == [0]


@pytest.mark.parametrize(
    ("kind", "codec"),
    [
        ("matroska", "libx264"),
        ("webm", "libvpx-vp9"),
        ("avi", "mpeg4"),
        ("mpegts", "libx264"),
        ("flv", "flv"),
        ("mpeg", "mpeg2video"),
        ("asf", "wmv2"),
        ("mov", "mjpeg"),
    ],
)
def test_other_containers_and_codecs_are_read(kind: str, codec: str) -> None:
    samples, reader = _read(film(scenes(1, 2, 3, rate=25), rate=25, kind=kind, codec=codec))
    assert [any(_shows(sample, seed) for sample in samples) for seed in (1, 2, 3)] == [True] * 3
    assert all(_shows(sample, 1 + int(sample.at_seconds + 0.001)) for sample in samples)
    assert reader.end_seconds == pytest.approx(3.0, abs=0.1)
    assert not reader.broke_off


def test_stream_without_timestamps_is_read_by_its_rate() -> None:
    samples, reader = _read(film(scenes(1, 2, 3, rate=25), rate=25, kind="mpeg1video", codec="mpeg1video"))
    assert _shows(samples[0], 1)
    assert _shows(samples[-1], 3)
    assert reader.end_seconds == pytest.approx(3.0, abs=0.1)


def test_video_of_one_frame_is_read() -> None:
    samples, reader = _read(film([scene(1)]))
    assert [sample.at_seconds for sample in samples] == [0]
    assert not reader.broke_off


# ---- what its pixels are -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("degrees", "quarters", "turn"), [(90, -1, "r90"), (180, 2, "r180"), (270, 1, "r270")]
)
def test_video_from_a_turned_phone_is_upright(degrees: int, quarters: int, turn: str) -> None:
    # Given the same frames with and without the note that the phone was turned
    plain = film(scenes(1))
    [upright, *_], _ = _read(turned(plain, degrees=degrees))
    [stored, *_], _ = _read(plain)

    # Then they are turned clockwise by so much, and it is told which turn of them is stored
    assert np.array_equal(upright.pixels, np.rot90(stored.pixels, quarters))
    assert upright.stored_turn == turn
    assert upright.pixels.flags.c_contiguous
    assert stored.stored_turn == "full"


def test_colours_are_converted_by_bt601_whatever_the_video_is_tagged_with() -> None:
    # Given a film, and the same file tagged as BT.709
    untagged = film(scenes(1), codec="libx264")
    tagged = film(
        scenes(1), codec="libx264", **{"x264-params": "colormatrix=bt709:colorprim=bt709:transfer=bt709"}
    )
    with av.open(io.BytesIO(tagged)) as opened:
        assert opened.streams.video[0].codec_context.colorspace == 1  # BT.709

    # Then both give the same pixels, as `vpdq` does
    assert np.array_equal(_read(untagged)[0][0].pixels, _read(tagged)[0][0].pixels)


# ---- what is no video, and limits ----------------------------------------------------------------


@pytest.mark.parametrize("kind", ["mp4", "matroska", "ogg"])
def test_sound_without_pictures_is_named(kind: str) -> None:
    with pytest.raises(AudioOnly):
        _read(sound_only(kind))


def test_sound_with_a_cover_picture_is_no_video() -> None:
    # Given a song whose cover is stored as a video stream of one frame
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as out:
        sound: Any = out.add_stream("aac", rate=48_000)
        cover: Any = out.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 160, 120, "yuvj420p"
        cover.disposition = 1024  # attached picture
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 960), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 48_000
        out.mux([*cover.encode(av.VideoFrame.from_ndarray(scene(1), "rgb24")), *cover.encode()])
        out.mux([*sound.encode(frame), *sound.encode()])

    # Then it is not read as one frame of video
    with av.open(io.BytesIO(file.getvalue())) as opened:
        assert len(opened.streams.video) == 1
    with pytest.raises(AudioOnly):
        _read(file.getvalue())


@pytest.mark.parametrize(
    "data",
    [b"", b"Text.", b"\x89PNG\r\n\x1a\n" + bytes(99), b"#EXTM3U\n", b"ffconcat version 1.0\n", b"\0" * 9000],
)
def test_what_is_no_video_is_named_without_asking_ffmpeg(
    data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(av, "open", None)
    with pytest.raises(UnknownFormat):
        _read(data)


@pytest.mark.parametrize(("kind", "codec"), [("avi", "cinepak"), ("matroska", "ffv1"), ("avi", "rawvideo")])
def test_codec_that_is_not_named_is_refused(kind: str, codec: str) -> None:
    options = {"pix_fmt": "rgb24"} if codec == "cinepak" else {}
    file = io.BytesIO()
    with av.open(file, "w", format=kind) as out:
        stream: Any = out.add_stream(codec, rate=10, width=160, height=120, **options)
        stream.pix_fmt = "rgb24" if codec == "cinepak" else "yuv420p"
        for _ in range(3):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(scene(1), "rgb24")))
        out.mux(stream.encode())
    with pytest.raises(UnknownFormat, match="coded in a way"):
        _read(file.getvalue())


def test_limits_are_named() -> None:
    data = film(scenes(1, 2, 3))
    for limits, error in [
        (replace(DEFAULT_VIDEO_LIMITS, max_pixels=160 * 120 - 1), TooManyPixels),
        (replace(DEFAULT_VIDEO_LIMITS, max_duration_seconds=1.5), VideoTooLong),
        (replace(DEFAULT_VIDEO_LIMITS, max_packets=20), VideoTooLong),
    ]:
        with pytest.raises(error):
            _read(data, limits)
    assert len(_read(data, replace(DEFAULT_VIDEO_LIMITS, max_packets=30, max_pixels=160 * 120))[0]) == 3


def test_stream_that_never_ends_is_named_when_it_has_been_read_for_long_enough() -> None:
    # Given a stream that goes on for ever: the same hour again and again, as much of it as anybody reads
    packet_bytes = film(scenes(1, 2), kind="mpegts")

    class Endless(io.RawIOBase):
        """Repeats a recording; has no end that a seek could find."""

        def __init__(self) -> None:
            self.place = 0

        def readable(self) -> bool:
            return True

        def seekable(self) -> bool:
            return True

        def seek(self, offset: int, whence: int = 0) -> int:
            self.place = offset if whence == 0 else (1 << 62 if whence == 2 else self.place + offset)
            return self.place

        def tell(self) -> int:
            return self.place

        def read(self, count: int = -1) -> bytes:
            start = self.place % len(packet_bytes)
            part = packet_bytes[start : start + count]
            self.place += len(part)
            return part

    # Then reading ends with a name
    limits = replace(DEFAULT_VIDEO_LIMITS, max_duration_seconds=30, max_packets=5000)
    with pytest.raises(VideoTooLong):
        _read(Endless(), limits)  # type: ignore[arg-type]


def test_missing_library_is_the_fault_of_the_installation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("staydown.fingerprint.video_source.find_spec", lambda name: None)
    with pytest.raises(VideoUnavailable, match="extra"):
        _read(film(scenes(1)))


# ---- damage --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["mp4", "matroska", "avi", "mpegts"])
def test_video_that_breaks_off_gives_what_could_be_read_and_says_so(kind: str) -> None:
    # Given six seconds of which the last part is missing
    options = {"movflags": "faststart"} if kind == "mp4" else {}
    data = film(
        scenes(1, 2, 3, 4, 5, 6),
        kind=kind,
        muxer_options=options,
        codec="mpeg4" if kind == "avi" else "libx264",
    )
    samples, reader = _read(data[: len(data) * 6 // 10])

    # Then the first scenes are there
    assert 2 <= len({round(sample.at_seconds) for sample in samples}) <= 4
    assert _shows(samples[0], 1)
    if kind != "mpegts":  # a stream declares no end
        assert reader.broke_off


def test_sound_that_outlasts_the_pictures_is_no_damage() -> None:
    _, reader = _read(film(scenes(1, 2), sound_seconds=6.0))
    assert reader.end_seconds == pytest.approx(2.0)
    assert not reader.broke_off


def test_mp4_without_its_table_is_damaged() -> None:
    # Given an MP4 whose table, at the end, was cut off
    data = film(scenes(1, 2, 3))
    with pytest.raises(DamagedFile):
        _read(data[: data.index(b"moov") - 4])


def test_video_with_holes_gives_what_is_whole_or_is_named() -> None:
    # Given sixty files with noise written over some part
    data = film(scenes(1, 2, 3, 4), g="10")
    rng = np.random.default_rng(7)
    read = named = 0
    for _ in range(60):
        holed = bytearray(data)
        for _ in range(int(rng.integers(1, 6))):
            start, size = int(rng.integers(24, len(data))), int(rng.integers(1, 400))
            holed[start : start + size] = rng.integers(
                0, 256, len(holed[start : start + size]), np.uint8
            ).tobytes()

        # Then each gives frames or a name, and nothing else happens
        try:
            samples, _ = _read(bytes(holed))
            read += bool(samples)
        except NotFingerprintable:
            named += 1
    assert read + named == 60
    assert read > 20


def test_too_much_damage_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a video whose packets are all noise, and little patience
    data = bytearray(film(scenes(1, 2, 3, 4), g="1"))
    start, end = data.index(b"mdat") + 4, data.index(b"moov") - 4
    data[start + 200 : end] = np.random.default_rng(1).integers(0, 256, end - start - 200, np.uint8).tobytes()
    monkeypatch.setattr(video_reader, "_DAMAGED_PACKETS", 3)

    # Then reading is given up
    with pytest.raises((DamagedFile, NoFrames)):
        _read(bytes(data))


def test_error_of_the_disk_is_not_blamed_on_the_file() -> None:
    class Failing(io.BytesIO):
        def read(self, count: int | None = -1) -> bytes:
            if self.tell() > 20_000:
                raise OSError(5, "the disk failed")
            return super().read(count)

    with pytest.raises(OSError, match="disk failed"):
        _read(Failing(film(scenes(1, 2, 3, 4, 5))))


# ---- no other file and no address ----------------------------------------------------------------


@pytest.fixture(name="listener")
def _listener() -> Any:
    """A server that waits for a visit."""
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(0.2)
    yield server
    server.close()


def _was_visited(server: socket.socket) -> bool:
    try:
        server.accept()[0].close()
    except TimeoutError:
        return False
    return True


@pytest.mark.parametrize(
    "text",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{url}\n#EXT-X-ENDLIST\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{path}\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile '{path}'\n",
        "ffconcat version 1.0\nfile '{url}'\n",
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
        'mediaPresentationDuration="PT9S"><Period><AdaptationSet contentType="video"><Representation id="1" '
        'bandwidth="1"><BaseURL>{url}</BaseURL></Representation></AdaptationSet></Period></MPD>',
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nt=0 0\nm=video {port} RTP/AVP 96\n"
        "a=rtpmap:96 H264/90000\n",
        "[reference]\nref1={url}\n",
        "<asx version='3.0'><entry><ref href='{url}'/></entry></asx>",
    ],
    ids=[
        "HLS to an address",
        "HLS to a file",
        "concat of a file",
        "concat of an address",
        "DASH",
        "SDP",
        "ref",
        "ASX",
    ],
)
@pytest.mark.parametrize(
    "head", [b"", b"\0\0\0\x14ftypisom\0\0\0\0isom"], ids=["as it is", "disguised as MP4"]
)
def test_list_of_other_files_opens_none_even_if_it_is_taken_for_a_video(
    text: str, head: bytes, listener: socket.socket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a list that leads to a good video beside it or to an address, and nothing that looks at it first
    monkeypatch.setattr(video_reader, "is_video", lambda data: True)
    (tmp_path / "good.mp4").write_bytes(film(scenes(1, 2)))
    port = listener.getsockname()[1]
    url = f"http://127.0.0.1:{port}/film.mp4"
    listing = head + text.format(url=url, port=port, path=tmp_path / "good.mp4").encode()
    (tmp_path / "list.m3u8").write_bytes(listing)

    # When it is read, from bytes or from a file that has a name; Then nothing of it is followed
    with pytest.raises(NotFingerprintable):
        _read(listing)
    with (tmp_path / "list.m3u8").open("rb") as file, pytest.raises(NotFingerprintable):
        _read(file)
    assert not _was_visited(listener)


def test_mp4_that_keeps_its_frames_in_another_file_is_not_followed(tmp_path: Path) -> None:
    # Given an MP4 that says that its frames lie in another file (ISO/IEC 14496-12, 8.7.2: flag 1 is "here")
    data = film(scenes(1, 2), muxer_options={"movflags": "faststart"})
    (tmp_path / "other.mp4").write_bytes(data)
    location = f"file://{tmp_path}/other.mp4".encode() + b"\0"
    here = b"\0\0\0\x0curl \0\0\0\x01"
    assert here in data
    elsewhere = (12 + len(location)).to_bytes(4) + b"url \0\0\0\0" + location
    opened: list[str] = []

    def spy(url: str, flags: int, options: dict[str, str]) -> None:
        opened.append(url)
        raise AssertionError(url)

    # When it is read with a spy in the place of the one who refuses
    lengthened = bytearray(data.replace(here, elsewhere))
    for box in (b"dref", b"dinf", b"minf", b"mdia", b"trak", b"moov"):
        place = lengthened.index(box) - 4
        size = int.from_bytes(lengthened[place : place + 4]) + len(elsewhere) - len(here)
        lengthened[place : place + 4] = size.to_bytes(4)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(video_reader, "_refuse", spy)
        with suppress(NotFingerprintable):
            _read(bytes(lengthened))

    # Then nothing was asked for
    assert opened == []


def test_request_for_another_file_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a demuxer that asks for another file, as those that are not on our list do
    data = film(scenes(1))

    def ask(file: object, *, io_open: Any, **options: Any) -> None:
        io_open("http://127.0.0.1:9/film.ts", 1, {})

    monkeypatch.setattr(av, "open", ask)
    with pytest.raises(UnknownFormat, match="list of other files"):
        _read(data)
