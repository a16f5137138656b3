"""Writes docs/explanation/what-still-matches.md and its pictures from benchmarks/results/robustness.json.

`python -m benchmarks.page`, after `script/bench robustness`. No figure on that page is typed by hand; a
test compares.
"""

from __future__ import annotations

import io
import json
import textwrap
from typing import Any

import numpy as np
from PIL import Image

from benchmarks import codes, edits, packages, painting, recall, report
from benchmarks.codes import Registered, Uploads
from benchmarks.corpus import Picture
from benchmarks.robustness import derivations

PAGE = packages.ROOT / "docs" / "explanation" / "what-still-matches.md"
PICTURES = packages.ROOT / "docs" / "images" / "robustness"
THUMBNAIL = 220
PLAIN, DEFAULT, LARGER = "plain PDQ", "crops32 + geo9", "crops64 + geo9"
COLUMNS = (PLAIN, DEFAULT, LARGER)

# Somebody went through this many hits between graphics and photos in the results; another number means that
# it has to be done again.
INSPECTED = 17

GROUPS: dict[str, tuple[str, ...]] = {
    "Cropped": (
        "crop centred", "crop two opposite sides", "crop to aspect, centred", "crop to aspect, offset",
        "crop one side", "crop 4 free sides <=15 %", "crop 4 free sides <=30 %",
    ),
    "Framed": ("border", "letterbox, standard", "letterbox, any", "caption bar"),
    "Shown inside something": ("viewer screenshot", "feed screenshot", "collage"),
    "Turned": ("flip", "flip and crop", "quarter turn", "small rotation"),
    "Retouched": ("JPEG and resize", "photometric", "overlay"),
    "Several at once": ("random chain",),
}  # fmt: skip

SAYS = {
    "crop centred": "The middle, 55 to 99 % of each side.",
    "crop two opposite sides": "As much from top as from bottom, or left as right; up to 40 % in all.",
    "crop to aspect, centred": "To about 1:1, 4:5, 3:4, 4:3, 3:2, 16:9 or 9:16, from the middle.",
    "crop to aspect, offset": "The same, from anywhere.",
    "crop one side": "Up to 40 % from one side.",
    "crop 4 free sides <=15 %": "Each side by a different amount, up to 15 %.",
    "crop 4 free sides <=30 %": "The same, up to 30 %.",
    "border": "A plain border of 1 to 25 %.",
    "letterbox, standard": "Bars that fill a screen or a post.",
    "letterbox, any": "Bars of any width.",
    "caption bar": "A bar with words above or below.",
    "viewer screenshot": "A screenshot of a photo viewer.",
    "feed screenshot": "A screenshot of a post.",
    "collage": "One of two or four pictures.",
    "flip": "Mirrored.",
    "flip and crop": "Mirrored, and up to 15 % cropped.",
    "quarter turn": "Turned by 90, 180 or 270 degrees.",
    "small rotation": "Turned by up to 15 degrees.",
    "JPEG and resize": "Saved badly, and at a quarter to one and a half of its size.",
    "photometric": "Lighter, darker, other colours, noise, blur, vignette.",
    "overlay": "Words, stickers, watermarks, scribbles, a bar.",
    "random chain": "Two or three of these, one after the other.",
}


def examples() -> dict[str, Image.Image]:
    """One upload of the painting for each family, as a small picture."""
    scene = painting.landscape()
    found = {}
    for family in edits.FAMILIES:
        image = Image.open(io.BytesIO(edits.upload(scene, "painting", family, 1).jpeg))
        image.thumbnail((THUMBNAIL, THUMBNAIL))
        found[family] = image
    return found


