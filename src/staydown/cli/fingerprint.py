"""`staydown fingerprint FILE...`: one JSON object a line for each picture or video, made in the sandbox.

A file that cannot be read is a line too, and the rest go on. Prints no pixel and keeps nothing.
"""

import glob
import json
import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import track

from staydown.fingerprint import (
    Algorithm,
    MediaFingerprints,
    NotFingerprintable,
    SandboxPool,
    SandboxUnavailable,
    fingerprint_file,
)

# Files that wait for their turn beside those in work: enough to keep the processes busy, and few enough
# that a long list does not pile up results while one slow file holds the order back.
WAITING_PER_WORKER = 8


@click.command("fingerprint")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--workers", type=click.IntRange(1, 64), default=lambda: os.cpu_count() or 1, help="Processes to use."
)
def command(files: tuple[str, ...], workers: int) -> None:
    """Print the fingerprints of pictures and the digests of videos, one JSON object a line.

    FILE may be a folder, which is searched through, or a pattern such as "photos/*.jpg". Nothing leaves
    this computer. A file that cannot be read gives {"path", "error"} and exit code 1; the others are still
    done.
    """
    paths = list(named_files(files))
    failures = 0
    with SandboxPool(workers=workers) as pool:

        def line_of(path: Path) -> dict[str, Any]:
            return describe(path, pool=pool)

        lines: Iterable[dict[str, Any]] = in_order(line_of, paths, workers=workers)
        if sys.stderr.isatty():
            terminal = Console(stderr=True)
            lines = track(lines, "Fingerprints", total=len(paths), console=terminal, transient=True)
        try:
            for line in lines:
                failures += "error" in line
                click.echo(json.dumps(line, separators=(",", ":")))
        except SandboxUnavailable as error:
            raise click.ClickException(str(error)) from error
    if failures:
        raise SystemExit(1)


def named_files(names: Iterable[str]) -> Iterator[Path]:
    """The files meant by names, folders and patterns, each folder in alphabetical order.

    A name that is nothing stays in the list, so that its absence is told.
    """
    for name in names:
        found = sorted(glob.glob(name, recursive=True)) if glob.has_magic(name) else []
        if os.path.isdir(name):
            yield from _files_below(name)
        elif found and not os.path.lexists(name):  # a file may really be called "[1].jpg"
            yield from named_files(found)
        else:
            yield Path(name)


def _files_below(folder: str) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        folders.sort()
        yield from (Path(place, name) for name in sorted(names))


def describe(path: Path, *, pool: SandboxPool) -> dict[str, Any]:
    """One line of output: fingerprints, or why there are none."""
    try:
        return {"path": str(path), **_fields_of(fingerprint_file(path, fingerprint_bytes=pool.fingerprint))}
    except NotFingerprintable as error:
        return {"path": str(path), "error": str(error)}
    except FileNotFoundError:
        return {"path": str(path), "error": "There is no such file."}
    except OSError as error:
        return {"path": str(path), "error": f"The file cannot be opened: {error.strerror}."}


def _fields_of(media: MediaFingerprints) -> dict[str, Any]:
    fields: dict[str, Any] = {"media": media.media, "sha256": media.digests.sha256, "md5": media.digests.md5}
    for algorithm in Algorithm:
        full = media.of(algorithm)
        fields[algorithm.value] = {"hex": full.hex, "quality": full.quality} if full else None
    fields["derived"] = sum(fingerprint.derivation != "full" for fingerprint in media.fingerprints)
    return fields


def in_order(
    line_of: Callable[[Path], dict[str, Any]], paths: Iterable[Path], *, workers: int
) -> Iterator[dict[str, Any]]:
    """The lines in the order of the paths, with several in work at a time."""
    with ThreadPoolExecutor(workers) as threads:
        waiting: deque[Future[dict[str, Any]]] = deque()
        try:
            for path in paths:
                waiting.append(threads.submit(line_of, path))
                if len(waiting) > WAITING_PER_WORKER * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
