"""`staydown receipt`: checks a receipt on the holder's own computer, without Django and without a network."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from staydown.cli.log_folder import check_folder
from staydown.ledger.checkpoint import verify_receipt
from staydown.ledger.errors import ReceiptDamaged, ReceiptRefused
from staydown.ledger.terms import Json, RecordedEvent, VerifiedReceipt

# Far above any real receipt (a thousand events take about 2 MB); keeps a wrong file from filling memory.
MAX_RECEIPT_BYTES = 50_000_000


@click.group(name="receipt")
def command() -> None:
    """Check what a receipt proves."""


@command.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--key", metavar="VKEY", help="The log's verifier key, as the platform publishes it.")
@click.option(
    "--log",
    "folder",
    type=click.Path(path_type=Path),
    help="A copy of the published log (the folder that `staydown ledger export` writes).",
)
def verify(file: Path, key: str | None, folder: Path | None) -> None:
    """Check the receipt in FILE and say what was received and done, and when.

    Exit code 0 if it holds, 1 if it does not.
    """
    try:
        verified = verify_receipt(read_receipt(file), trusted_vkey=key.strip() if key else None)
        head = None
        if folder is not None:
            head = check_folder(folder, vkey=verified.signed.vkey, held=verified.signed.checkpoint)
    except ReceiptRefused as error:
        click.echo(f"NOT PROVED. {file}: {error}", err=True)
        raise SystemExit(1) from error
    for line in told(verified):
        click.echo(line)
    if head is not None:
        click.echo(f"Log: all {head.size} entries in {folder} add up, and the receipt belongs to them.")


def read_receipt(file: Path) -> dict[str, object]:
    """The JSON object in a file. Raises ReceiptDamaged."""
    try:
        with file.open("rb") as opened:
            data = opened.read(MAX_RECEIPT_BYTES + 1)
    except OSError as error:
        raise ReceiptDamaged("the file", f"cannot be read ({error.strerror})") from error
    if len(data) > MAX_RECEIPT_BYTES:
        raise ReceiptDamaged("the file", "is far too long for a receipt")
    try:
        document = json.loads(data.decode("utf-8"), object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise ReceiptDamaged("the file", "is not JSON text") from error
    if not isinstance(document, dict):
        raise ReceiptDamaged("the file", "is not a receipt")
    return document


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """An object whose names appear once: with two, readers could disagree on what was proved."""
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError
    return document


def told(verified: VerifiedReceipt) -> list[str]:
    """The proved events in plain words, one line each, with the time that passed between them."""
    events = verified.events
    # Without a pinned key a receipt only agrees with itself, and must not be announced as more than that.
    verdict = "PROVED." if verified.key_pinned else "ADDS UP, BUT THE KEY WAS NOT CHECKED."
    lines = [f"{verdict} Receipt for {verified.subject}, from the log {verified.origin}.", ""]
    lines += [_line(recorded, events[:place]) for place, recorded in enumerate(events)]
    if len(events) > 1:
        whole = _apart(events[0].event.at, events[-1].event.at)
        lines += ["", f"From the first to the last: {whole}."]
    lines += ["", f"Each line above is in the log, which had {verified.tree_size} entries then."]
    if verified.key_pinned:
        lines.append("Key: the log's signature was checked with the key you gave.")
    else:
        lines += [
            "Key: NOT PINNED. The signature was checked only with the key inside the receipt, and anybody",
            "can make such a key. Compare it with the key the platform publishes, or give that as --key:",
            f"  {verified.signed.vkey}",
        ]
    # A receipt may come from anybody: nothing in it may move the cursor, colour the screen or turn the text.
    return ["".join(c if c.isprintable() else "?" for c in line) for line in lines]


def _line(recorded: RecordedEvent, earlier: Sequence[RecordedEvent]) -> str:
    event = recorded.event
    at = event.at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    what = event.kind.replace(".", " ").replace("_", " ").capitalize()
    details = "; ".join(f"{name}: {_plain(value)}" for name, value in sorted(event.details.items()))
    since = f", {_apart(earlier[-1].event.at, event.at)}" if earlier else ""
    return f"  {at}  {what}{f' ({details})' if details else ''}{since}"


def _plain(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _apart(earlier: datetime, later: datetime) -> str:
    """The time between, in hours and minutes: "26 h 10 min later"."""
    minutes = int(abs((later - earlier).total_seconds())) // 60
    return f"{minutes // 60} h {minutes % 60:02d} min {'later' if later >= earlier else 'earlier'}"
