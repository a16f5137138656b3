"""The separable operator: kernel and reference give the same bits, and both stay close to the exact path."""

import numpy as np
import pytest

from staydown.fingerprint.kernel import (
    SAFE_MARGIN,
    Method,
    PhotoScan,
    Pixels,
    Rectangle,
    Turns,
    photo_codes,
    scan_strips,
)
from staydown.fingerprint.reference_operator import fast_codes, pixel_band, view_turns
from tests.staydown.fingerprint.judge import pdqhash_codes
from tests.staydown.fingerprint.pictures import KINDS, picture

SIZES = ((5, 5), (5, 600), (600, 5), (63, 65), (128, 129), (300, 200), (512, 513), (777, 1030), (2049, 40))


def _distance(a: bytes, b: bytes) -> int:
    return (int.from_bytes(a) ^ int.from_bytes(b)).bit_count()


def _scan(pixels: Pixels, *, step: int = 1, size: tuple[int, int] | None = None) -> PhotoScan:
    width, height = size or (pixels.shape[1], pixels.shape[0])
    return scan_strips([pixels], width=width, height=height, step=step, method=Method.FAST, keeps_plane=True)[
        0
    ]


def _reduced(pixels: Pixels, step: int) -> Pixels:
    """Means of step x step pixels, as a decoder's scaling by area gives them."""
    rows, columns = (np.arange(0, side, step) for side in pixels.shape[:2])
    sums = np.add.reduceat(np.add.reduceat(pixels.astype(np.float64), rows, axis=0), columns, axis=1)
    counts = np.minimum(step, pixels.shape[0] - rows)[:, None] * np.minimum(step, pixels.shape[1] - columns)
    return np.ascontiguousarray(np.round(sums / counts[:, :, None]).astype(np.uint8))


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("kind", KINDS[:3])
def test_kernel_and_reference_give_the_same_bits_for_whole_pictures(
    kind: str, width: int, height: int
) -> None:
    # Given a generated picture
    pixels = picture(kind, width, height, seed=width)

    # When both compute the fast path
    _, ours = scan_strips([pixels], width=width, height=height, method=Method.FAST)
    reference = fast_codes(pixels, width=width, height=height)

    # Then codes, qualities and the margin are the same
    assert ours == reference


@pytest.mark.parametrize("step", [2, 4, 8])
def test_kernel_and_reference_give_the_same_bits_for_reduced_pictures(step: int) -> None:
    # Given a picture that a decoder has reduced, with ragged last blocks
    pixels = picture("landscape", 1203, 901, seed=step)
    reduced = _reduced(pixels, step)

    # When both compute the codes of the full-size picture from it
    _, ours = scan_strips([reduced], width=1203, height=901, step=step, method=Method.FAST)

    # Then they are the same
    assert ours == fast_codes(reduced, width=1203, height=901, step=step)


@pytest.mark.parametrize(
    ("size", "step", "rectangle"),
    [
        ((300, 200), 1, Rectangle(0, 0, 300, 200)),
        ((300, 200), 1, Rectangle(31, 17, 205, 150)),
        ((2100, 2051), 1, Rectangle(101, 63, 1900, 1801)),
        ((2100, 1300), 2, Rectangle(101, 63, 1900, 1201)),
        ((1203, 901), 4, Rectangle(400, 300, 5, 5)),
    ],
)
def test_kernel_and_reference_give_the_same_bits_for_views(
    size: tuple[int, int], step: int, rectangle: Rectangle
) -> None:
    # Given a picture, reduced or not
    pixels = _reduced(picture("landscape", *size, seed=9), step)

    # When a rectangle of it is coded, Then kernel and reference agree
    assert _scan(pixels, step=step, size=size).view(rectangle) == view_turns(pixels, rectangle, step=step)


@pytest.mark.parametrize(("width", "height"), [(640, 480), (1500, 1100), (3000, 2000)])
def test_fast_code_equals_pdqhash_bit_for_bit(width: int, height: int) -> None:
    # Given pictures with detail
    pixels = picture("landscape", width, height, seed=width)

    # Then the quick code of the unturned picture is that of pdqhash, at both scales
    codes, _ = pdqhash_codes(pixels)
    fast = photo_codes(pixels, method=Method.FAST)
    assert (fast.pdq.code(), fast.pdq512.code()) == (codes[:32], codes[256:288])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(4))
def test_fast_code_of_flat_and_tied_pictures_is_at_most_two_bits_off(kind: str, seed: int) -> None:
    # Given pictures whose coefficients may be equal
    pixels = picture(kind, 700 + seed, 530, seed=seed)

    # Then the quick path is certain, or gave way to the exact one
    fast, exact = photo_codes(pixels, method=Method.FAST), photo_codes(pixels)
    assert _distance(fast.pdq.code(), exact.pdq.code()) <= 2
    assert _distance(fast.pdq512.code(), exact.pdq512.code()) <= 2


