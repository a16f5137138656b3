"""Two pictures side by side with what agrees drawn in, for the platform's own reviewer.

Blurred, grey and small unless the reviewer asks to see them as they are: then the file shows what they show.
Refuses to write over anything that is no PNG, and lets nobody else read what it writes.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from staydown.fingerprint.kernel import Pixels
from staydown.matching.second_look_terms import Corner, SecondLook

PANEL_SIDE = 480
"""Pixels of the longer side of each of the two panels."""

# Pixels of the longer side to which a picture is reduced before it is enlarged again: of a face nothing is
# left but a spot. Blurred once more, so that no edge of a pixel is seen.
BLURRED_SIDE = 32

_MARGIN = 48  # an outline may reach beyond the picture
_GROUND = (24, 26, 28)
# Told apart without colour too: the outline is thick, the area where corners agree is thin and filled.
_OUTLINE, _AGREEING = (255, 176, 32), (96, 200, 255)


def side_to_read(*, clear: bool) -> int:
    """To which longer side a picture is read: no more of it than is shown."""
    return PANEL_SIDE if clear else BLURRED_SIDE


def side_by_side(a: Pixels, b: Pixels, look: SecondLook, *, clear: bool) -> Image.Image:
    """Both pictures, a on the left, with the outline of a in b and the area in which corners agree.

    a, b: (height, width, 3) uint8, read at `side_to_read`.
    """
    width, height = map(float, look.size_a)
    frame = ((0.0, 0.0), (width, 0.0), (width, height), (0.0, height))
    outline_a: Sequence[Corner] = frame if look.outline is not None else ()
    panels = [
        _panel(a, look.size_a, outline_a, look.agreeing_a, clear=clear),
        _panel(b, look.size_b, look.outline or (), look.agreeing_b, clear=clear),
    ]
    tallest = max(panel.height for panel in panels)
    whole = Image.new("RGB", (sum(panel.width for panel in panels), tallest), _GROUND)
    left = 0
    for panel in panels:
        whole.paste(panel, (left, (tallest - panel.height) // 2))
        left += panel.width
    return whole


def write_png(image: Image.Image, path: Path) -> None:
    """Writes a PNG that only its owner may read. Raises OSError."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, 0o600)  # also if it was there before
        image.save(file, "PNG")


def check_output(path: Path, *, inputs: Sequence[Path]) -> None:
    """Refuses what would write over a picture. Raises click.BadParameter."""
    if path.suffix.lower() != ".png":
        raise click.BadParameter("The picture is written as PNG; give a name that ends with .png.")
    if path.exists() and any(given.exists() and os.path.samefile(path, given) for given in inputs):
        raise click.BadParameter("That is one of the pictures that are compared.")


def _panel(
    pixels: Pixels,
    size: tuple[int, int],
    outline: Sequence[Corner],
    agreeing: Sequence[Corner],
    *,
    clear: bool,
) -> Image.Image:
    shrink = PANEL_SIDE / max(size)
    width, height = (max(1, round(side * shrink)) for side in size)
    panel = Image.new("RGB", (width + 2 * _MARGIN, height + 2 * _MARGIN), _GROUND)
    panel.paste(_shown(pixels, (width, height), clear=clear), (_MARGIN, _MARGIN))

    def placed(corners: Sequence[Corner]) -> list[Corner]:
        return [(x * shrink + _MARGIN, y * shrink + _MARGIN) for x, y in corners]

    if len(agreeing) >= 3:
        veil = Image.new("L", panel.size)
        ImageDraw.Draw(veil).polygon(placed(agreeing), fill=56)
        panel.paste(_AGREEING, mask=veil)
        ImageDraw.Draw(panel).line([*placed(agreeing), placed(agreeing)[0]], fill=_AGREEING, width=1)
    if outline:
        ImageDraw.Draw(panel).line(
            [*placed(outline), placed(outline)[0]], fill=_OUTLINE, width=4, joint="curve"
        )
    return panel


def _shown(pixels: Pixels, size: tuple[int, int], *, clear: bool) -> Image.Image:
    image = Image.fromarray(np.ascontiguousarray(pixels))
    if clear:
        return image.resize(size, Image.Resampling.BICUBIC)
    blurred = image.convert("L").resize(size, Image.Resampling.BICUBIC)
    return blurred.filter(ImageFilter.GaussianBlur(PANEL_SIDE / BLURRED_SIDE / 2)).convert("RGB")
