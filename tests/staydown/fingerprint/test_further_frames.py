"""The other frames of a moving picture are coded if they differ, and found again in both directions."""

import io

import numpy as np
from PIL import Image

from staydown.fingerprint import Algorithm, distance_bits, fingerprint_image, query_image
from staydown.fingerprint.further_frames import MAX_FURTHER_FRAMES
from tests.staydown.fingerprint.pictures import Pixels, picture


def _moving(frames: list[Pixels], *, milliseconds: int = 1000) -> bytes:
    out = io.BytesIO()
    first, *others = (Image.fromarray(frame) for frame in frames)
    first.save(out, "WEBP", lossless=True, save_all=True, append_images=others, duration=milliseconds)
    return out.getvalue()


def _png(pixels: Pixels) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


SCENES = [picture("landscape", 300, 220, seed=seed) for seed in (2, 9)]


def test_second_scene_is_registered_under_its_time_with_its_mirrored_form() -> None:
    # Given a moving picture of two scenes, the first shown twice
    media = fingerprint_image(_moving([SCENES[0], SCENES[0], SCENES[1]]))

    # Then the second scene has a code and a mirrored one, and the repeated frame has none
    frames = [each for each in media.fingerprints if each.derivation.startswith("@")]
    assert [each.derivation for each in frames] == ["@2.000", "@2.000~fH"]
    alone = fingerprint_image(_png(SCENES[1]))
    for frame, turn in zip(frames, ("full", "fH"), strict=True):
        expected = alone.of(Algorithm.PDQ, turn)
        assert expected is not None
        assert frame.code == expected.code


def test_still_of_a_later_scene_finds_the_moving_picture_and_the_other_way_round() -> None:
    # Given a moving picture and a still of its second scene
    moving, still = _moving(SCENES), _png(SCENES[1])

    for upload, original in ((still, moving), (moving, still)):
        # When one is looked up where the other is registered
        sought = query_image(upload).sought()
        registered = fingerprint_image(original).registrable()

        # Then a code meets
        assert min(distance_bits(view.fingerprint, each) for view in sought for each in registered) <= 31


def test_flat_frames_are_left_out() -> None:
    flat = np.full((220, 300, 3), 128, np.uint8)
    names = {view.name for view in query_image(_moving([SCENES[0], flat])).views}
    assert not any(name.startswith("@") for name in names)


def test_endless_change_is_cut_off() -> None:
    scenes = [picture("noise", 64, 64, seed=seed) for seed in range(30)]
    media = fingerprint_image(_moving(scenes), derive="plain")
    assert sum(each.derivation.startswith("@") for each in media.fingerprints) == MAX_FURTHER_FRAMES


def test_pages_are_counted() -> None:
    # Given a TIFF of two pages
    out = io.BytesIO()
    first, second = (Image.fromarray(scene) for scene in SCENES)
    first.save(out, "TIFF", save_all=True, append_images=[second])

    # Then the second page is "@1.000"
    names = [each.derivation for each in fingerprint_image(out.getvalue(), derive="plain").fingerprints]
    assert names == ["full", "full", "@1.000"]
