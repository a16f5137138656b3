"""Words of the ledger stage: events, checkpoints and verified receipts as other packages see them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

Json: TypeAlias = "bool | int | str | Sequence[Json] | Mapping[str, Json] | None"


@dataclass(frozen=True, slots=True)
class LedgerEvent:
    """One thing that happened.

    `kind` is dotted lower case ("request.received"), `at` is aware, `subject` is the number or id it is
    about ("R-7K4M-2Q9X"), `details` hold ids, states and counts only: never a name, an address or free text.
    """

    kind: str
    at: datetime
    subject: str
    details: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """An event that has a place in the log; `salt` (32 bytes) opens its commitment."""

    index: int
    event: LedgerEvent
    salt: bytes


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The head of a log at one size; `root` is 32 bytes."""

    origin: str
    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A checkpoint with its published text and the verifier key ("vkey") of the log that signed it."""

    checkpoint: Checkpoint
    text: str
    vkey: str


@dataclass(frozen=True, slots=True)
class VerifiedReceipt:
    """What a receipt proves. `key_pinned` is false if the key was taken from the receipt itself."""

    subject: str
    events: tuple[RecordedEvent, ...]
    tree_size: int
    origin: str
    key_pinned: bool
    signed: SignedCheckpoint


class DamageKind(StrEnum):
    """What does not add up in a stored log."""

    MISSING = "missing"
    COMMITMENT = "commitment"
    COLUMNS = "columns"
    NODE = "node"
    SIZE = "size"
    ROOT = "root"
    CHECKPOINT = "checkpoint"
    SIGNATURE = "signature"


@dataclass(frozen=True, slots=True)
class Damage:
    """The first thing found wrong. `index` is the first entry concerned, None if it is the head itself."""

    kind: DamageKind
    index: int | None


@dataclass(frozen=True, slots=True)
class LogCheck:
    """Outcome of recomputing a stored log: `size` entries, `erased` of them without their event."""

    size: int
    erased: int
    damage: Damage | None

    @property
    def sound(self) -> bool:
        """True if everything was recomputed and agreed."""
        return self.damage is None
