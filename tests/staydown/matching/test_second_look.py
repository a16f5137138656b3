"""Copies are found under everyday edits and told where; unrelated pictures are not; nothing decides.

Covers: staydown.matching.second_look, staydown.matching.second_look_features.
Covers: staydown.matching.second_look_terms.
"""

from __future__ import annotations

import ast
import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import ImageEnhance, ImageFilter, ImageOps

from staydown.fingerprint import DecodeLimits, EmptyFile, TooManyPixels, UnknownFormat, decode_picture
from staydown.matching.errors import OpenCvMissing, WrongShape, WrongType
from staydown.matching.second_look import rank_candidates, second_look
from staydown.matching.second_look_features import LONG_SIDE, MAX_POINTS, TURNS, features_of, luma_of_strips
from staydown.matching.second_look_terms import MIN_INLIERS, SecondLook
from tests.staydown.matching.scenes import jpeg, pasted, pixels, scene

SRC = Path(__file__).resolve().parents[3] / "src"


def _near(outline: object, expected: list[tuple[float, float]], *, within: float) -> bool:
    return bool(np.abs(np.array(outline) - np.array(expected)).max() <= within)


EDITS = {
    "nothing": lambda picture: picture,
    "a quarter of the size": lambda picture: picture.resize((225, 150)),
    "crop on four sides": lambda picture: picture.crop((91, 37, 793, 522)),
    "crop to the middle half": lambda picture: picture.crop((225, 150, 675, 450)),
    "border": lambda picture: ImageOps.expand(picture, 120, "black"),
    "turned by 10 degrees": lambda picture: picture.rotate(10, expand=True),
    "turned by a quarter": lambda picture: picture.rotate(90, expand=True),
    "half the contrast": lambda picture: ImageEnhance.Contrast(picture).enhance(0.5),
    "grey": lambda picture: picture.convert("L"),
    "blurred": lambda picture: picture.filter(ImageFilter.GaussianBlur(2)),
    "in an interface": lambda picture: pasted(picture.resize((700, 467)), into=(760, 1400), at=(30, 400)),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
@pytest.mark.parametrize("seed", [1, 2])
def test_edited_copy_is_found_as_it_is(seed, edit):
    # Given a picture and an edited copy that was saved as a JPEG
    original, copy = scene(seed), jpeg(edit(scene(seed)), quality=60)

    # When they are compared
    look = second_look(pixels(original), copy)

    # Then it is found, neither mirrored nor inverted
    assert look.is_likely_copy
    assert (look.mirrored, look.inverted) == (False, False)


@pytest.mark.parametrize(
    ("edit", "mirrored", "inverted"),
    [
        (ImageOps.mirror, True, False),
        (ImageOps.flip, True, False),  # a picture upside down is a mirrored one, turned
        (ImageOps.invert, False, True),
        (lambda picture: ImageOps.invert(ImageOps.mirror(picture)), True, True),
    ],
    ids=["mirrored", "upside down", "negative", "mirrored negative"],
)
def test_mirrored_and_inverted_copies_are_found_and_told(edit, mirrored, inverted):
    look = second_look(pixels(scene(1)), pixels(edit(scene(1))))
    assert look.inliers > 100
    assert (look.mirrored, look.inverted) == (mirrored, inverted)


def test_outline_says_where_the_picture_lies_in_the_other():
    # Given a picture reduced to half and put on a page
    page = pasted(scene(1).resize((450, 300)), into=(800, 1000), at=(100, 400))

    # When they are compared
    look = second_look(pixels(scene(1)), pixels(page))

    # Then the outline goes clockwise from the top left, and the shares say how much is covered
    assert _near(look.outline, [(100, 400), (550, 400), (550, 700), (100, 700)], within=4)
    assert look.covered_share_a == pytest.approx(1, abs=0.02)
    assert look.covered_share_b == pytest.approx(450 * 300 / (800 * 1000), abs=0.01)
    left, top = np.min(look.agreeing_b, axis=0)
    right, bottom = np.max(look.agreeing_b, axis=0)
    assert left > 95
    assert top > 395
    assert right < 555
    assert bottom < 705


def test_outline_of_a_crop_reaches_beyond_it_and_the_share_says_how_much_is_left():
    # Given the right third of a picture
    look = second_look(pixels(scene(1)), pixels(scene(1).crop((600, 0, 900, 600))))

    # Then the outline begins left of the crop
    assert _near(look.outline, [(-600, 0), (300, 0), (300, 600), (-600, 600)], within=30)
    assert look.covered_share_a == pytest.approx(1 / 3, abs=0.02)
    assert look.covered_share_b == pytest.approx(1, abs=0.02)


def test_outline_of_a_mirrored_copy_begins_at_the_right():
    # Given a picture and its mirror image without the left 100 pixels
    look = second_look(pixels(scene(1)), pixels(ImageOps.mirror(scene(1)).crop((100, 0, 900, 600))))

    # Then its top left corner is told at the top right, and what agrees in pixels of the picture itself
    assert _near(look.outline, [(800, 0), (-100, 0), (-100, 600), (800, 600)], within=4)
    assert max(x for x, _ in look.agreeing_a) < 805


def test_pasted_part_agrees_only_where_it_was_pasted():
    # Given another picture into which a part of this one was pasted
    other = scene(2).copy()
    other.paste(scene(1).crop((300, 200, 600, 450)), (40, 60))

    # When they are compared
    look = second_look(pixels(scene(1)), pixels(other))

    # Then it is found, and what agrees lies within the part
    assert look.is_likely_copy
    assert all(295 <= x <= 605 and 195 <= y <= 455 for x, y in look.agreeing_a)
    assert all(35 <= x <= 345 and 55 <= y <= 315 for x, y in look.agreeing_b)

    # Then the share that agrees is no more than that part, whatever the outline covers
    part = 300 * 250 / (900 * 600)
    assert 0.01 < look.agreeing_share_a < part * 1.1
    assert look.agreeing_share_b == pytest.approx(look.agreeing_share_a, rel=0.1)
    assert look.covered_share_a > 0.4


def test_unrelated_pictures_are_no_likely_copies():
    # Given each kind of scene, and again each with other details
    others = [(seed, pixels(scene(seed))) for seed in range(6, 12)]

    # When some are looked for among the others
    looks = [one.look for seed in range(3) for one in rank_candidates(pixels(scene(seed)), others)]

    # Then none is near the bound
    assert max(look.inliers for look in looks) <= MIN_INLIERS - 3
    assert all(look.outline is None and look.covered_share_a == 0 for look in looks)


BLANK = {
    "black": np.zeros((400, 300, 3), np.uint8),
    "one colour": np.full((300, 400, 3), (200, 30, 90), np.uint8),
    "white and grey": np.full((300, 400), 255, np.uint8),
    "a ramp": np.tile(np.arange(256, dtype=np.uint8), (200, 1)),
    "one pixel": np.zeros((1, 1, 3), np.uint8),
    "a line": np.zeros((1, 3000, 3), np.uint8),
    "the longest line": np.zeros((5, 65_535, 1), np.uint8),
    "the tallest line": np.zeros((65_535, 5, 1), np.uint8),
}


@pytest.mark.parametrize("blank", BLANK.values(), ids=BLANK)
def test_picture_without_corners_is_found_nowhere(blank):
    size = (blank.shape[1], blank.shape[0])
    assert second_look(blank, blank) == SecondLook(0, size, size)
    assert second_look(blank, pixels(scene(1))) == SecondLook(0, size, (900, 600))
    assert second_look(pixels(scene(1)), blank) == SecondLook(0, (900, 600), size)


def test_noise_of_any_size_is_found_in_itself_and_nowhere_else():
    for height, width in ((60, 60), (40, 900), (2400, 3100)):
        noise = np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)
        assert second_look(noise, noise).inliers > 100
        assert not second_look(noise, pixels(scene(1))).is_likely_copy


