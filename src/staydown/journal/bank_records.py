"""What a record of the bank journal says, as values that a bank in memory takes.

Refuses whatever it does not understand, and repeats nothing of it: a record holds digests and codes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from staydown.fingerprint.terms import MIN_QUALITY, Algorithm
from staydown.fingerprint.views import MAX_NAME_CHARACTERS
from staydown.journal.errors import BankRecordNotUnderstood
from staydown.matching.held_bank import Codes, HeldBank, HeldEntry
from staydown.matching.terms import EntryState

_HEX_DIGITS = 64


@dataclass(frozen=True, slots=True)
class DroppedEntry:
    """An entry that is in the bank no more."""

    id: str


def apply_bank_record(record: Mapping[str, Any], bank: HeldBank) -> str:
    """Brings a bank in memory up to date with one record. Returns the entry's id.

    Raises BankRecordNotUnderstood; the bank then holds what it held before.
    """
    change = read_bank_record(record)
    if isinstance(change, DroppedEntry):
        bank.drop(change.id)
    else:
        bank.put(change)
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


def _codes(rows: Iterable[Any]) -> dict[Algorithm, Codes]:
    """The codes that have enough detail to be sought. Raises ValueError, TypeError.

    One conversion for each algorithm: with dozens of codes an entry, this is what loading a bank costs most.
    """
    found: dict[Algorithm, tuple[list[str], list[str]]] = {}
    for algorithm, derivation, quality, digits in rows:
        if type(quality) is not int or not 0 <= quality <= 100:
            raise ValueError("not a quality")
        if len(digits) != _HEX_DIGITS or not 0 < len(_text(derivation)) <= MAX_NAME_CHARACTERS:
            raise ValueError("not a code")
        names, texts = found.setdefault(Algorithm(algorithm), ([], []))
        if quality >= MIN_QUALITY:
            names.append(derivation)
            texts.append(digits)
        else:
            bytes.fromhex(digits)
    # A code with white space in it comes out short, which Codes refuses.
    return {
        algorithm: Codes(tuple(names), bytes.fromhex("".join(texts)))
        for algorithm, (names, texts) in found.items()
        if names
    }


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _text_or_none(value: Any) -> str | None:
    return None if value is None else _text(value)
