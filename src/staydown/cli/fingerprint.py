"""`staydown fingerprint FILE...`: one JSON object a line for each picture or video, made in the sandbox.

A file that cannot be read is a line too, and the rest go on. Prints no pixel and keeps nothing; prints the
derived codes only where they are asked for.
"""

import os
from pathlib import Path
from typing import Any

import click

from staydown.cli.listing import Listing
from staydown.cli.output import Line, whole_file
from staydown.cli.reading import registered, trouble_of
from staydown.cli.working import Tell, print_lines
from staydown.fingerprint import (
    DEFAULT_SET,
    Algorithm,
    MediaFingerprints,
    NotFingerprintable,
    SandboxPool,
    SandboxUnavailable,
)
from staydown.fingerprint.errors import VideoUnavailable
from staydown.fingerprint.video_terms import VideoFingerprints
from staydown.fingerprint.vpdq import features_of, to_lines


@click.command("fingerprint")
@click.argument("files", nargs=-1, metavar="FILE...")
@click.option("--from", "lists", multiple=True, metavar="LIST", help="Read names of files from LIST.")
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=lambda: os.cpu_count() or 1,
    help="Processes to use; else one a core.",
)
@click.option(
    "--set",
    "set_name",
    type=click.Choice(["plain", "turns8", "crops32", "crops64"]),
    default=DEFAULT_SET,
    show_default=True,
    help="Which codes are derived from a picture: itself, turned and mirrored, or crops too.",
)
@click.option("--codes", is_flag=True, help="Print the derived codes too. They are personal data.")
@click.option("--vpdq", metavar="FILE", help="Write the frames of one video to FILE as vPDQ lines.")
@click.option("--hidden", is_flag=True, help="Also take files whose name begins with a dot.")
@click.option("--output", default="-", metavar="FILE", help="Write to FILE, which appears when it is whole.")
def command(
    files: tuple[str, ...],
    lists: tuple[str, ...],
    workers: int,
    set_name: str,
    codes: bool,
    vpdq: str | None,
    hidden: bool,
    output: str,
) -> None:
    """Print the fingerprints of pictures and videos, one JSON object a line.

    FILE may be a folder, which is searched through, or a pattern such as "photos/**/*.jpg". "-" reads names
    from standard input, one a line, as --from does from a file. Links from folder to folder are not followed.

    Nothing leaves this computer. A file that cannot be read gives {"path", "error"}; the others are still
    done.

    \b
    Exit code: 0  every file was read
               1  at least one was not
               2  the command was not understood
    """
    listing = listing_of(files, lists, hidden=hidden)
    if vpdq is not None and (lists or len(files) != 1 or not Path(files[0]).is_file()):
        raise click.UsageError("--vpdq goes with one video.")
    errors = 0

    def line_of(path: Path, tell: Tell) -> Line:
        try:
            found = registered(path, pool=pool, derive=set_name, tell=tell)
        except (NotFingerprintable, OSError) as error:
            return trouble_of(path, error)
        if vpdq is not None:
            _write_vpdq(Path(vpdq), found)
        return {"path": str(path), **_fields_of(found, has_codes=codes)}

    def see(line: Line) -> None:
        nonlocal errors
        errors += "error" in line

    with SandboxPool(workers=workers) as pool:
        try:
            print_lines(line_of, listing, workers=workers, title="Fingerprints", output=output, seen=see)
        except SandboxUnavailable as error:
            raise click.ClickException(str(error)) from error
    tell_what_was_left_out(listing)
    if errors:
        raise SystemExit(1)


def listing_of(files: tuple[str, ...], lists: tuple[str, ...], *, hidden: bool) -> Listing:
    """The files that a command line names. Raises UsageError if it names none."""
    if not files and not lists:
        raise click.UsageError("Name a file, a folder or a pattern; or - to read names from standard input.")
    names = [name for name in files if name != "-"]
    return Listing(names, lists=[*lists, *(name for name in files if name == "-")], hidden=hidden)


def tell_what_was_left_out(listing: Listing) -> None:
    """Says on standard error what was passed over in folders."""
    if listing.hidden_left_out:
        files = (
            "hidden file or folder was" if listing.hidden_left_out == 1 else "hidden files and folders were"
        )
        click.echo(f"{listing.hidden_left_out} {files} left out; --hidden takes them.", err=True)
    if listing.links_left_out:
        links = "link to a folder was" if listing.links_left_out == 1 else "links to folders were"
        click.echo(f"{listing.links_left_out} {links} not followed; name such a folder to take it.", err=True)


def _fields_of(media: MediaFingerprints | VideoFingerprints, *, has_codes: bool) -> dict[str, Any]:
    fields: dict[str, Any] = {"media": media.media, "sha256": media.digests.sha256, "md5": media.digests.md5}
    for algorithm in Algorithm:
        full = media.of(algorithm) if isinstance(media, MediaFingerprints) else None
        fields[algorithm.value] = {"hex": full.hex, "quality": full.quality} if full else None
    codes = media.registrable()
    fields["derived"] = sum(code.derivation != "full" for code in codes)
    if isinstance(media, VideoFingerprints):
        fields["frames"] = len(media.by_time())
        fields["seconds"] = round(media.duration_seconds, 3)
        if media.broke_off:
            fields["broke_off"] = True
    elif media.media == "video":
        fields["frames"] = None
    if has_codes:
        fields["codes"] = [[code.algorithm.value, code.derivation, code.quality, code.hex] for code in codes]
    return fields


def _write_vpdq(target: Path, media: MediaFingerprints | VideoFingerprints) -> None:
    """Raises ClickException if these are not a video's frames, or cannot be written."""
    if not isinstance(media, VideoFingerprints):
        why = (
            str(VideoUnavailable())
            if media.media == "video"
            else "--vpdq goes with a video: this is a picture."
        )
        raise click.ClickException(why)
    try:
        with whole_file(target) as file:
            file.write(to_lines(features_of(media)))
    except OSError as error:
        raise click.ClickException(f"{target} cannot be written: {error.strerror}.") from error
