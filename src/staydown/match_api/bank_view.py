"""The bank in memory: digests, and one index for each algorithm, following the bank journal.

Lives on one thread (the event loop): a refresh and a search never overlap. Refuses to answer from a bank that
it could not read to the end; a withdrawal may stand in the part that is missing.
Known: a refresh runs on the event loop, so a new generation of a large bank holds requests up while it loads.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from staydown.errors import StaydownError
from staydown.fingerprint import DERIVATIONS, MIN_QUALITY, Algorithm, Fingerprint, MalformedFingerprint
from staydown.journal import BankJournalReader, Reset
from staydown.match_api.terms import Upload
from staydown.matching import EntryState, Index, Match, MatchKind, verdict

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Entry:
    id: str
    bank: str
    state: EntryState
    sha256: str | None
    md5: str | None
    code_ids: tuple[tuple[Algorithm, int], ...] = ()


@dataclass(frozen=True, slots=True)
class _Place:
    """What a code id in an index stands for."""

    entry_id: str
    derivation: str


class _CodeStore:
    """The codes of one algorithm. Changes wait until `settle`, so that a long journal is added at once."""

    def __init__(self) -> None:
        self.places: dict[int, _Place] = {}
        self._index = Index()
        self._added: dict[int, bytes] = {}
        self._removed: list[int] = []

    def add(self, code_id: int, code: bytes, place: _Place) -> None:
        self.places[code_id] = place
        self._added[code_id] = code

    def remove(self, code_id: int) -> None:
        del self.places[code_id]
        if self._added.pop(code_id, None) is None:
            self._removed.append(code_id)

    def settle(self) -> None:
        if self._removed:
            self._index.remove(np.array(self._removed, np.uint64))
            self._removed = []
        if self._added:
            codes = np.frombuffer(b"".join(self._added.values()), np.uint8).reshape(-1, 32)
            self._index.add(codes, np.fromiter(self._added, np.uint64, len(self._added)))
            self._added = {}

    def within(self, code: bytes, *, max_distance_bits: int) -> Iterator[tuple[int, _Place]]:
        hits = self._index.search(np.frombuffer(code, np.uint8).reshape(1, 32), max_distance_bits)
        for code_id, distance_bits in zip(hits.id.tolist(), hits.distance_bits.tolist(), strict=True):
            yield distance_bits, self.places[code_id]


class BankView:
    """Call `refresh`, then `find`. `trouble` says in a word why there is nothing to search, or is None."""

    def __init__(self, path: Path, *, max_distance_bits: int, retry_unreadable_seconds: float) -> None:
        self._path = path
        self._max_distance_bits = max_distance_bits
        self._retry_unreadable_seconds = retry_unreadable_seconds
        self._retry_at = 0.0
        self.trouble: str | None = "bank-missing"
        self._start_again()

    def _start_again(self) -> None:
        self._reader = BankJournalReader(self._path)
        self._forget()

    def _forget(self) -> None:
        self._entries: dict[str, _Entry] = {}
        self._by_sha256: dict[str, set[str]] = {}
        self._by_md5: dict[str, set[str]] = {}
        self._stores = {algorithm: _CodeStore() for algorithm in Algorithm}
        self._next_code_id = 0
        self._left_out: set[str] = set()

    def counts(self) -> dict[str, int]:
        """How many entries and codes there are, and entries that could not be understood."""
        codes = sum(len(store.places) for store in self._stores.values())
        return {"entries": len(self._entries), "codes": codes, "entries_left_out": len(self._left_out)}

    def refresh(self) -> None:
        """Takes in what the journal gained: one stat if nothing. A bad journal sets `trouble`."""
        if self.trouble == "bank-unreadable" and time.monotonic() < self._retry_at:
            return
        try:
            self._take_in()
        except (StaydownError, OSError, ValueError) as error:
            # What was read before the bad line is gone with the error, so the next try begins anew.
            if self.trouble != "bank-unreadable":
                logger.error("the bank journal cannot be read: %s", error)
            self.trouble = "bank-unreadable"
            self._retry_at = time.monotonic() + self._retry_unreadable_seconds
            self._start_again()
        else:
            self.trouble = None if self._reader.exists else "bank-missing"

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
            if record["op"] == "drop":
                self._drop(record["entry_id"])
                self._left_out.discard(record["entry_id"])
                return
            if record["op"] != "put":
                raise ValueError
            entry_id = record["entry"]["id"]
            self._drop(entry_id)
        except (KeyError, TypeError, ValueError):
            logger.error("bank journal record %s is not understood and is left out", record.get("seq"))
            self._left_out.add(f"seq {record.get('seq')}")
            return
        try:
            self._put(_read_entry(record["entry"]), _read_codes(record["entry"]))
            self._left_out.discard(entry_id)
        except (KeyError, TypeError, ValueError, AttributeError, MalformedFingerprint):
            logger.error("bank journal record %s is not understood and is left out", record.get("seq"))
            self._left_out.add(entry_id)

    def _put(self, entry: _Entry, codes: list[Fingerprint]) -> None:
        code_ids = []
        for code in codes:
            code_id = self._next_code_id
            self._next_code_id += 1
            self._stores[code.algorithm].add(code_id, code.code, _Place(entry.id, code.derivation))
            code_ids.append((code.algorithm, code_id))
        self._entries[entry.id] = replace(entry, code_ids=tuple(code_ids))
        for value, known in ((entry.sha256, self._by_sha256), (entry.md5, self._by_md5)):
            if value:
                known.setdefault(value, set()).add(entry.id)

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


def _read_entry(body: dict[str, Any]) -> _Entry:
    """The entry of a journal record. Raises what a record of another form makes it raise."""
    return _Entry(
        id=body["id"],
        bank=body["bank"],
        state=EntryState(body["state"]),
        sha256=body["sha256"].lower() if body["sha256"] else None,
        md5=body["md5"].lower() if body["md5"] else None,
    )


def _read_codes(body: dict[str, Any]) -> list[Fingerprint]:
    """The codes of a journal record that have enough detail to be sought. Raises as `_read_entry`."""
    codes = [
        Fingerprint.from_hex(digits, algorithm=Algorithm(algorithm), quality=quality, derivation=derivation)
        for algorithm, derivation, quality, digits in body["codes"]
    ]
    return [code for code in codes if code.quality >= MIN_QUALITY]
