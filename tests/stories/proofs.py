"""What somebody does who does not trust us: saves the receipt and a copy of the published log, and checks."""

from __future__ import annotations

from pathlib import Path

import httpx

from staydown.ledger.checkpoint import open_checkpoint, tile_path, tiles_of


def verifier_key(url: str) -> str:
    """The key that the platform publishes."""
    return httpx.get(f"{url}/ledger/vkey", trust_env=False).text.strip()


def copy_published_log(url: str, folder: Path) -> Path:
    """Saves all that is published of the log into a folder, over plain HTTP."""
    text = httpx.get(f"{url}/ledger/checkpoint", trust_env=False).text
    size = open_checkpoint(text, vkey=verifier_key(url)).size
    paths = ["checkpoint", "vkey"]
    for level, number, width in tiles_of(size):
        paths.append(tile_path(level, number, width=width))
        if level == 0:
            paths.append(tile_path("entries", number, width=width))
    for path in paths:
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        answer = httpx.get(f"{url}/ledger/{path}", trust_env=False)
        answer.raise_for_status()
        file.write_bytes(answer.content)
    return folder
