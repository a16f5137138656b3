"""Moving pictures and files of several pictures: what a viewer sees is taken, within limits."""

import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from staydown.fingerprint import DecodedPicture, DecodeLimits, NotFingerprintable, TooManyPixels
from staydown.fingerprint.decode import decode_frames, decode_picture
from staydown.fingerprint.errors import DamagedFile, DecoderCrashed
from tests.staydown.fingerprint.comparing import distance
from tests.staydown.fingerprint.files import encoded, jpeg, webp_claim
from tests.staydown.fingerprint.odd_files import gif, gif_image, moving, mpo, png, segment, with_segments
from tests.staydown.fingerprint.pictures import Pixels, picture

SCENES = [picture(kind, 120, 90, seed=seed) for kind, seed in (("landscape", 1), ("checks", 9), ("ramp", 3))]
SEEDS = Path(__file__).parents[2] / "vectors" / "fuzz-seeds"
MOVING = ("GIF", "PNG", "WEBP", "AVIF")


def _images(scenes: Sequence[Pixels]) -> list[Image.Image]:
    return [Image.fromarray(scene) for scene in scenes]


def _several(image_format: str) -> bytes:
    if image_format == "MPO":
        return mpo(*(encoded(scene, "JPEG") for scene in SCENES * 2))
    return moving(_images(SCENES * 2), image_format, duration=600)


def _frames(data: bytes, **limits: float) -> list[DecodedPicture]:
    return list(decode_frames(data, limits=DecodeLimits(**limits)))  # type: ignore[arg-type]


# ---- moving pictures -----------------------------------------------------------------------------


@pytest.mark.parametrize("image_format", MOVING)
def test_frames_come_with_their_times(image_format: str) -> None:
    # Given three scenes of different lengths
    data = moving(_images(SCENES), image_format, duration=[700, 1200, 500], quality=95)

    # Then each is taken at its time, as it is shown
    frames = _frames(data)
    assert [round(frame.at_seconds, 3) for frame in frames] == [0.0, 0.7, 1.9]
    for frame, scene in zip(frames, SCENES, strict=True):
        assert (frame.width, frame.height, frame.step) == (120, 90, 1)
        assert np.abs(frame.pixels().astype(int) - scene).mean() < 20


@pytest.mark.parametrize("image_format", MOVING)
def test_first_frame_is_what_decode_picture_gives(image_format: str) -> None:
    data = moving(_images(SCENES), image_format, duration=700)
    assert np.array_equal(_frames(data)[0].pixels(), decode_picture(data).pixels())


@pytest.mark.parametrize("image_format", MOVING)
def test_frames_stay_what_they_were_when_later_ones_are_read(image_format: str) -> None:
    # Given frames that are all held at once, and the same read one by one
    data = moving(_images(SCENES), image_format, duration=700)
    one_by_one = [frame.pixels() for frame in decode_frames(data)]

    # Then they are the same
    for held, alone in zip(_frames(data), one_by_one, strict=True):
        assert np.array_equal(held.pixels(), alone)


@pytest.mark.parametrize("image_format", MOVING)
def test_frames_that_hurry_past_are_sampled_and_the_one_that_stays_is_taken(image_format: str) -> None:
    # Given twelve frames of 100 ms of two scenes, then one that stays
    flicker = [SCENES[n % 2] for n in range(12)]
    data = moving(_images([*flicker, SCENES[2]]), image_format, duration=[100] * 12 + [3000])

    # Then a frame is taken every half second, and the last one
    frames = _frames(data)
    assert [round(frame.at_seconds, 3) for frame in frames] == [0.0, 0.5, 1.0, 1.2]
    assert np.abs(frames[-1].pixels().astype(int) - SCENES[2]).mean() < 20


def test_frames_without_time_last_a_tenth_of_a_second() -> None:
    # Given a GIF that asks for no time between frames, as old ones do; a dot that moves keeps them apart
    scenes = [SCENES[0].copy() for _ in range(11)]
    for n, scene in enumerate(scenes):
        scene[n * 8 : n * 8 + 8, :9] = 255
    data = moving(_images(scenes), "GIF", duration=0)
    assert [round(frame.at_seconds, 3) for frame in _frames(data)] == [0.0, 0.5, 1.0]


