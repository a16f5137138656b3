"""A list of fingerprints as partners give them, read line by line: codes, MD5 or SHA-256 digests.

Refuses a list with a bad line, and names the line: a list that is understood in part would let through what
it lists. Never repeats what stands in a line.
"""

import csv
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from staydown.fingerprint import MIN_QUALITY, Algorithm, Fingerprint, MalformedFingerprint
from staydown.fingerprint.views import is_derivation
from staydown.matching import EntryState
from staydown.matching.bank_search import HeldEntry
from staydown.matching.held_bank import HeldBank, codes_of

# Bad lines that are named before the rest is only counted.
_NAMED_LINES = 5

# A PDQ code says which coefficients lie above their median, so half of its bits are ones; of random digests
# one in four comes this close to half. From so many lines on, that tells a list of unnamed SHA-256 digests.
_NEAR_HALF_BITS = 2
_TELLING_LINES = 20

_BARE = re.compile(r"(?:(pdq|sha256|md5):)?([0-9a-fA-F]+)(?:[,;\t ]+([0-9]{1,3}))?", re.IGNORECASE)
_MEANING_OF_LENGTH = {64: "pdq", 32: "md5"}

# What columns and members mean, by their names without spaces and signs.
_MEANINGS = {
    **dict.fromkeys(("pdq", "pdqhash", "pdqhex", "hash", "hex", "code", "fingerprint"), "pdq"),
    **dict.fromkeys(("quality", "pdqquality"), "quality"),
    **dict.fromkeys(("sha256", "sha256hash"), "sha256"),
    **dict.fromkeys(("md5", "md5hash"), "md5"),
    **dict.fromkeys(("id", "entryid", "path", "name"), "id"),
    **dict.fromkeys(("pdq512", "codes", "error"), ""),
}


class ListRefused(ValueError):
    """The list cannot be used; says where and why, for a person."""


class _BadLine(ValueError):
    """Why one line cannot be used, as a clause."""


@dataclass(slots=True)
class KnownList:
    """What a list gave."""

    bank: HeldBank
    codes_left_out: int = 0
    """Codes of too little detail (quality below 50): they are not sought."""
    looks_like_digests: bool = False
    """Most bare codes are no more balanced than random bits: they may be SHA-256 digests without a name."""


@dataclass(slots=True)
class _Entry:
    """What one line says. All codes count as pdq: partners do not say at which scale they made theirs."""

    id: str | None = None
    codes: list[Fingerprint] = field(default_factory=list)
    sha256: str | None = None
    md5: str | None = None

    def add_code(self, digits: Any, quality: Any = None, *, derivation: str = "full") -> None:
        """Raises _BadLine."""
        if not isinstance(digits, str) or not isinstance(quality, int | None) or isinstance(quality, bool):
            raise _BadLine("a code is written as 64 hex digits, a quality as a number")
        if len(digits) != 64:
            raise _BadLine(f"a code has 64 hex digits, this has {len(digits)} characters")
        try:
            code = Fingerprint.from_hex(
                digits,
                algorithm=Algorithm.PDQ,
                quality=100 if quality is None else quality,
                derivation=derivation,
            )
        except MalformedFingerprint as error:
            raise _BadLine(str(error).rstrip(".")) from None
        self.codes.append(code)

    def add_digest(self, kind: str, digits: Any) -> None:
        """Raises _BadLine."""
        length = 64 if kind == "sha256" else 32
        if not isinstance(digits, str) or not re.fullmatch(rf"[0-9a-fA-F]{{{length}}}", digits):
            raise _BadLine(f"a digest of the kind {kind} has {length} hex digits")
        setattr(self, kind, digits.lower())


def read_list(path: Path, *, max_distance_bits: int) -> KnownList:
    """The list as a bank; an entry's id is the list's own ("id", "path"), or its line ("line-17").

    A line is "hex", "hex,quality", "md5:hex" or "sha256:hex"; a row under a header that names its columns; or
    a JSON object such as `staydown fingerprint --codes` prints. Nobody has confirmed such entries, so what
    matches one is to be held. Raises ListRefused, OSError.
    """
    found = KnownList(HeldBank(max_distance_bits=max_distance_bits))
    bad: list[str] = []
    bare = balanced = bad_lines = 0
    with path.open(encoding="utf-8-sig", newline="") as file:
        for number, content in _lines(file):
            try:
                entry = _entry(content)
            except _BadLine as error:
                bad_lines += 1
                if len(bad) < _NAMED_LINES:
                    bad.append(f"line {number}: {error}.")
                continue
            if entry is None:
                continue
            if isinstance(content, str) and entry.codes:
                bare += 1
                balanced += abs(int.from_bytes(entry.codes[0].code).bit_count() - 128) <= _NEAR_HALF_BITS
            found.codes_left_out += sum(code.quality < MIN_QUALITY for code in entry.codes)
            _put(found.bank, entry, number)
    if bad:
        rest = [f"... and {bad_lines - len(bad)} more."] if bad_lines > len(bad) else []
        raise ListRefused("\n".join([*bad, *rest]))
    if not len(found.bank):
        raise ListRefused("There is no code and no digest in it.")
    found.looks_like_digests = bare >= _TELLING_LINES and balanced < bare / 2
    found.bank.settle()
    return found