def test_repeating_pattern_gives_no_more_than_its_true_place():
    # Given stripes and checks, whose corners all look alike
    y, x = np.mgrid[0:400, 0:400]
    checks = ((x // 16 + y // 16) % 2 * 255).astype(np.uint8)
    stripes = (x // 16 % 2 * 255).astype(np.uint8)

    # Then they do not find each other
    assert not second_look(checks, stripes).is_likely_copy


def test_equal_input_gives_equal_output():
    page = pixels(scene(1).rotate(7, expand=True).crop((50, 80, 700, 600)))
    assert len({repr(second_look(pixels(scene(1)), page)) for _ in range(5)}) == 1


def test_files_bytes_and_decoded_pictures_are_taken(tmp_path):
    # Given a picture as a file
    data = jpeg(scene(1))
    path = tmp_path / "scene.jpg"
    path.write_bytes(data)

    # Then all forms of it say the same
    expected = second_look(data, data)
    for given in (path, str(path), io.BytesIO(data), decode_picture(data)):
        assert second_look(given, data) == expected


def test_large_picture_is_told_in_its_own_pixels():
    # Given a copy four times as large, which a decoder may reduce
    large = jpeg(scene(1).resize((3600, 2400)))
    look = second_look(jpeg(scene(1)), large)
    assert _near(look.outline, [(0, 0), (3600, 0), (3600, 2400), (0, 2400)], within=12)


def test_files_that_cannot_be_read_are_named():
    good = jpeg(scene(1))
    with pytest.raises(EmptyFile):
        second_look(good, b"")
    with pytest.raises(UnknownFormat):
        second_look(b"a letter", good)
    with pytest.raises(FileNotFoundError):
        second_look("absent.jpg", good)
    with pytest.raises(TooManyPixels):
        second_look(good, good, limits=DecodeLimits(max_pixels=1000))


def test_pixels_of_another_form_are_refused():
    with pytest.raises(WrongShape):
        second_look(np.zeros((9, 9, 4), np.uint8), pixels(scene(1)))
    with pytest.raises(WrongShape):
        second_look(np.zeros((0, 9, 3), np.uint8), pixels(scene(1)))
    with pytest.raises(WrongType):
        second_look(np.zeros((9, 9, 3), np.float32), pixels(scene(1)))  # type: ignore[arg-type]


def test_candidates_are_ranked_best_first_and_bad_ones_told_last():
    # Given a picture, a copy, a small part of it, another picture, and files that are none
    candidates = [
        ("other", jpeg(scene(2))),
        ("absent", "absent.jpg"),
        ("part", jpeg(pasted(scene(1).crop((300, 200, 600, 450)), into=(900, 900), at=(90, 90)))),
        ("letter", b"a letter"),
        ("copy", jpeg(scene(1), quality=95)),
    ]
    heard: list[int] = []

    # When they are ranked
    ranked = rank_candidates(jpeg(scene(1)), candidates, progress=heard.append)

    # Then the best is first, those that cannot be read are last, and progress counted them all
    assert [candidate.name for candidate in ranked] == ["copy", "part", "other", "absent", "letter"]
    assert [candidate.look.is_likely_copy for candidate in ranked[:3] if candidate.look is not None] == [
        True,
        True,
        False,
    ]
    assert isinstance(ranked[3].refusal, FileNotFoundError)
    assert isinstance(ranked[4].refusal, UnknownFormat)
    assert ranked[4].look is None
    assert heard == [1, 2, 3, 4, 5]


def test_ranking_looks_at_the_query_once(monkeypatch):
    # Given a count of pictures whose corners are taken
    taken: list[int] = []
    monkeypatch.setattr(
        "staydown.matching.second_look.features_of",
        lambda picture, turns: taken.append(len(turns)) or features_of(picture, turns=turns),
    )

    # When three candidates are ranked
    rank_candidates(pixels(scene(1)), [(number, pixels(scene(2))) for number in range(3)])

    # Then the query was looked at once in every turn, and each candidate once as it is
    assert taken == [4, 1, 1, 1]


def test_what_progress_raises_ends_the_work():
    def stop(count):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rank_candidates(pixels(scene(1)), [("a", pixels(scene(1)))], progress=stop)


def test_strips_give_what_the_whole_picture_gives():
    # Given a picture in uneven strips
    whole = pixels(scene(1, 1300, 870))
    strips = [whole[0:4], whole[4:500], whole[500:]]

    # Then the grey copy is the same
    luma = luma_of_strips(strips, width=1300, height=870)
    assert luma.shape == (343, LONG_SIDE)
    assert np.array_equal(luma, luma_of_strips([whole], width=1300, height=870))


def test_corners_are_spread_over_the_picture():
    # Given a picture whose right half is far fainter than the left; ORB's thousand strongest corners are all
    # on the left
    uneven = scene(4).copy()
    uneven.paste(ImageEnhance.Contrast(scene(5).crop((450, 0, 900, 600))).enhance(0.35), (450, 0))

    # When its corners are taken
    (features,) = features_of(pixels(uneven), turns=TURNS[:1])

    # Then there are as many as allowed, and the faint half has its share of them
    assert len(features.points) == len(features.codes) == MAX_POINTS
    assert 0.3 < (features.points[:, 0] > LONG_SIDE / 2).mean() < 0.7


def test_look_is_neither_true_nor_false():
    with pytest.raises(TypeError, match="is_likely_copy"):
        bool(SecondLook(50, (900, 600), (900, 600)))


def test_no_door_and_no_rule_acts_on_a_second_look():
    """It only ranks and explains: whatever imports it may show it, and nothing that decides may import it."""
    # When every module that imports it is listed
    users = {
        path.relative_to(SRC / "staydown").as_posix()
        for path in (SRC / "staydown").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if (
            (
                isinstance(node, ast.ImportFrom)
                and "second_look" in f"{node.module} {[n.name for n in node.names]}"
            )
            or (isinstance(node, ast.Import) and any("second_look" in name.name for name in node.names))
        )
    }

    # Then they are its own parts and the command that shows it
    assert {name for name in users if not name.startswith("matching/second_look")} <= {
        "cli/compare.py",
        "cli/compare_picture.py",
        "matching/learned.py",
    }


def test_missing_opencv_is_named_with_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(OpenCvMissing, match=r"staydown\[compare\]"):
        second_look(pixels(scene(1)), pixels(scene(1)))


def test_package_without_opencv_still_matches_fingerprints():
    # Given a process in which importing OpenCV fails; Then the rest of matching works
    program = (
        "import sys; sys.modules['cv2'] = None\n"
        "import staydown.matching, staydown.matching.second_look, staydown.matching.second_look_pool\n"
        "print(len(staydown.matching.Index()))"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout == "0\n"
