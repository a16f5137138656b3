"""What a record of the bank journal says, as values that a bank in memory takes.

Refuses whatever it does not understand, and repeats nothing of it: a record holds digests and codes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import compress
from typing import Any

from staydown.fingerprint.terms import CODE_BYTES, MIN_QUALITY, Algorithm
from staydown.fingerprint.views import MAX_NAME_CHARACTERS
from staydown.journal.errors import BankRecordNotUnderstood
from staydown.matching.bank_search import EntryCodes, HeldEntry
from staydown.matching.held_bank import HeldBank
from staydown.matching.layered_bank import LayeredBank
from staydown.matching.terms import EntryState

_HEX_DIGITS = 64
_ALGORITHMS = {algorithm.value: algorithm for algorithm in Algorithm}


@dataclass(frozen=True, slots=True)
class DroppedEntry:
    """An entry that is in the bank no more."""

    id: str


def apply_bank_record(record: Mapping[str, Any], bank: HeldBank | LayeredBank) -> str:
    """Brings a bank up to date with one record, whose sequence number is the entry's. Returns the entry's id.

    Raises BankRecordNotUnderstood; the bank then holds what it held before.
    """
    change = read_bank_record(record)
    if isinstance(change, DroppedEntry):
        bank.drop(change.id)
    else:
        bank.put(change, number=record["seq"])
    return change.id


def read_bank_record(record: Mapping[str, Any]) -> HeldEntry | DroppedEntry:
    """What the record says. Raises BankRecordNotUnderstood."""
    try:
        if record["op"] == "drop":
            return DroppedEntry(_text(record["entry_id"]))
        if record["op"] != "put":
            raise BankRecordNotUnderstood
        entry = record["entry"]
        return HeldEntry(
            id=_text(entry["id"]),
            bank=_text(entry["bank"]),
            state=EntryState(entry["state"]),
            sha256=_text_or_none(entry["sha256"]),
            md5=_text_or_none(entry["md5"]),
            codes=_codes(entry["codes"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BankRecordNotUnderstood from error


def claimed_entry_id(record: Mapping[str, Any]) -> str:
    """Which entry a record that is not understood is about, as far as it says so."""
    entry = record.get("entry")
    entry_id = entry.get("id") if isinstance(entry, dict) else record.get("entry_id")
    return entry_id if isinstance(entry_id, str) else f"sequence number {record.get('seq')}"


def _codes(rows: Any) -> dict[Algorithm, EntryCodes]:
    """The codes that have enough detail to be sought. Raises ValueError, TypeError, KeyError.

    By columns, not code by code: with dozens of codes an entry, this is what loading a bank costs most.
    """
    if not isinstance(rows, list):
        raise TypeError("codes are a list")
    if not rows:
        return {}
    if set(map(len, rows)) != {4}:
        raise ValueError("a code has four members")
    algorithms, derivations, qualities, digits = zip(*rows, strict=True)
    if set(map(type, qualities)) != {int} or min(qualities) < 0 or max(qualities) > 100:
        raise ValueError("not a quality")
    if not all(0 < len(_text(name)) <= MAX_NAME_CHARACTERS for name in derivations):
        raise ValueError("not a derivation")
    packed = bytes.fromhex("".join(digits))
    if set(map(len, digits)) != {_HEX_DIGITS} or len(packed) != CODE_BYTES * len(rows):
        raise ValueError("not a code")  # the second: white space in it, which fromhex passes over
    codes = [packed[at : at + CODE_BYTES] for at in range(0, len(packed), CODE_BYTES)]
    found = {}
    for name in dict.fromkeys(algorithms):
        rows_of = zip(algorithms, qualities, strict=True)
        is_kept = [algorithm == name and quality >= MIN_QUALITY for algorithm, quality in rows_of]
        if any(is_kept):
            names = tuple(compress(derivations, is_kept))
            found[_ALGORITHMS[name]] = EntryCodes(names, b"".join(compress(codes, is_kept)))
        elif name not in _ALGORITHMS:
            raise KeyError(name)
    return found


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _text_or_none(value: Any) -> str | None:
    return None if value is None else _text(value)
