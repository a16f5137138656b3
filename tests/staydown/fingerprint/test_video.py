"""Videos give the codes of their distinct frames, few enough to keep, and no trouble that has no name."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from staydown.fingerprint import (
    EmptyFile,
    FileTooLarge,
    Fingerprint,
    QueryLevel,
    TooSmall,
    UnknownFormat,
    digest_file,
    distance_bits,
)
from staydown.fingerprint.errors import AudioOnly, NotAFile
from staydown.fingerprint.kernel import photo_codes
from staydown.fingerprint.video import DEFAULT_FRAME_SET, FRAME_SETS, fingerprint_video, query_video
from staydown.fingerprint.video_limits import DEFAULT_VIDEO_LIMITS
from staydown.fingerprint.views import is_derivation
from tests.staydown.fingerprint.files import jpeg
from tests.staydown.fingerprint.films import HEIGHT, WIDTH, film, scene, scenes, sound_only, turned


def _codes(video: Any, derivation: str = "full") -> dict[float, Fingerprint]:
    """The code of each frame, by time."""
    return {
        frame.at_seconds: frame.fingerprint
        for frame in video.frames
        if frame.fingerprint.derivation == derivation
    }


def _bits(a: Fingerprint, b: bytes) -> int:
    return (int.from_bytes(a.code) ^ int.from_bytes(b)).bit_count()


def test_distinct_frames_are_registered_with_their_times_and_views() -> None:
    # Given three scenes of two seconds
    data = film(scenes(1, 2, 3, seconds=2))

    # When the video is read
    video = fingerprint_video(data)

    # Then each scene is there once, whole and in every view, each also mirrored
    assert list(video.by_time()) == [0, 2, 4]
    assert {tuple(code.derivation for code in codes) for codes in video.by_time().values()} == {
        tuple(FRAME_SETS[DEFAULT_FRAME_SET].derivations["pdq"])  # type: ignore[index]
    }
    for at_seconds, seed in ((0, 1), (2, 2), (4, 3)):
        original = photo_codes(scene(seed)).pdq
        assert _bits(_codes(video)[at_seconds], original.code()) <= 16
        assert _bits(_codes(video, "fH")[at_seconds], original.code("fH")) <= 16
    assert (video.media, video.width, video.height) == ("video", WIDTH, HEIGHT)
    assert video.duration_seconds == pytest.approx(6.0)
    assert video.digests == digest_file(data)
    assert not video.broke_off


def test_registered_names_are_derivations_with_times() -> None:
    names = [
        code.derivation for code in fingerprint_video(film(scenes(1, 2)), derive="frames2").registrable()
    ]
    assert names == ["@0.000", "@0.000~fH", "@1.000", "@1.000~fH"]
    assert all(is_derivation(name) for name in names)


def test_long_video_is_registered_by_frames_from_all_over() -> None:
    # Given forty seconds in which each is unlike the others, and a wish for ten frames
    limits = replace(DEFAULT_VIDEO_LIMITS, max_frames=10)
    video = fingerprint_video(film(scenes(*range(40))), limits=limits, derive="plain")

    # Then ten are kept, from the first to the last seconds
    times = [frame.at_seconds for frame in video.frames]
    assert len(times) == 10
    assert times[0] == 0
    assert times[-1] > 35
    assert max(np.diff(times)) < 9
    assert video.looked_at >= 40


def test_frames_without_detail_are_not_registered_and_the_digests_serve() -> None:
    # Given a grey video, and one with a single scene among grey
    grey = np.full((HEIGHT, WIDTH, 3), 120, np.uint8)
    video = fingerprint_video(film([grey] * 30))
    mixed = fingerprint_video(film([*[grey] * 10, *scenes(1), *[grey] * 10]))

    # Then nothing is registered of the grey
    assert (video.frames, video.registrable(), video.looked_at) == ((), (), 3)
    assert video.digests.sha256
    assert list(mixed.by_time()) == [1]


def test_video_from_a_turned_phone_is_registered_upright_and_as_it_is_stored() -> None:
    # Given a video with the note that the phone was turned
    plain = film(scenes(1))
    video = fingerprint_video(turned(plain, degrees=90))

    # Then what other tools see, who ignore the note, is registered too
    assert (video.width, video.height) == (HEIGHT, WIDTH)
    stored = next(iter(_codes(fingerprint_video(plain)).values()))
    assert distance_bits(_codes(video, "r90")[0], stored) <= 31
    upright = photo_codes(np.ascontiguousarray(np.rot90(scene(1), -1))).pdq.code()
    assert _bits(_codes(video)[0], upright) <= 16


@pytest.mark.parametrize("size", [(150, 94), (62, 34), (6, 6), (322, 6)])
def test_frames_of_any_width_are_read(size: tuple[int, int]) -> None:
    # Given frames whose rows FFmpeg fills up
    data = film([scene(1, *size)] * 3, codec="mpeg4")
    video = fingerprint_video(data)

    # Then every frame is looked at, in both ways
    assert (video.width, video.height, video.looked_at) == (*size, 1)
    assert query_video(data).looked_at == 1


def test_query_looks_inside_bars() -> None:
    # Given a video, and the same between black bars
    original = fingerprint_video(film(scenes(1, 2)), derive="plain")
    barred = [np.pad(pixels, ((20, 20), (0, 0), (0, 0))) for pixels in scenes(1, 2)]
    found = query_video(film(barred))

    # Then what is inside the bars meets the original, and the whole does not
    for at_seconds, code in _codes(original).items():
        assert distance_bits(_codes(found, "strip")[at_seconds], code) <= 31
        assert distance_bits(_codes(found)[at_seconds], code) > 31


def test_query_of_a_screen_recording_keeps_the_frames_that_differ_inside() -> None:
    # Given a small video within a large still surface
    def on_screen(pixels: Any) -> Any:
        screen = np.full((600, 400, 3), 250, np.uint8)
        screen[20:28, 30:200] = 30
        screen[240:360, 120:280] = pixels
        return screen

    # When it is looked up
    found = query_video(film([on_screen(pixels) for pixels in scenes(1, 2, 3)]))

    # Then each scene is there, though the whole hardly changes
    assert list(found.by_time()) == [0, 1, 2]


def test_query_looks_at_more_frames_than_are_registered() -> None:
    # Given a video in which each quarter of a second is unlike the others
    data = film(scenes(*range(20), seconds=0.25, rate=20), rate=20, sc_threshold="0")

    # Then one frame a second is registered, and all that differ are looked up
    assert list(fingerprint_video(data).by_time()) == [0, 1, 2, 3, 4]
    assert list(query_video(data).by_time()) == [n / 4 for n in range(20)]
    limits = replace(DEFAULT_VIDEO_LIMITS, max_query_frames=7)
    assert len(query_video(data, limits=limits).by_time()) == 7


def test_plain_query_has_one_code_a_frame() -> None:
    found = query_video(film(scenes(1, 2)), level=QueryLevel.PLAIN)
    assert [(one.at_seconds, one.fingerprint.derivation) for one in found.frames] == [
        (0, "full"),
        (1, "full"),
    ]


def test_path_bytes_and_open_file_give_the_same(tmp_path: Path) -> None:
    data = film(scenes(1, 2))
    path = tmp_path / "film.mp4"
    path.write_bytes(data)
    expected = fingerprint_video(data)
    assert fingerprint_video(path) == expected
    assert fingerprint_video(str(path)) == expected
    assert fingerprint_video(io.BytesIO(data)) == expected
    with path.open("rb") as file:
        file.seek(1000)
        assert fingerprint_video(file) == expected


def test_progress_rises_to_one() -> None:
    told: list[float] = []
    fingerprint_video(film(scenes(*range(12))), progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert len(told) >= 12


def test_error_of_the_callers_progress_ends_the_work_and_goes_to_the_caller() -> None:
    def stop(fraction: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fingerprint_video(film(scenes(1, 2)), progress=stop)


def test_what_is_no_video_is_named(tmp_path: Path) -> None:
    with pytest.raises(EmptyFile):
        fingerprint_video(b"")
    with pytest.raises(UnknownFormat):
        fingerprint_video(jpeg())
    with pytest.raises(AudioOnly):
        fingerprint_video(sound_only())
    with pytest.raises(TooSmall):
        fingerprint_video(film([np.zeros((4, 4, 3), np.uint8)] * 3, codec="mpeg4"))
    with pytest.raises(NotAFile):
        fingerprint_video(tmp_path)
    with pytest.raises(FileNotFoundError):
        fingerprint_video(tmp_path / "nothing.mp4")
    with pytest.raises(FileTooLarge):
        fingerprint_video(bytes(11), limits=replace(DEFAULT_VIDEO_LIMITS, max_bytes_in_memory=10))
    with pytest.raises(KeyError):
        fingerprint_video(film(scenes(1)), derive="unknown")


def test_codes_are_in_no_log(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    # Given a damaged video, about which FFmpeg has much to say
    data = bytearray(film(scenes(1, 2, 3), g="1"))
    data[3000:3400] = bytes(400)
    video = fingerprint_video(bytes(data))

    # Then nothing was printed or logged
    assert video.frames
    assert caplog.text == ""
    assert capfd.readouterr() == ("", "")