def found_examples() -> dict[str, dict[str, bool]]:
    """For each family and column, whether that very example is found."""
    scene = painting.landscape()
    picture = Picture("photo", "test", "0" * 64, scene.shape[1], scene.shape[0], "", "", "")
    held, quality, code512, quality512 = codes.codes_of_views(np.ascontiguousarray(scene), codes.VIEWS)
    photo = Registered(picture, held, quality, code512, quality512)
    made = [edits.upload(scene, "painting", family, 1) for family in edits.FAMILIES]
    asked = [codes.query_codes(one.jpeg) for one in made]
    uploads = Uploads(
        picture, tuple(edits.FAMILIES), np.stack([code for code, _ in asked]), np.stack([q for _, q in asked])
    )
    by_column = {
        PLAIN: recall.found_uploads(photo, uploads, derivations("plain"), "plain"),
        DEFAULT: recall.found_uploads(photo, uploads, derivations("crops32"), "geo9"),
        LARGER: recall.found_uploads(photo, uploads, derivations("crops64"), "geo9"),
    }
    return {
        family: {column: bool(by_column[column][place]) for column in COLUMNS}
        for place, family in enumerate(edits.FAMILIES)
    }


def slug(family: str) -> str:
    """The file name of a family's picture, without its ending."""
    return (
        "".join(letter if letter.isalnum() else "-" for letter in family.lower())
        .strip("-")
        .replace("--", "-")
    )


def percent(share: float) -> str:
    """A share as people read it."""
    return f"{share * 100:.0f}\N{NO-BREAK SPACE}%"


def text(result: dict[str, Any], shown: dict[str, dict[str, bool]]) -> str:
    """The whole page. result: robustness.json. shown: `found_examples`."""
    mean = {column: percent(result["recall"][column]["mean"]) for column in COLUMNS}
    low, high = (percent(value) for value in result["recall"][DEFAULT]["mean_interval_95"])
    parts = [
        "# What still matches",
        "<!-- Made by `python -m benchmarks.page` from benchmarks/results/robustness.json; do not edit. -->",
        _prose(
            "People change a picture before they upload it again, to make it fit or to get it past a",
            "filter. This",
            "page shows what we still recognise and what we do not. All figures were measured on photos",
            "that had",
            "no part in choosing what is registered.",
        ),
        _prose(
            f"Over 22 families of edits, each with the same weight, plain PDQ finds **{mean[PLAIN]}** of the",
            f"uploads. With our default it is **{mean[DEFAULT]}** ({low} to {high}), with the larger set",
            f"**{mean[LARGER]}**. Plain PDQ is what most exchanges and platforms run today.",
        ),
        _items(
            "*Default*: 32 codes are registered of each picture (crops, mirror images, quarter turns), and an"
            " upload is looked at whole and in up to eight rectangles found in it.",
            "*Larger set*: the same with 64 codes.",
        ),
        _prose(
            "The pictures below are a painting that a script made, edited by the benchmark. A tick says",
            "that this",
            "very example is found; the percentages are of photos.",
        ),
        *(_group(result, shown, group, families) for group, families in GROUPS.items()),
        *_losses(result),
        *_false_hits(result),
        "## How it was measured",
        _prose(
            f"{result['photos']['test']} test photos from freely licensed packages, {result['uploads']}",
            "uploads",
            "made of them with random parameters that avoid every registered fraction, threshold 31",
            "bits, quality",
            "50 and more. Counts, intervals, every level and set are in",
            "[benchmarks/results/robustness.md](../../benchmarks/results/robustness.md), how to repeat it in",
            "[benchmarks/README.md](../../benchmarks/README.md).",
        ),
    ]
    return "\n\n".join(parts) + "\n"


