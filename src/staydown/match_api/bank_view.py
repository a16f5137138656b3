"""The bank in memory: digests, and one index for each algorithm, following the bank journal.

Lives on one thread (the event loop): a refresh and a search never overlap. Refuses to answer from a bank that
it could not read to the end; a withdrawal may stand in the part that is missing.
Known: a refresh runs on the event loop, so a new generation of a large bank holds requests up while it loads.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from staydown.errors import StaydownError
from staydown.fingerprint import DERIVATIONS, MIN_QUALITY, Algorithm, Fingerprint, MalformedFingerprint
from staydown.journal import BankJournalReader, Reset
from staydown.match_api.code_store import CodePlace, CodeStore
from staydown.match_api.terms import Upload
from staydown.matching import EntryState, Match, MatchKind, verdict

logger = logging.getLogger(__name__)


class _EntryBody(msgspec.Struct, frozen=True):
    """An entry as the bank journal has it."""

    id: str
    bank: str
    state: EntryState
    sha256: str | None
    md5: str | None
    codes: list[tuple[Algorithm, str, int, str]]


class _Put(msgspec.Struct, frozen=True, tag_field="op", tag="put"):
    entry: _EntryBody


class _Drop(msgspec.Struct, frozen=True, tag_field="op", tag="drop"):
    entry_id: str


@dataclass(frozen=True, slots=True)
class _Entry:
    """An entry as it is kept: its codes are in the indexes."""

    bank: str
    state: EntryState
    sha256: str | None
    md5: str | None
    code_ids: tuple[tuple[Algorithm, int], ...]


class BankView:
    """Call `refresh`, then `find`. `trouble` says in a word why there is nothing to search, or is None."""

    def __init__(self, path: Path, *, max_distance_bits: int, retry_unreadable_seconds: float) -> None:
        self._path = path
        self._max_distance_bits = max_distance_bits
        self._retry_unreadable_seconds = retry_unreadable_seconds
        self._retry_at = 0.0
        self.trouble: str | None = "bank-missing"
        self._reader = BankJournalReader(path)
        self._forget()

    def close(self) -> None:
        """Closes the journal and forgets the bank; `refresh` begins anew."""
        self._reader.close()
        self._reader = BankJournalReader(self._path)
        self._forget()

    def _forget(self) -> None:
        self._entries: dict[str, _Entry] = {}
        self._by_sha256: dict[str, set[str]] = {}
        self._by_md5: dict[str, set[str]] = {}
        self._stores = {algorithm: CodeStore() for algorithm in Algorithm}
        self._next_code_id = 0
        self._left_out: set[str] = set()

    def counts(self) -> dict[str, int]:
        """How many entries and codes there are, and entries that could not be understood."""
        codes = sum(map(len, self._stores.values()))
        return {"entries": len(self._entries), "codes": codes, "entries_left_out": len(self._left_out)}

    def refresh(self) -> None:
        """Takes in what the journal gained: one stat if nothing. A bad journal sets `trouble`."""
        if self.trouble == "bank-unreadable" and time.monotonic() < self._retry_at:
            return
        try:
            self._take_in()
        except (StaydownError, OSError, ValueError) as error:
            if self.trouble != "bank-unreadable":
                logger.error("the bank journal cannot be read: %s", error)
            self._give_up()
        except Exception:
            self._give_up()
            raise
        else:
            self.trouble = None if self._reader.exists else "bank-missing"

    def _give_up(self) -> None:
        """Half a change may have been taken in, so the next try begins anew."""
        self.trouble = "bank-unreadable"
        self._retry_at = time.monotonic() + self._retry_unreadable_seconds
        self.close()

    def _take_in(self) -> None:
        news = self._reader.poll()
        if not news:
            return
        for record in news:
            if isinstance(record, Reset):
                self._forget()
            else:
                self._apply(record)
        for store in self._stores.values():
            store.settle()

    def _apply(self, record: dict[str, Any]) -> None:
        """One bad record must not stop every check: the entry is left out, told in the log and in /readyz."""
        try:
            change = msgspec.convert(record, _Put | _Drop)
            entry_id = change.entry.id if isinstance(change, _Put) else change.entry_id
            codes = _codes(change.entry) if isinstance(change, _Put) else []
        except (msgspec.ValidationError, MalformedFingerprint):
            logger.error("bank journal record %s is not understood and is left out", record.get("seq"))
            entry_id = _claimed_entry_id(record)
            self._drop(entry_id)
            self._left_out.add(entry_id)
            return
        self._drop(entry_id)
        self._left_out.discard(entry_id)
        if isinstance(change, _Put):
            self._put(change.entry, codes)

    def _put(self, body: _EntryBody, codes: list[Fingerprint]) -> None:
        code_ids = []
        for code in codes:
            code_id = self._next_code_id
            self._next_code_id += 1
            self._stores[code.algorithm].add(code_id, code.code, CodePlace(body.id, code.derivation))
            code_ids.append((code.algorithm, code_id))
        sha256, md5 = body.sha256 and body.sha256.lower(), body.md5 and body.md5.lower()
        self._entries[body.id] = _Entry(body.bank, body.state, sha256, md5, tuple(code_ids))
        for value, known in ((sha256, self._by_sha256), (md5, self._by_md5)):
            if value:
                known.setdefault(value, set()).add(body.id)

    def _drop(self, entry_id: str) -> None:
        entry = self._entries.pop(entry_id, None)
        if entry is None:
            return
        for value, known in ((entry.sha256, self._by_sha256), (entry.md5, self._by_md5)):
            if value:
                known[value].discard(entry_id)
                if not known[value]:
                    del known[value]
        for algorithm, code_id in entry.code_ids:
            self._stores[algorithm].remove(code_id)

    def find(self, upload: Upload) -> list[Match]:
        """Every entry that the upload matches, each once: exact before near, then the nearest code."""
        best: dict[str, tuple[MatchKind, int, str]] = {}
        for fingerprint in upload.searchable():
            if fingerprint.quality < MIN_QUALITY:
                continue
            store = self._stores[fingerprint.algorithm]
            for distance_bits, place in store.within(
                fingerprint.code, max_distance_bits=self._max_distance_bits
            ):
                known = best.get(place.entry_id)
                if known is None or distance_bits < known[1]:
                    best[place.entry_id] = (MatchKind.NEAR, distance_bits, place.derivation)
        for entry_id in self._exact(upload):
            best[entry_id] = (MatchKind.EXACT, 0, DERIVATIONS[0])
        return [self._match(entry_id, *found) for entry_id, found in best.items()]

    def _exact(self, upload: Upload) -> Iterator[str]:
        """MD5 can be forged, so it counts only where SHA-256 cannot speak: when one side does not have it."""
        if upload.sha256:
            yield from self._by_sha256.get(upload.sha256, ())
        if upload.md5:
            for entry_id in self._by_md5.get(upload.md5, ()):
                if not upload.sha256 or not self._entries[entry_id].sha256:
                    yield entry_id

    def _match(self, entry_id: str, kind: MatchKind, distance_bits: int, derivation: str) -> Match:
        entry = self._entries[entry_id]
        return Match(
            entry_id=entry_id,
            kind=kind,
            distance_bits=distance_bits,
            derivation=derivation,
            bank=entry.bank,
            state=entry.state,
            rule=verdict(entry.state, kind).rule,
        )


def _codes(body: _EntryBody) -> list[Fingerprint]:
    """The codes of an entry that have enough detail to be sought. Raises MalformedFingerprint."""
    codes = [
        Fingerprint.from_hex(digits, algorithm=algorithm, quality=quality, derivation=derivation)
        for algorithm, derivation, quality, digits in body.codes
    ]
    return [code for code in codes if code.quality >= MIN_QUALITY]


def _claimed_entry_id(record: dict[str, Any]) -> str:
    """Which entry a record that is not understood is about, as far as it says so."""
    entry = record.get("entry")
    entry_id = entry.get("id") if isinstance(entry, dict) else record.get("entry_id")
    return entry_id if isinstance(entry_id, str) else f"sequence number {record.get('seq')}"
