"""The manifest of the corpus: pinned, split by path. Covers benchmarks.packages."""

import csv
import struct
from pathlib import Path

import pytest

from benchmarks import corpus, packages


def test_manifest_holds_each_picture_once_in_its_split() -> None:
    # Given the manifest
    rows = corpus.manifest()

    # Then no picture is there twice, and its split follows from its path alone
    assert len({row.sha256 for row in rows}) == len(rows)
    assert all(row.split == corpus.split_of(f"{row.package}/{row.path}") for row in rows)


def test_corpus_is_as_large_as_the_figures_need() -> None:
    photos = [row for row in corpus.manifest() if row.kind == "photo"]
    assert len(photos) >= 250
    assert min(min(row.width, row.height) for row in photos) >= 300
    assert sum(row.width * row.height >= 12_000_000 for row in photos) >= 3


def test_what_was_left_out_is_not_in_the_manifest() -> None:
    with corpus.LEFT_OUT.open() as file:
        left_out = {row["sha256"] for row in csv.DictReader(file, delimiter="\t")}
    assert left_out
    assert not left_out & {row.sha256 for row in corpus.manifest()}


def test_every_package_is_pinned_by_version_and_digest() -> None:
    # Given the packages
    held = {(package.name, package.version) for package in packages.listed()}

    # Then each has a digest, and the manifest names no other
    assert all(len(package.sha256) == 64 for package in packages.listed())
    assert {(row.package, row.version) for row in corpus.manifest()} <= held


def test_package_with_another_digest_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a cache in which a package was replaced
    monkeypatch.setattr(packages, "CACHE", tmp_path)
    package = packages.listed()[0]
    package.archive.parent.mkdir(parents=True)
    package.archive.write_bytes(b"something else")

    # Then it is not unpacked
    with pytest.raises(packages.PackageUnavailable):
        packages.fetch(package)
    assert not package.folder.exists()


def test_qt_resources_are_read_with_their_folders() -> None:
    # Given a bundle of format 1 with one folder and one file in it
    names = b"".join(struct.pack(">HI", len(n), 0) + n.encode("utf-16-be") for n in ("pictures", "sea.jpg"))
    second = 6 + 2 * len("pictures")
    tree = struct.pack(">IHII", 0, 2, 1, 1) + struct.pack(">IHII", 0, 2, 1, 2)
    tree += struct.pack(">IHHHI", second, 0, 0, 0, 0)
    data = struct.pack(">I", 5) + b"waves"
    head = 20
    blob = b"qres" + struct.pack(">IIII", 1, head, head + len(tree), head + len(tree) + len(data))

    # Then the file comes out under its name
    assert list(packages._qt_resources(blob + tree + data + names)) == [("pictures/sea.jpg", b"waves")]
