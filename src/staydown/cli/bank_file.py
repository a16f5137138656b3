"""What `staydown check --bank FILE` compares with: a bank journal, a saved index, a list, a video as vPDQ.

The content tells which. Refuses a file that it does not understand to the end, and prints no code of it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np

from staydown.cli.known_list import ListRefused, read_list
from staydown.fingerprint import MIN_QUALITY, Algorithm, Fingerprint, MalformedFingerprint, QueryView
from staydown.fingerprint.terms import CODE_BYTES
from staydown.fingerprint.video_terms import frame_derivation
from staydown.fingerprint.vpdq import distinct_frames, from_text
from staydown.journal import BankFollower, BankRecordNotUnderstood, JournalError
from staydown.journal.bank_journal import FORMAT
from staydown.journal.lines import decode_line
from staydown.matching import (
    DEFAULT_THRESHOLD_BITS,
    EntryState,
    Index,
    Match,
    MatchingError,
    MatchKind,
    verdict,
)
from staydown.matching.bank_search import HeldEntry, SearchedBank
from staydown.matching.find_video import find_video
from staydown.matching.held_bank import HeldBank, codes_of
from staydown.matching.video import FrameCodes

_HEAD_BYTES = 4096
_INDEX_MAGIC = b"SDINDEX"
# The first feature in each of the forms of vPDQ: lines with a frame number, lines without, JSON.
_VPDQ = re.compile(
    rb"\s*(?:\d+,\d+,[0-9a-f]{64},[0-9.]+|[0-9a-f]{64},\d+,[0-9.]+|\[\s*\"[0-9a-f]{64},|\{\s*\"\d+\"\s*:)",
    re.I,
)


class BankFileRefused(ValueError):
    """The file cannot be used as a bank; says why, for a person."""


class KnownBank(Protocol):
    """What an upload is compared with. Any number of threads may ask."""

    def find(self, views: Sequence[QueryView], *, sha256: str, md5: str) -> list[Match]:
        """Every entry that an upload matches, each once."""

    def find_video(self, query: FrameCodes, *, sha256: str, md5: str) -> list[Match]:
        """The same of a video."""


@dataclass(frozen=True, slots=True)
class BankFile:
    """A file that was understood."""

    bank: KnownBank
    told: str
    """What it holds, in a sentence."""
    warnings: tuple[str, ...] = ()


def open_bank(path: Path, *, max_distance_bits: int = DEFAULT_THRESHOLD_BITS) -> BankFile:
    """The bank in a file. Raises BankFileRefused."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
        if head.startswith(_INDEX_MAGIC):
            return _index(path, max_distance_bits)
        first = decode_line(head.partition(b"\n")[0])
        if first is not None and first.get("format") == FORMAT:
            return _journal(path, max_distance_bits)
        if head.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise BankFileRefused("It is a text in UTF-16; save it as UTF-8.")
        if b"\0" in head:
            raise BankFileRefused("It is no bank journal, no saved index and no list of fingerprints.")
        if _VPDQ.match(head):
            return _vpdq(path, max_distance_bits)
        return _list(path, max_distance_bits)
    except OSError as error:
        raise BankFileRefused(f"It cannot be read: {error.strerror}.") from error
    except (JournalError, MatchingError, ListRefused, MalformedFingerprint) as error:
        raise BankFileRefused(str(error)) from error


def _journal(path: Path, max_distance_bits: int) -> BankFile:
    follower = BankFollower(path, max_distance_bits=max_distance_bits)
    follower.poll()
    if follower.left_out:
        raise BankRecordNotUnderstood
    bank = follower.bank
    return BankFile(OfJournal(bank), f"{len(bank)} entries with {bank.codes} codes")


