"""Where the original lies in an edited upload: borders, interfaces, captions, collages."""

import numpy as np
import pytest
from PIL import Image

from staydown.fingerprint.kernel import Method, Rectangle, scan_strips
from staydown.fingerprint.rectangles import (
    MOST_CUTS,
    Overview,
    cut_rectangles,
    interface_rectangle,
    overview_of,
    without_border,
)
from tests.staydown.fingerprint.pictures import Pixels, picture


def _overview(pixels: Pixels) -> Overview:
    height, width = pixels.shape[:2]
    scan, _ = scan_strips([pixels], width=width, height=height, method=Method.FAST, keeps_plane=True)
    return overview_of(scan.plane(), width=width, height=height)


def _scene(width: int, height: int, *, seed: int) -> Pixels:
    """Soft blobs of all sizes: no flat area and no straight edge, as in a photo of leaves or clouds."""
    random = np.random.default_rng(seed)
    total = np.zeros((height, width, 3))
    for cells, weight in ((5, 90), (17, 60), (60, 40)):
        coarse = random.integers(0, 256, (cells, cells + 1, 3)).astype(np.uint8)
        total += (
            weight
            / 190
            * np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))
        )
    return total.astype(np.uint8)


def _on(colour: int, width: int, height: int, left: int, top: int, inner: Pixels) -> Pixels:
    canvas = np.full((height, width, 3), colour, np.uint8)
    canvas[top : top + inner.shape[0], left : left + inner.shape[1]] = inner
    return canvas


def _is_near(
    found: Rectangle | None, left: int, top: int, width: int, height: int, *, tolerance: int = 6
) -> bool:
    return found is not None and np.allclose(
        (found.left, found.top, found.width, found.height), (left, top, width, height), atol=tolerance
    )


@pytest.mark.parametrize("colour", [0, 255, 200])
def test_uniform_border_is_found_within_one_percent(colour: int) -> None:
    # Given a landscape on a border
    pixels = _on(colour, 800, 640, 60, 90, _scene(680, 460, seed=2))

    # Then the strip is the landscape
    assert _is_near(without_border(_overview(pixels)), 60, 90, 680, 460)


def test_picture_without_a_border_has_none() -> None:
    assert without_border(_overview(picture("noise", 640, 480))) is None


def test_flat_picture_proposes_nothing() -> None:
    overview = _overview(np.full((300, 400, 3), 90, np.uint8))
    assert without_border(overview) is None
    assert interface_rectangle(overview) is None
    assert cut_rectangles(overview) == []


def test_picture_in_an_interface_is_found() -> None:
    # Given a landscape in a page with lines of text
    page = _on(250, 720, 1280, 0, 300, _scene(720, 500, seed=4))
    for row in range(60, 240, 40):
        page[row : row + 8, 40 : 40 + row] = 30
    for row in range(860, 1200, 60):
        page[row : row + 8, 40:300] = 60

    # Then the interface's rectangle is the landscape
    assert _is_near(interface_rectangle(_overview(page)), 0, 300, 720, 500)


def test_caption_bar_is_cut_off() -> None:
    # Given a landscape below a caption of dark letters on white
    pixels = _on(255, 800, 700, 0, 120, _scene(800, 580, seed=6))
    pixels[40:70, 100:500:20] = 0

    # Then one of the cuts is the landscape
    assert any(_is_near(found, 0, 120, 800, 580) for found in cut_rectangles(_overview(pixels)))


def test_parts_of_a_collage_are_among_the_cuts() -> None:
    # Given four landscapes side by side
    parts = [_scene(400, 300, seed=n) for n in range(4)]
    pixels = np.vstack([np.hstack(parts[:2]), np.hstack(parts[2:])])

    # Then the quarters are proposed
    cuts = cut_rectangles(_overview(np.ascontiguousarray(pixels)))
    assert len(cuts) <= MOST_CUTS
    assert any(found.width <= 410 and found.height <= 310 for found in cuts)


@pytest.mark.parametrize(("width", "height"), [(5, 5), (5, 3000), (3000, 5), (11, 12)])
def test_odd_shapes_propose_only_rectangles_inside(width: int, height: int) -> None:
    overview = _overview(picture("noise", width, height))
    found = [without_border(overview), interface_rectangle(overview), *cut_rectangles(overview)]
    for each in found:
        if each is not None:
            assert each.left + each.width <= width
            assert each.top + each.height <= height
