"""The scripts that this site serves, with their digests, as script/build-web wrote them down."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """One script: its path below /static/, and its SHA-256 in hex."""

    name: str
    digest: str


def published_files() -> list[PublishedFile]:
    """All scripts and workers in the order of the list; empty if the list is not there."""
    try:
        lines = settings.STAYDOWN_DIGESTS_PATH.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    pairs = (line.split("  ", 1) for line in lines if line)
    return [PublishedFile(name=name, digest=digest) for digest, name in pairs]