def _put(bank: HeldBank, entry: _Entry, line: int) -> None:
    entry_id = entry.id or f"line-{line}"
    if entry_id in bank:  # the same name twice: both count
        entry_id = f"{entry_id}#line-{line}"
    codes = codes_of(entry.codes)
    bank.put(HeldEntry(entry_id, "list", EntryState.UNCONFIRMED, entry.sha256, entry.md5, codes))


def _lines(file: IO[str]) -> Iterator[tuple[int, str | Mapping[str, Any]]]:
    """Number and content of each line: text, or members by what they mean. Raises ListRefused."""
    header: list[str] | None = None
    delimiter, is_first = ",", True
    number = 0
    try:
        for number, raw in enumerate(file, start=1):
            line = raw.strip()
            if not line or line.startswith("#"):
                continue
            if is_first and not line.startswith("{"):
                delimiter = max(",;\t", key=line.count)
                header = _header(next(csv.reader([line], delimiter=delimiter)))
                is_first = False
                if header is not None:
                    continue
            if header is None:
                yield number, line
            else:
                cells = next(csv.reader([line], delimiter=delimiter))
                yield number, {name: cell.strip() for name, cell in zip(header, cells, strict=False)}
    except UnicodeDecodeError:
        raise ListRefused(f"After line {number} it is no text in UTF-8.") from None
    except csv.Error:
        raise ListRefused(f"line {number}: this is no row of a table.") from None


def _header(cells: list[str]) -> list[str] | None:
    """What the columns mean, or None if this line is no header."""
    meanings = [_meaning(cell) for cell in cells]
    return meanings if {"pdq", "sha256", "md5"} & set(meanings) else None


def _meaning(name: str) -> str:
    return _MEANINGS.get(re.sub(r"[^a-z0-9]", "", name.lower()), "")


def _entry(content: str | Mapping[str, Any]) -> _Entry | None:
    """What a line says; None for a file that `staydown fingerprint` could not read. Raises _BadLine."""
    if isinstance(content, str):
        entry = _of_object(content) if content.startswith("{") else _of_bare(content)
    else:
        entry = _of_row(content)
    if entry is not None and not (entry.codes or entry.sha256 or entry.md5):
        raise _BadLine("there is neither a code nor a digest")
    return entry


def _of_bare(line: str) -> _Entry:
    found = _BARE.fullmatch(line)
    if not found:
        raise _BadLine("this is neither a code nor a digest")
    kind, digits, quality = found[1], found[2], found[3]
    kind = kind.lower() if kind else _MEANING_OF_LENGTH.get(len(digits))
    if kind is None:
        raise _BadLine(f"a code has 64 hex digits and an MD5 digest 32, this has {len(digits)}")
    entry = _Entry()
    if kind == "pdq":
        entry.add_code(digits, int(quality) if quality else None)
    else:
        entry.add_digest(kind, digits)
    return entry


def _of_row(cells: Mapping[str, str]) -> _Entry:
    entry = _Entry(id=cells.get("id") or None)
    quality = cells.get("quality")
    if quality and not quality.isdecimal():
        raise _BadLine("a quality is a number from 0 to 100")
    if digits := cells.get("pdq"):
        entry.add_code(digits, int(quality) if quality else None)
    for kind in ("sha256", "md5"):
        if digits := cells.get(kind):
            entry.add_digest(kind, digits)
    return entry


def _of_object(line: str) -> _Entry | None:
    try:
        members = json.loads(line)
    except (ValueError, RecursionError):
        raise _BadLine("this is no whole JSON object") from None
    if "error" in members and "path" in members:
        return None
    entry, quality = _Entry(), members.get("quality")
    for name, value in members.items():
        kind = _meaning(name)
        if value is None or (not kind and name not in ("pdq512", "codes")):
            continue
        if kind == "id" and isinstance(value, str | int):
            entry.id = str(value)
        elif kind in ("sha256", "md5"):
            entry.add_digest(kind, value)
        elif name == "codes":
            _add_codes(entry, value)
        elif isinstance(value, dict):
            entry.add_code(value.get("hex"), value.get("quality"))
        elif kind != "quality":
            entry.add_code(value, quality)
    return entry


def _add_codes(entry: _Entry, rows: Any) -> None:
    """Codes as a submission has them: algorithm, derivation, quality, hex."""
    if not isinstance(rows, list) or not all(isinstance(row, list) and len(row) == 4 for row in rows):
        raise _BadLine('"codes" is a list of algorithm, derivation, quality and hex')
    for _, derivation, quality, digits in rows:
        if not isinstance(derivation, str) or not is_derivation(derivation):
            raise _BadLine("a derivation is not one that is known")
        entry.add_code(digits, quality, derivation=derivation)