@pytest.mark.parametrize("disposal", [0, 1, 2, 3])
def test_gif_is_composed_as_it_is_shown(disposal: int) -> None:
    # Given a second image that covers a corner, and a third another
    first, second, third = ((80, 80, 80), (0, 0, 0), (255, 255, 255))
    frames = [Image.new("RGB", (40, 30), first) for _ in range(3)]
    frames[1].paste(second, (0, 0, 20, 15))
    frames[2].paste(third, (20, 15, 40, 30))
    data = moving([frame.quantize(8) for frame in frames], "GIF", duration=600, disposal=disposal)

    # Then every frame comes out whole, whatever is stored of it
    for frame, expected in zip(_frames(data), frames, strict=True):
        assert np.abs(frame.pixels().astype(int) - np.asarray(expected)).max() <= 4


def test_part_of_a_gif_on_which_nothing_was_drawn_is_white() -> None:
    # Given a GIF whose images leave a margin; no colour of it is transparent
    small = encoded(Image.new("P", (20, 15), 1), "GIF")
    data = bytearray(small)
    data[6:10] = struct.pack("<HH", 40, 30)
    at = data.index(b"\x2c")
    data[at + 1 : at + 5] = struct.pack("<HH", 10, 5)
    inside = decode_picture(small).pixels()[0, 0]

    # Then the margin is white, in the picture and in the frame
    for read in (decode_picture(bytes(data)), *_frames(bytes(data))):
        pixels = read.pixels()
        assert (pixels[5:20, 10:30] == inside).all()
        assert (pixels == 255).all(axis=2).sum() == 40 * 30 - 20 * 15


def test_transparent_frames_lie_over_white() -> None:
    # Given an animated PNG whose second frame clears what was there
    full, empty = Image.new("RGBA", (40, 30), (9, 9, 9, 255)), Image.new("RGBA", (40, 30), (7, 7, 7, 0))
    data = moving([full, empty], "PNG", duration=600, blend=0, disposal=1)

    # Then it is white
    pixels = [frame.pixels() for frame in _frames(data)]
    assert (pixels[0] == 9).all()
    assert (pixels[1] == 255).all()


def test_picture_that_is_no_frame_of_its_animation_is_taken_too() -> None:
    # Given an animated PNG with a picture for programs that know no animation
    data = moving(_images([SCENES[2], *SCENES[:2]]), "PNG", duration=200, default_image=True)

    # Then that picture is taken, and the animation begins behind it
    assert [frame.at_seconds for frame in _frames(data)] == [0.0, 0.0]


# ---- several pictures ----------------------------------------------------------------------------


def test_pages_of_a_tiff_are_taken_each_in_its_size() -> None:
    small = picture("ramp", 50, 70)
    frames = _frames(moving(_images([SCENES[0], small]), "TIFF"))
    assert [(frame.width, frame.height) for frame in frames] == [(120, 90), (50, 70)]
    assert np.array_equal(frames[1].pixels(), small)


def test_images_of_a_heic_are_taken() -> None:
    frames = _frames((SEEDS / "heic-two-images.heic").read_bytes())
    expected = (picture("landscape", 64, 48), picture("checks", 64, 48))
    assert [distance(frame.pixels(), scene) <= 16 for frame, scene in zip(frames, expected, strict=True)]


def test_second_view_of_a_stereo_photo_is_taken_and_a_preview_is_not() -> None:
    # Given a JPEG with a picture of the same size behind it, and a smaller one
    small = Image.fromarray(SCENES[1]).resize((60, 45))
    data = mpo(*(encoded(view, "JPEG", quality=95) for view in (SCENES[0], small, SCENES[2])))

    # Then the smaller one, a preview or a map, is left out
    frames = _frames(data)
    assert len(frames) == 2
    assert np.abs(frames[1].pixels().astype(int) - SCENES[2]).mean() < 20


def test_reduced_stereo_photo_is_reduced_in_every_view() -> None:
    views = [Image.fromarray(picture("landscape", 1040, 1030, seed=seed)) for seed in (1, 2)]
    frames = list(decode_frames(moving(views, "MPO"), reduce=True))
    assert [frame.step for frame in frames] == [2, 2]


