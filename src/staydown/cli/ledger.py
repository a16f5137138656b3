"""`staydown ledger`: checks, publishes and names this installation's log. Django starts only on use."""

from __future__ import annotations

from pathlib import Path

import click

from staydown.errors import StaydownError


@click.group(name="ledger")
def command() -> None:
    """Check or publish this installation's log."""


@command.command()
def verify() -> None:
    """Recompute the whole log from its entries. Exit code 1 names the first damaged entry."""
    _start_django()
    from staydown.ledger.queries import check_log

    check = check_log()
    if check.damage is None:
        click.echo(f"The log is sound: {check.size} entries, {check.erased} of them erased.")
        return
    place = "its head" if check.damage.index is None else f"entry {check.damage.index}"
    click.echo(f"The log is damaged at {place} ({check.damage.kind}).", err=True)
    raise SystemExit(1)


@command.command()
def key() -> None:
    """Print the verifier key that receipts are checked with.

    Publish it somewhere that this installation cannot change.
    """
    _start_django()
    from django.conf import settings

    from staydown.ledger.operations import load_or_create_signer
    from staydown.ledger.queries import latest_checkpoint

    signed = latest_checkpoint()
    if signed is not None:
        click.echo(signed.vkey)
        return
    signer = load_or_create_signer(Path(settings.STAYDOWN_LEDGER_KEY_PATH))
    click.echo(signer.vkey(settings.STAYDOWN_LEDGER_ORIGIN))


@command.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
def export(folder: Path) -> None:
    """Write the log into DIR as static files (C2SP tlog-tiles), for any web server or witness.

    The files hold commitments only. A DIR that holds another log, or a past that this log does not
    continue, is left alone.
    """
    _start_django()
    from staydown.ledger.checkpoint import tile_path, tiles_of
    from staydown.ledger.queries import latest_checkpoint

    signed = latest_checkpoint()
    if signed is None:
        raise click.ClickException("The log is empty; there is nothing to export.")
    try:
        _check_continues(folder, size=signed.checkpoint.size, origin=signed.checkpoint.origin)
    except (StaydownError, OSError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{folder} was left alone. {error}") from error
    written = 0
    for level, index, width in tiles_of(signed.checkpoint.size):
        written += _publish(folder, tile_path(level, index, width=width))
        if level == 0:
            written += _publish(folder, tile_path("entries", index, width=width))
    # Last, so that whoever reads meanwhile finds every tile that the checkpoint promises.
    _replace(folder / "vkey", f"{signed.vkey}\n".encode())
    _replace(folder / "checkpoint", signed.text.encode())
    click.echo(f"{signed.checkpoint.size} entries are in {folder}; {written} files are new or changed.")


def _check_continues(folder: Path, *, size: int, origin: str) -> None:
    """Raises unless the folder is new, or holds an earlier state of this very log."""
    from staydown.ledger.checkpoint import open_checkpoint
    from staydown.ledger.errors import LogDamaged, ProofDoesNotMatch
    from staydown.ledger.queries import root_at

    if not (folder / "checkpoint").exists():
        return
    vkey = (folder / "vkey").read_text(encoding="utf-8").strip()
    past = open_checkpoint((folder / "checkpoint").read_text(encoding="utf-8"), vkey=vkey)
    if past.origin != origin:
        raise LogDamaged("what is published there", "belongs to another log")
    if past.size > size:
        raise LogDamaged("this installation's database", "is shorter than what was published before")
    if root_at(past.size) != past.root:
        raise ProofDoesNotMatch


def _publish(folder: Path, path: str) -> int:
    """Writes one published file; 1 if it was not there as it is, else 0."""
    from staydown.ledger.queries import published_file

    content, target = published_file(path), folder / path
    if target.is_file() and target.read_bytes() == content:
        return 0
    _replace(target, content)
    return 1


def _replace(target: Path, content: bytes) -> None:
    """A reader sees the old file or the new one, never half of it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f"{target.name}.new")
    draft.write_bytes(content)
    draft.replace(target)


def _start_django() -> None:
    from staydown.start import set_up_django

    set_up_django()
