"""`staydown compare A B...`: how much of a picture is found in others, corner by corner, the likeliest first.

For a person who has both pictures before them, and for a search among candidates. It ranks and explains; it
decides nothing, changes nothing and sends nothing. Every file is read in the sandbox.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from staydown.cli.compare_picture import check_output, side_by_side, side_to_read, write_png
from staydown.cli.listing import Listing
from staydown.cli.reading import trouble_of
from staydown.cli.working import INTERRUPTED
from staydown.fingerprint import EmptyFile, NotFingerprintable, SandboxUnavailable, UnknownFormat
from staydown.matching.errors import OpenCvMissing
from staydown.matching.second_look_pool import SecondLookPool
from staydown.matching.second_look_terms import MIN_INLIERS, RankedCandidate, SecondLook

FOUND, NOT_FOUND, TROUBLE = 0, 1, 2

WHAT_IT_IS = "This ranks and explains; a person decides."

# What a folder holds beside pictures. A file that was named is told all the same.
_NO_PICTURES = (UnknownFormat, EmptyFile)


@click.command("compare")
@click.argument("picture", type=click.Path(path_type=Path), metavar="A")
@click.argument("others", nargs=-1, required=True, metavar="B...")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line for every candidate.")
@click.option(
    "--picture",
    "output",
    type=click.Path(path_type=Path),
    metavar="OUT.png",
    help="Draw A beside the likeliest B, blurred and grey.",
)
@click.option("--clear", is_flag=True, help="Do not blur the drawing: it shows what the pictures show.")
@click.option(
    "--workers", type=click.IntRange(1, 64), default=lambda: os.cpu_count() or 1, help="Processes to use."
)
def command(
    picture: Path, others: tuple[str, ...], as_json: bool, output: Path | None, clear: bool, workers: int
) -> None:
    """Say how much of picture A is found in B, even cropped, turned, mirrored or pasted into another.

    B may be a folder, which is searched through, or a pattern: candidates are ranked, the likeliest first,
    and A itself is left out. Nothing leaves this computer, and nothing is decided: pictures of the same
    place, or with the same frame or logo, are rightly alike.

    \b
    Exit code: 0  at least one is likely the same picture, at least in part
               1  none is
               2  a picture could not be read, or the command was not understood
    """
    if clear and output is None:
        raise click.UsageError("--clear is for the drawing; give --picture too.")
    if output is not None:
        check_output(output, inputs=[picture, *map(Path, others)])
    comparison = Comparison(picture, others)
    try:
        with SecondLookPool(workers=workers) as pool:
            comparison.run(pool)
            best = comparison.best
            if output is not None and best is not None:
                _draw(pool, picture, best, output, clear=clear)
    except (NotFingerprintable, OSError) as error:
        _fail(f"{picture}: {trouble_of(picture, error)['error']}")
    except (OpenCvMissing, SandboxUnavailable) as error:
        _fail(str(error))
    except KeyboardInterrupt:
        click.echo("Stopped.", err=True)
        raise SystemExit(INTERRUPTED) from None
    for line in comparison.json_lines() if as_json else comparison.lines():
        click.echo(line)
    if not as_json:
        for line in comparison.trouble_lines():
            click.echo(line, err=True)
    raise SystemExit(comparison.exit_code)


@dataclass(slots=True)
class Comparison:
    """One picture and what it was compared with."""

    picture: Path
    others: tuple[str, ...]
    looks: list[tuple[Path, SecondLook]] = field(default_factory=list)
    """The candidates that could be read, the likeliest first."""
    troubles: list[tuple[Path, str]] = field(default_factory=list)
    """Those that could not, each with a sentence."""
    passed_over: int = 0
    """Files in folders that are no pictures."""
    left_out_itself: bool = False

    def run(self, pool: SecondLookPool) -> None:
        """Compares. Raises as `SecondLookPool.rank`."""
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        bar = Progress(
            *columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()
        )
        with bar:
            task = bar.add_task("Compared", total=None)
            ranked = pool.rank(
                self.picture, self._candidates(), progress=lambda done: bar.update(task, completed=done)
            )
        for candidate in ranked:
            self._take(candidate)

    @property
    def best(self) -> tuple[Path, SecondLook] | None:
        """The likeliest candidate, whether it is likely or not."""
        return self.looks[0] if self.looks else None

    @property
    def likely(self) -> list[tuple[Path, SecondLook]]:
        """Those that are likely the same picture, at least in part."""
        return [(path, look) for path, look in self.looks if look.is_likely_copy]

    @property
    def exit_code(self) -> int:
        """What the command ends with."""
        if self.troubles or not (self.looks or self.passed_over or self.left_out_itself):
            return TROUBLE
        return FOUND if self.likely else NOT_FOUND

    def lines(self) -> Iterator[str]:
        """What is said to a person."""
        if len(self.others) == 1 and not os.path.isdir(self.others[0]) and len(self.looks) == 1:
            yield from explained(self.picture, *self.looks[0])
            return
        for path, look in self.likely:
            yield f"{look.inliers:5d} corners agree  {plain(path)}  ({', '.join(how(look))})"
        counts = [f"{len(self.likely)} of {len(self.looks)} pictures are likely copies, at least in part"]
        counts += [f"{self.passed_over} files are no pictures"] * bool(self.passed_over)
        counts += [f"{plain(self.picture)} itself was left out"] * self.left_out_itself
        yield "; ".join(counts) + ". " + WHAT_IT_IS

    def trouble_lines(self) -> Iterator[str]:
        """What could not be read, and why."""
        for path, sentence in self.troubles:
            yield f"{plain(path)}: {sentence}"
        if self.exit_code == TROUBLE and not self.troubles:
            yield "There is nothing to compare with."

    def json_lines(self) -> Iterator[str]:
        """The same for programs, with every candidate."""
        for path, look in self.looks:
            yield json.dumps({"picture": str(self.picture), "candidate": str(path), **fields_of(look)})
        for path, sentence in self.troubles:
            yield json.dumps({"picture": str(self.picture), "candidate": str(path), "error": sentence})

    def _candidates(self) -> Iterator[tuple[Path, Path]]:
        for listed in Listing(self.others):
            if listed.error is not None:
                self.troubles.append((listed.path, listed.error))
            elif str(listed.path) not in self.others and _is_same_file(listed.path, self.picture):
                self.left_out_itself = True
            else:
                yield listed.path, listed.path

    def _take(self, candidate: RankedCandidate[Path]) -> None:
        if candidate.look is not None:
            self.looks.append((candidate.name, candidate.look))
        elif isinstance(candidate.refusal, _NO_PICTURES) and str(candidate.name) not in self.others:
            self.passed_over += 1
        elif candidate.refusal is not None:
            self.troubles.append((candidate.name, trouble_of(candidate.name, candidate.refusal)["error"]))


def explained(a: Path, b: Path, look: SecondLook) -> Iterator[str]:
    """One comparison in sentences."""
    if not look.is_likely_copy:
        yield f"No likeness found between {plain(a)} and {plain(b)}."
        yield f"{look.inliers} corners agree, and {MIN_INLIERS} would be needed. Strong blur, or a very small"
        yield "part, can hide a copy. " + WHAT_IT_IS
        return
    yield f"{plain(a)} is likely in {plain(b)}, at least in part."
    yield f"{look.inliers} corners agree, and {MIN_INLIERS} are enough: {', '.join(how(look))}."
    yield "Pictures of the same place, or with the same frame or logo, are rightly alike. " + WHAT_IT_IS


def how(look: SecondLook) -> Iterator[str]:
    """How a picture lies in the other: "they span 41 % of A and 22 % of B", "mirrored"."""
    yield f"they span {look.agreeing_share_a:.0%} of A and {look.agreeing_share_b:.0%} of B"
    if look.mirrored:
        yield "mirrored"
    if look.inverted:
        yield "as a negative"


def fields_of(look: SecondLook) -> dict[str, Any]:
    """A look for programs: places in pixels of the upright pictures."""
    return {
        "likely_copy": look.is_likely_copy,
        "inliers": look.inliers,
        "mirrored": look.mirrored,
        "inverted": look.inverted,
        "picture_size": look.size_a,
        "candidate_size": look.size_b,
        "outline": look.outline,
        "covered_share": {"picture": look.covered_share_a, "candidate": look.covered_share_b},
        "agreeing": {"picture": look.agreeing_a, "candidate": look.agreeing_b},
        "agreeing_share": {"picture": look.agreeing_share_a, "candidate": look.agreeing_share_b},
    }


def plain(path: Path) -> str:
    """A path that cannot move the cursor or colour the screen."""
    return "".join(sign if sign.isprintable() else "?" for sign in str(path))


def _draw(pool: SecondLookPool, a: Path, best: tuple[Path, SecondLook], output: Path, *, clear: bool) -> None:
    b, look = best
    side = side_to_read(clear=clear)
    drawing = side_by_side(pool.pixels(a, side=side), pool.pixels(b, side=side), look, clear=clear)
    try:
        write_png(drawing, output)
    except OSError as error:
        _fail(f"The drawing cannot be written: {error.strerror}.")


def _is_same_file(one: Path, other: Path) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False


def _fail(sentence: str) -> NoReturn:
    click.echo(f"Error: {sentence}", err=True)
    raise SystemExit(TROUBLE)