def _group(
    result: dict[str, Any], shown: dict[str, dict[str, bool]], group: str, families: tuple[str, ...]
) -> str:
    lines = [
        f"## {group}",
        "",
        "| example | edit | plain PDQ | default | larger set |",
        "|---|---|---:|---:|---:|",
    ]
    for family in families:
        cells = [
            f"{percent(_share(result, column, family))} {'✓' if shown[family][column] else '✗'}"
            for column in COLUMNS
        ]
        picture = f"![{family}](../images/robustness/{slug(family)}.jpg)"
        lines.append(f"| {picture} | **{family}**. {SAYS[family]} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _losses(result: dict[str, Any]) -> list[str]:
    lost = sorted(
        (family for family in edits.FAMILIES if _share(result, DEFAULT, family) < 0.5),
        key=lambda family: _share(result, DEFAULT, family),
    )
    return [
        "## What is lost",
        _prose(
            "With the default, fewer than half of the uploads of these families are found:",
            ", ".join(f"{family} ({percent(_share(result, DEFAULT, family))})" for family in lost) + ".",
        ),
        _items(
            "*Free crops.* PDQ forgives a shift of about one percent a side. One unknown side needs"
            " some ten to"
            " twenty registered crops; four unknown sides need the fourth power of that. No list covers"
            " them.",
            "*Overlays.* What is laid over the picture changes the code itself. The more is covered,"
            " the more is"
            f" lost: {percent(_share(result, DEFAULT, 'overlay'))} are found.",
            "*Small rotations.* Registered rotated views would find them, but of all views tried their"
            " false hits"
            " came closest, and views with rotated corners give the picture away. We leave them out.",
            "*Redrawn pictures.* Pictures made anew by generators, photos of screens and strong"
            " perspective were"
            " not measured and should not be expected to match.",
        ),
        _prose(
            "Where a platform holds both pictures, the second look compares them point by point and",
            "finds much of",
            "what is lost here. It ranks and explains, and never decides.",
        ),
    ]


def _false_hits(result: dict[str, Any]) -> list[str]:
    strangers = result["strangers"]["crops64, geo9"]
    graphics = result["graphics"]["against photos, crops32, geo9"]
    among = result["graphics"]["among themselves, plain, plain"]
    pairs = sum(pair["bits"] <= recall.THRESHOLD_BITS for pair in graphics["closest"])
    return [
        "## What is found wrongly",
        _prose(
            "Uploads were compared with photos that they were not made of:",
            f"{strangers['comparisons'] / 1e6:,.0f} million comparisons of codes, with the larger set.",
            "At the",
            f"threshold of 31 bits {_hits(strangers['within']['31'])}; the closest two were",
            f"{strangers['least']} bits apart. The comparisons are not independent of each other: there are",
            f"{result['photos']['test'] + result['photos']['train']} photos.",
        ),
        _prose(
            f"Graphics are another matter. {result['graphics']['pictures']} plots, diagrams and",
            f"screenshots of documentation were compared with the photos: {pairs} of them came within 31",
            "bits of one.",
            f"{'By their names, each is a figure that shows that very photo.' if pairs == INSPECTED else ''}",
            f"Compared with each other by plain PDQ, {among['within']['31']} of {among['comparisons']:,}",
            "comparisons were hits: pages and plots made from one template look alike to PDQ. A hit on an",
            "interface, a text or a plot deserves a look before anything else happens.",
        ),
    ]


def _share(result: dict[str, Any], column: str, family: str) -> float:
    return float(result["recall"][column]["families"][family]["share"])


def _prose(*parts: str) -> str:
    return textwrap.fill(" ".join(parts), 110, break_long_words=False, break_on_hyphens=False)


def _items(*items: str) -> str:
    return "\n".join(
        textwrap.fill(
            f"- {item}", 110, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
        )
        for item in items
    )


def _hits(count: int) -> str:
    return (
        "there was no hit" if count == 0 else f"there were {count} hits" if count > 1 else "there was one hit"
    )


def main() -> None:
    """Write the page, its pictures, and which examples were found."""
    result = json.loads((report.RESULTS / "robustness.json").read_text())
    shown = found_examples()
    PICTURES.mkdir(parents=True, exist_ok=True)
    for family, image in examples().items():
        image.save(PICTURES / f"{slug(family)}.jpg", "JPEG", quality=80)
    (PICTURES / "found.json").write_text(json.dumps(shown, indent=1) + "\n")
    PAGE.write_text(text(result, shown))


if __name__ == "__main__":
    main()