def test_uncertain_picture_is_computed_by_the_exact_path() -> None:
    # Given a flat picture, where no coefficient stands out
    pixels = np.full((600, 800, 3), 93, np.uint8)
    _, fast = scan_strips([pixels], width=800, height=600, method=Method.FAST)
    assert fast.margin < SAFE_MARGIN

    # Then asking for the fast path gives the exact one's answer
    assert photo_codes(pixels, method=Method.FAST) == photo_codes(pixels)


@pytest.mark.parametrize("side", [640, 1601, 4096])
def test_rounding_stays_far_inside_the_safe_margin(side: int) -> None:
    # Given pictures of growing size, whose running sums round more and more
    pixels = picture("landscape", side, side * 3 // 4, seed=side)

    # When both paths tell how far apart the middle coefficients are
    _, fast = scan_strips([pixels], width=side, height=side * 3 // 4, method=Method.FAST)
    exact = photo_codes(pixels)

    # Then they tell nearly the same
    assert abs(fast.margin - exact.margin) < SAFE_MARGIN / 4


@pytest.mark.parametrize("step", [2, 4, 8])
def test_reduction_that_keeps_512_pixels_costs_at_most_four_bits(step: int) -> None:
    # Given a picture whose reduced form keeps 512 pixels a side
    width, height = 700 * step + 3, 540 * step + 1
    pixels = picture("landscape", width, height, seed=step)

    # When the codes are computed from the reduced picture
    _, reduced = scan_strips(
        [_reduced(pixels, step)], width=width, height=height, step=step, method=Method.FAST
    )

    # Then both scales stay within four bits of the exact codes
    exact = photo_codes(pixels)
    assert _distance(reduced.pdq.code(), exact.pdq.code()) <= 4
    assert _distance(reduced.pdq512.code(), exact.pdq512.code()) <= 8


def test_view_is_close_to_pdqhash_of_the_crop() -> None:
    # Given a large picture and rectangles down to half its sides
    pixels = picture("landscape", 2400, 1800, seed=5)
    scan = _scan(pixels)

    for rectangle in (
        Rectangle(24, 18, 2352, 1764),
        Rectangle(0, 117, 2400, 1566),
        Rectangle(600, 450, 1200, 900),
    ):
        # When the rectangle is coded without a copy
        turns: Turns = scan.view(rectangle)

        # Then its codes are within four bits of those of the cut picture
        right, bottom = rectangle.left + rectangle.width, rectangle.top + rectangle.height
        cut = np.ascontiguousarray(pixels[rectangle.top : bottom, rectangle.left : right])
        codes, (quality, _) = pdqhash_codes(cut)
        assert max(_distance(turns.codes[at : at + 32], codes[at : at + 32]) for at in range(0, 256, 32)) <= 4
        assert abs(turns.quality - quality) <= 1


def test_narrow_part_of_a_panorama_is_close_to_pdqhash_too() -> None:
    # Given a strip whose parts keep only its height as their width
    pixels = picture("landscape", 5200, 300, seed=8)
    rectangle = Rectangle(2480, 0, 240, 300)

    # When such a part is coded, Then its code is within four bits of the cut picture's
    cut = np.ascontiguousarray(pixels[:, 2480:2720])
    assert _distance(_scan(pixels).view(rectangle).code(), pdqhash_codes(cut)[0][:32]) <= 4


def test_plane_of_a_very_long_strip_stays_bounded() -> None:
    # Given a strip of 26 million pixels
    plane = _scan(np.zeros((400, 65_535, 1), np.uint8)).plane()

    # Then its blocks grow instead of its plane
    assert plane.size <= 1 << 22
    assert plane.shape == (134, 21845)


def test_plane_is_the_mean_luma_of_blocks() -> None:
    # Given a grey picture of two halves, larger than a plane
    pixels = np.zeros((2049, 2100, 1), np.uint8)
    pixels[:, 1050:] = 200

    # When it is scanned
    plane = _scan(pixels).plane()

    # Then the plane has blocks of two by two pixels, the last row of them ragged
    assert plane.shape == (1025, 1050)
    assert (plane[:, :525] == 0).all()
    assert (plane[:, 525:] == 200).all()


@pytest.mark.parametrize(
    "rectangle", [Rectangle(0, 0, 4, 9), Rectangle(1, 0, 300, 200), Rectangle(-1, 0, 9, 9)]
)
def test_rectangle_outside_the_picture_is_refused(rectangle: Rectangle) -> None:
    with pytest.raises(ValueError, match="does not lie in the photo"):
        _scan(picture("noise", 300, 200)).view(rectangle)


def test_view_without_a_plane_is_refused() -> None:
    scan, _ = scan_strips([picture("noise", 30, 20)], width=30, height=20)
    with pytest.raises(ValueError, match="keeps no plane"):
        scan.view(Rectangle(0, 0, 9, 9))


def test_exact_path_refuses_a_reduced_picture() -> None:
    with pytest.raises(ValueError, match="refused"):
        PhotoScan(100, 100, step=2)


@pytest.mark.parametrize("side", [5, 64, 129, 1000])
def test_bands_are_means(side: int) -> None:
    for i in (0, 31, 63):
        first, weights = pixel_band(side, i)
        assert sum(weights) == pytest.approx(1)
        assert first >= 0
        assert first + len(weights) <= side
