"""`staydown check FILE...`: which of these files match a bank, or what a server says about them.

Prints one JSON object a line and never a code of the bank. To a server it sends fingerprints, not files,
unless it is told otherwise.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import click

from staydown.cli.bank_file import BankFileRefused, KnownBank, open_bank
from staydown.cli.fingerprint import listing_of, tell_what_was_left_out
from staydown.cli.output import Line
from staydown.cli.reading import sought, trouble_of
from staydown.cli.server_check import ServerCheck, line_of_match
from staydown.cli.working import Tell, print_lines
from staydown.client import ClientMisconfigured, NotAuthorised
from staydown.fingerprint import NotFingerprintable, QueryLevel, SandboxPool, SandboxUnavailable
from staydown.fingerprint.video_terms import VideoFingerprints
from staydown.matching import DEFAULT_THRESHOLD_BITS, Action, decide, strictest_first
from staydown.matching.find_video import codes_of_frames

MATCHED = 3
"""The exit code when something is to be held or blocked: not 2, which means a wrong command."""


@dataclass(slots=True)
class _Seen:
    """What the lines said, for the exit code and the last words."""

    files: int = 0
    errors: int = 0
    actions: dict[str, int] = field(default_factory=dict)

    def see(self, line: Line) -> None:
        self.files += 1
        if "error" in line:
            self.errors += 1
        else:
            self.actions[line["action"]] = self.actions.get(line["action"], 0) + 1

    @property
    def status(self) -> int:
        if set(self.actions) - {Action.ALLOW.value}:
            return MATCHED
        return 1 if self.errors else 0


@click.command("check")
@click.argument("files", nargs=-1, metavar="FILE...")
@click.option("--from", "lists", multiple=True, metavar="LIST", help="Read names of files from LIST.")
@click.option(
    "--bank", type=click.Path(path_type=Path), metavar="FILE", help="Compare with this bank; see above."
)
@click.option("--server", metavar="URL", help="Ask this installation of Staydown.")
@click.option(
    "--token-file", type=click.File(), metavar="FILE", help="The platform's token; or set STAYDOWN_TOKEN."
)
@click.option("--send-media", is_flag=True, help="Send the files themselves to the server.")
@click.option(
    "--level",
    type=click.Choice([level.value for level in QueryLevel]),
    default=None,
    help="How hard to look: whole only, inside borders and screenshots, in more parts.  [default: geo9]",
)
@click.option(
    "--max-distance",
    type=click.IntRange(0, 256),
    default=None,
    metavar="BITS",
    help=f"How far apart two codes may be.  [default: {DEFAULT_THRESHOLD_BITS}]",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=lambda: os.cpu_count() or 1,
    help="Processes to use; else one a core.",
)
@click.option("--hidden", is_flag=True, help="Also take files whose name begins with a dot.")
@click.option("--output", default="-", metavar="FILE", help="Write to FILE, which appears when it is whole.")
def command(
    files: tuple[str, ...],
    lists: tuple[str, ...],
    bank: Path | None,
    server: str | None,
    token_file: IO[str] | None,
    send_media: bool,
    level: str | None,
    max_distance: int | None,
    workers: int,
    hidden: bool,
    output: str,
) -> None:
    """Check pictures and videos against a bank file or a server, one JSON object a line.

    FILE may be a folder, which is searched through, or a pattern such as "photos/**/*.jpg". "-" reads names
    from standard input, one a line, as --from does from a file. Links from folder to folder are not followed.

    --bank takes the file bank.journal of an installation, an index that staydown.matching saved, or a list:
    one PDQ code a line ("hex" or "hex,quality"), MD5 digests, "sha256:" digests, a CSV with a header, the
    JSON Lines of `staydown fingerprint --codes`, or a video as vPDQ. Nothing leaves this computer then. What
    matches a list or an index is to be held, because nobody has confirmed its entries.

    --server sends fingerprints only, unless --send-media is given.

    A line is {"path", "action", "matches"} or {"path", "error"}; a file that cannot be read does not stop the
    others.

    \b
    Exit code: 0  everything is allowed
               1  everything that could be checked is allowed, and something could not be checked
               2  the command was not understood
               3  something is to be held or blocked, whether or not all could be checked
    """
    if (bank is None) == (server is None):
        raise click.UsageError("Give either --bank or --server.")
    if bank is not None and (token_file or send_media):
        raise click.UsageError("--token-file and --send-media go with --server.")
    if server is not None and max_distance is not None:
        raise click.UsageError("--max-distance goes with --bank; a server has its own.")
    if send_media and level is not None:
        raise click.UsageError("--level does not go with --send-media: the server looks as it is set.")
    listing = listing_of(files, lists, hidden=hidden)
    seen = _Seen()
    with SandboxPool(workers=workers) as pool:
        look_level = QueryLevel(level or QueryLevel.GEO9)
        check: Callable[[Path, Tell], Line]
        if bank is not None:
            distance = DEFAULT_THRESHOLD_BITS if max_distance is None else max_distance
            check = _LocalCheck(_opened(bank, distance), pool, look_level)
        else:
            check = _of_server(str(server), token_file, pool, look_level, send_media)

        def line_of(path: Path, tell: Tell) -> Line:
            try:
                return {"path": str(path), **check(path, tell)}
            except (NotFingerprintable, OSError) as error:
                return trouble_of(path, error)

        try:
            print_lines(line_of, listing, workers=workers, title="Checks", output=output, seen=seen.see)
        except SandboxUnavailable as error:
            raise click.ClickException(str(error)) from error
        except NotAuthorised as error:
            raise click.ClickException(f"{error}. Nothing more was checked.") from error
    tell_what_was_left_out(listing)
    raise SystemExit(seen.status)


class _LocalCheck:
    """Compares files with a bank on this computer."""

    def __init__(self, bank: KnownBank, pool: SandboxPool, level: QueryLevel) -> None:
        self._bank = bank
        self._pool = pool
        self._level = level

    def __call__(self, path: Path, tell: Tell) -> Line:
        """Raises NotFingerprintable, SandboxUnavailable, OSError."""
        found = sought(path, pool=self._pool, level=self._level, tell=tell)
        sha256, md5 = found.digests.sha256, found.digests.md5
        if isinstance(found, VideoFingerprints):
            matches = self._bank.find_video(codes_of_frames(found.frames), sha256=sha256, md5=md5)
        else:
            # The bank holds the turned and mirrored codes, so an upload's are not sought.
            views = [view for view in found.views if view.fingerprint.derivation == "full"]
            matches = self._bank.find(views, sha256=sha256, md5=md5)
        told = [line_of_match(match) for match in strictest_first(matches)]
        return {"action": decide(matches), "matches": told}


def _opened(path: Path, max_distance_bits: int) -> KnownBank:
    try:
        opened = open_bank(path, max_distance_bits=max_distance_bits)
    except BankFileRefused as error:
        raise click.ClickException(f"The bank {path} cannot be used.\n{error}") from error
    for warning in opened.warnings:
        click.echo(f"Note: {warning}", err=True)
    return opened.bank


def _of_server(
    url: str, token_file: IO[str] | None, pool: SandboxPool, level: QueryLevel, send_media: bool
) -> ServerCheck:
    token = token_file.read().strip() if token_file else os.environ.get("STAYDOWN_TOKEN", "").strip()
    if not token:
        raise click.UsageError("Give the platform's token with --token-file, or set STAYDOWN_TOKEN.")
    try:
        return ServerCheck(url, token, pool=pool, level=level, send_media=send_media)
    except ClientMisconfigured as error:
        raise click.UsageError(f"{error}.") from error
