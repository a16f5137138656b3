"""The words of this package as types: what a fingerprint, a digest and a file's fingerprints are.

Refuses anything that is not exactly a 256-bit code with a quality from 0 to 100.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from staydown.fingerprint.errors import MalformedFingerprint

CODE_BYTES = 32

# How a code was derived from the picture, in pdqhash's order: as it is, turned by 90, 180 and
# 270 degrees, mirrored top to bottom (fV), left to right (fH), along the main diagonal (fP) and the other
# one (fM).
DERIVATIONS = ("full", "r90", "r180", "r270", "fV", "fH", "fP", "fM")

# Below this a picture has too little detail: unrelated ones come close to each other. Source: the PDQ
# paper's advice (hashing.pdf, "discard below 50"), also the default of python-threatexchange.
MIN_QUALITY = 50

_HEX = re.compile(r"[0-9a-f]{64}")


class Algorithm(StrEnum):
    """A perceptual code and the scale at which it is computed. Both may be compared with each other."""

    PDQ = "pdq"
    """PDQ of the picture at full resolution, as python-threatexchange computes it."""
    PDQ512 = "pdq512"
    """PDQ after a picture with a side above 512 is sampled to 512 x 512, as Meta's C++ tools do."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """One perceptual code of one picture. Raises MalformedFingerprint for a wrong length or quality."""

    algorithm: Algorithm
    code: bytes
    """32 bytes; the first byte holds the first two hex digits."""
    quality: int
    """0..100: how much detail the picture has. Below MIN_QUALITY it is never registered."""
    derivation: str = "full"

    def __post_init__(self) -> None:
        if len(self.code) != CODE_BYTES:
            raise MalformedFingerprint(f"A code has {CODE_BYTES} bytes, not {len(self.code)}.")
        if not 0 <= self.quality <= 100:
            raise MalformedFingerprint(f"A quality is from 0 to 100, not {self.quality}.")

    @property
    def hex(self) -> str:
        """The code as 64 lower-case hex digits, as partners write it."""
        return self.code.hex()

    @classmethod
    def from_hex(
        cls, text: str, *, algorithm: Algorithm = Algorithm.PDQ, quality: int, derivation: str = "full"
    ) -> Fingerprint:
        """The fingerprint of 64 hex digits (either case). Raises MalformedFingerprint for anything else."""
        if not _HEX.fullmatch(text.lower()):
            raise MalformedFingerprint("A code is written as 64 hex digits.")
        return cls(algorithm, bytes.fromhex(text), quality, derivation)


@dataclass(frozen=True, slots=True)
class Digests:
    """The cryptographic digests of a file's bytes, lower-case hex. They find exact copies only."""

    sha256: str
    md5: str


@dataclass(frozen=True, slots=True)
class MediaFingerprints:
    """All that is kept of a file: no pixel, no name."""

    media: Literal["image", "video"]
    digests: Digests
    width: int | None
    """Pixels after turning the picture upright; None for a video, which is not decoded yet."""
    height: int | None
    fingerprints: tuple[Fingerprint, ...]
    """Both algorithms, each with every derivation; empty for a video."""

    def of(self, algorithm: Algorithm, derivation: str = "full") -> Fingerprint | None:
        """The fingerprint of this algorithm and derivation, or None if there is none."""
        for fingerprint in self.fingerprints:
            if fingerprint.algorithm == algorithm and fingerprint.derivation == derivation:
                return fingerprint
        return None

    def registrable(self) -> tuple[Fingerprint, ...]:
        """The fingerprints with enough detail to be registered; maybe none: then the digests serve."""
        return tuple(fingerprint for fingerprint in self.fingerprints if fingerprint.quality >= MIN_QUALITY)


class QueryLevel(StrEnum):
    """How hard an upload is looked at."""

    PLAIN = "plain"
    """The whole picture."""
    GEO9 = "geo9"
    """Also without a uniform border, the rectangle inside an interface, and up to six cut-out rectangles."""
    DEEP = "deep"
    """More rectangles than geo9, for the second look."""


@dataclass(frozen=True, slots=True)
class QueryView:
    """One rectangle of an upload, and its code."""

    name: str
    """"full", "strip", "interface", "cut1" and so on."""
    fingerprint: Fingerprint


@dataclass(frozen=True, slots=True)
class QueryFingerprints:
    """What an upload is compared by: its digests and the codes of its rectangles."""

    media: Literal["image", "video"]
    digests: Digests
    width: int
    """Pixels after turning the picture upright."""
    height: int
    views: tuple[QueryView, ...]

    def sought(self) -> tuple[QueryView, ...]:
        """The views to look for: with enough detail, and unturned: the bank holds the turned codes."""
        return tuple(
            view
            for view in self.views
            if view.fingerprint.derivation == "full" and view.fingerprint.quality >= MIN_QUALITY
        )

    def whole(self) -> tuple[Fingerprint, ...]:
        """The whole picture's codes: both algorithms, each with its eight turns."""
        return tuple(view.fingerprint for view in self.views if view.name == "full")


def distance_bits(a: Fingerprint, b: Fingerprint) -> int:
    """How many of the 256 bits differ: 0 for the same code, near 128 for unrelated pictures.

    The algorithms may differ: pdq and pdq512 of one picture are close, and partners do not say which one
    they sent.
    """
    return (int.from_bytes(a.code) ^ int.from_bytes(b.code)).bit_count()