def _list(path: Path, max_distance_bits: int) -> BankFile:
    found = read_list(path, max_distance_bits=max_distance_bits)
    warnings = []
    if found.codes_left_out:
        warnings.append(
            f"{found.codes_left_out} codes have a quality below 50: they say too little to be compared."
        )
    if found.looks_like_digests:
        warnings.append(
            "Most of these do not look like PDQ codes. If they are SHA-256 digests, write sha256: before "
            "each, or name the column so."
        )
    told = f"{len(found.bank)} entries with {found.bank.codes} codes"
    return BankFile(OfList(found.bank), told, tuple(warnings))


def _vpdq(path: Path, max_distance_bits: int) -> BankFile:
    """One video, under the name of the file. Nobody confirmed it."""
    frames = distinct_frames(from_text(path.read_text(encoding="ascii", errors="replace")))
    codes = codes_of(
        replace(frame.fingerprint, derivation=frame_derivation(frame.at_seconds)) for frame in frames
    )
    bank = HeldBank(max_distance_bits=max_distance_bits)
    bank.put(HeldEntry(path.name, "vpdq", EntryState.UNCONFIRMED, None, None, codes))
    bank.settle()
    return BankFile(OfList(bank), f"a video with {bank.codes} frames")


def _index(path: Path, max_distance_bits: int) -> BankFile:
    index = Index.open(path)
    return BankFile(OfIndex(index, max_distance_bits), f"{len(index)} codes")


@dataclass(frozen=True, slots=True)
class OfJournal:
    """A bank of an installation."""

    bank: SearchedBank

    def find(self, views: Sequence[QueryView], *, sha256: str, md5: str) -> list[Match]:
        """As KnownBank."""
        return self.bank.find(views, sha256=sha256, md5=md5)

    def find_video(self, query: FrameCodes, *, sha256: str, md5: str) -> list[Match]:
        """As KnownBank."""
        return find_video(self.bank, query, sha256=sha256, md5=md5)


@dataclass(frozen=True, slots=True)
class OfList(OfJournal):
    """A bank of codes of which nobody said at which scale they were made: an upload is sought at both."""

    def find(self, views: Sequence[QueryView], *, sha256: str, md5: str) -> list[Match]:
        """As KnownBank."""
        either = [QueryView(view.name, replace(view.fingerprint, algorithm=Algorithm.PDQ)) for view in views]
        return OfJournal.find(self, either, sha256=sha256, md5=md5)


@dataclass(frozen=True, slots=True)
class OfIndex:
    """A saved index: codes under numbers, and nothing else. A match is named by its number.

    Nobody said at which scale its codes were made, or which are of videos: whatever is near is told.
    """

    index: Index
    max_distance_bits: int

    def find_video(self, query: FrameCodes, *, sha256: str, md5: str) -> list[Match]:
        """As KnownBank: each frame as if it were a picture."""
        parts = zip(query.codes, query.derivations, strict=True)
        views = [QueryView(name, Fingerprint(Algorithm.PDQ, code.tobytes(), 100)) for code, name in parts]
        return self.find(views, sha256=sha256, md5=md5)

    def find(self, views: Sequence[QueryView], *, sha256: str, md5: str) -> list[Match]:
        """As KnownBank; never exact, because an index has no digests."""
        sought = [view for view in views if view.fingerprint.quality >= MIN_QUALITY]
        codes = np.frombuffer(b"".join(view.fingerprint.code for view in sought), np.uint8)
        hits = self.index.search(codes.reshape(-1, CODE_BYTES), self.max_distance_bits)
        nearest: dict[int, tuple[int, int]] = {}
        columns = (hits.id.tolist(), hits.distance_bits.tolist(), hits.query.tolist())
        for entry, distance_bits, place in zip(*columns, strict=True):
            nearest[entry] = min((distance_bits, place), nearest.get(entry, (distance_bits, place)))
        state, kind = EntryState.UNCONFIRMED, MatchKind.NEAR
        return [
            Match(
                entry_id=str(entry),
                kind=kind,
                distance_bits=distance_bits,
                derivation="full",
                bank="index",
                state=state,
                rule=verdict(state, kind).rule,
                view=sought[place].name,
            )
            for entry, (distance_bits, place) in nearest.items()
        ]
