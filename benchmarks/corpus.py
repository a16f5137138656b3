"""The pictures of the benchmarks: photos, strangers and graphics out of freely licensed packages.

The manifest (benchmarks/corpus.tsv) names each by SHA-256 and by its place in a pinned package; the pictures
themselves stay in var/bench, which git ignores. Nothing here decides what belongs in the corpus:
benchmarks/gather.py lists candidates and a person looks at them.
"""

from __future__ import annotations

import csv
import hashlib
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from benchmarks import packages

MANIFEST = Path(__file__).with_name("corpus.tsv")
LEFT_OUT = Path(__file__).with_name("left_out.tsv")
# Large photos have up to 40 megapixels; Pillow's own guard would warn from 89 on.
Image.MAX_IMAGE_PIXELS = 200_000_000


@dataclass(frozen=True)
class Picture:
    """One row of the manifest.

    kind: `photo`, `stranger` (only for false hits) or `graphic`. split: `train` or `test`.
    """

    kind: str
    split: str
    sha256: str
    width: int
    height: int
    package: str
    version: str
    path: str

    @property
    def identity(self) -> str:
        """Short name, the same on every machine."""
        return self.sha256[:16]


def split_of(path: str) -> str:
    """`train` or `test`, by the MD5 of the path within the packages: never by order or chance."""
    return "train" if hashlib.md5(path.encode(), usedforsecurity=False).digest()[0] % 2 == 0 else "test"


@cache
def manifest() -> tuple[Picture, ...]:
    """Every picture of benchmarks/corpus.tsv."""
    with MANIFEST.open(newline="") as file:
        return tuple(
            Picture(**{**row, "width": int(row["width"]), "height": int(row["height"])})  # type: ignore[arg-type]
            for row in csv.DictReader(file, delimiter="\t")
        )


@cache
def _folder(name: str) -> Path:
    return packages.fetch(next(package for package in packages.listed() if package.name == name))


def file_of(picture: Picture) -> Path:
    """The picture's file, fetched with its package where needed.

    Raises PackageUnavailable if the package cannot be had or does not hold these bytes.
    """
    file = _folder(picture.package) / picture.path
    if not file.exists() or hashlib.sha256(file.read_bytes()).hexdigest() != picture.sha256:
        raise packages.PackageUnavailable(f"{picture.package} {picture.version} does not hold {picture.path}")
    return file


def pixels_of(picture: Picture, *, longest: int | None = None) -> np.ndarray:
    """RGB pixels, (h, w, 3) uint8, upright; with `longest`, reduced so that no side is longer than that."""
    with Image.open(file_of(picture)) as opened:
        if longest is not None:
            opened.draft("RGB", (longest * 2, longest * 2))
        image = ImageOps.exif_transpose(opened).convert("RGB")
    if longest is not None and max(image.size) > longest:
        scale = longest / max(image.size)
        size = max(8, round(image.width * scale)), max(8, round(image.height * scale))
        image = image.resize(size, Image.Resampling.BOX if scale <= 0.5 else Image.Resampling.LANCZOS)
    return np.asarray(image)


def pictures(kind: str, split: str | None = None) -> list[Picture]:
    """The pictures of a kind and split that could be had; says on stderr how many could not."""
    wanted = [one for one in manifest() if one.kind == kind and split in (None, one.split)]
    had: list[Picture] = []
    for picture in wanted:
        try:
            file_of(picture)
        except packages.PackageUnavailable as missing:
            print(missing, file=sys.stderr)
        else:
            had.append(picture)
    if len(had) < len(wanted):
        print(
            f"{len(wanted) - len(had)} of {len(wanted)} pictures of kind {kind} are missing", file=sys.stderr
        )
    return had


if __name__ == "__main__":
    for one_kind in ("photo", "stranger", "graphic"):
        print(one_kind, len(pictures(one_kind, "train")), "train,", len(pictures(one_kind, "test")), "test")