def test_index_that_points_into_the_void_leaves_the_first_picture() -> None:
    data = moving(_images(SCENES[:2]), "MPO")
    assert len(_frames(data[: len(data) // 2 + 1000])) == 1  # as after an edit that knew no index


def test_still_picture_is_its_only_frame() -> None:
    for image_format in ("JPEG", "BMP", *MOVING, "TIFF"):
        data = encoded(SCENES[0], image_format)
        (frame,) = _frames(data)
        assert np.array_equal(frame.pixels(), decode_picture(data).pixels())


# ---- limits and damage ---------------------------------------------------------------------------


@pytest.mark.parametrize("image_format", [*MOVING, "TIFF", "MPO"])
def test_no_more_frames_than_the_limit_are_taken(image_format: str) -> None:
    data = _several(image_format)
    assert len(_frames(data, max_frames=4)) == 4


@pytest.mark.parametrize("image_format", [*MOVING, "TIFF", "MPO"])
def test_frames_beyond_the_pixel_budget_are_not_looked_at(image_format: str) -> None:
    data = _several(image_format)
    assert len(_frames(data, max_frame_pixels=3 * 120 * 90)) == 3
    assert len(_frames(data, max_frame_pixels=1)) == 1  # the first one always has room


def test_image_that_enlarges_the_canvas_beyond_the_limit_ends_the_animation() -> None:
    # Given a GIF whose second image would make its canvas four thousand megapixels
    pixels = b"\x02\x8c\x2d\x99\x87"  # not enough for a picture; the size must be refused before
    first = gif_image(0, 0, 8, 8, disposal=2, blocks=_gif_blocks(8 * 8))
    data = gif(8, 8, first, gif_image(0, 0, 65_535, 65_535, disposal=2, blocks=b"\5" + pixels + b"\0"))

    # Then the first one is there, and nothing was reserved for the second
    assert len(_frames(data)) == 1


def _gif_blocks(count: int) -> bytes:
    """So many pixels of the first colour, in codes of three bits with a clear code before each pair."""
    codes: list[int] = []
    for _ in range(0, count, 2):
        codes += [4, 0, 0]
    bits = sum(code << 3 * place for place, code in enumerate([*codes, 5]))
    packed = bits.to_bytes(-(-3 * (len(codes) + 1) // 8), "little")
    return (
        b"".join(
            bytes((len(packed[at : at + 255]),)) + packed[at : at + 255] for at in range(0, len(packed), 255)
        )
        + b"\0"
    )


def test_first_image_that_enlarges_the_canvas_beyond_the_limit_is_refused() -> None:
    data = gif(8, 8, gif_image(0, 0, 65_535, 65_535, disposal=2))
    for read in (decode_picture, lambda data: list(decode_frames(data))):
        with pytest.raises(TooManyPixels, match="65535 x 65535"):
            read(data)


@pytest.mark.parametrize("image_format", [*MOVING, "TIFF", "MPO"])
def test_what_follows_a_damaged_frame_is_left_out(image_format: str) -> None:
    # Given a file that breaks off at the end
    data = moving(_images(SCENES), image_format, duration=600)
    try:
        frames = _frames(data[: len(data) * 9 // 10])
    except DamagedFile:
        frames = []  # formats that need their end to be read at all

    # Then what came before is there, or the file is damaged from the start
    assert len(frames) < 3


@pytest.mark.parametrize(
    "data", [b"", b"text", jpeg(40, 30)[:300], png(SCENES[0])[:60], webp_claim(99, 99), gif(9, 9)]
)
def test_file_without_a_first_frame_is_refused_as_by_decode_picture(data: bytes) -> None:
    with pytest.raises(NotFingerprintable) as one:
        decode_picture(data)
    with pytest.raises(NotFingerprintable) as all_of_them:
        _frames(data)
    assert type(all_of_them.value) is type(one.value)
    assert str(all_of_them.value) == str(one.value)


def test_want_of_memory_in_a_later_frame_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a GIF whose second frame needs more memory than there is
    data = moving(_images(SCENES), "GIF", duration=600)
    frames = decode_frames(data)
    next(frames)

    def no_memory(*arguments: object) -> None:
        raise MemoryError

    monkeypatch.setattr("PIL.GifImagePlugin.GifImageFile.seek", no_memory)

    # Then that is said: the file may have shown more
    with pytest.raises(DecoderCrashed):
        next(frames)


def test_hostile_index_of_further_pictures_is_bounded() -> None:
    # Given an index of sixty-thousand bytes that names the first picture again and again
    count = 3500
    entries = struct.pack("<IIIHH", 0, 0, 0, 0, 0) + struct.pack("<IIIHH", 0, 9, 1, 0, 0) * (count - 1)
    table = struct.pack("<HHHII", 1, 0xB002, 7, len(entries), 26) + bytes(4)
    index = b"MPF\0II*\0\x08\0\0\0" + table + entries
    data = with_segments(jpeg(40, 30), segment(0xE2, index))
    assert len(_frames(data)) == 1
