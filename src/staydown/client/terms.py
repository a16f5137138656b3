"""The words the SDK speaks in: what a check answers, what a copy is, what a webhook says.

All values are frozen. Unknown members of an answer are ignored, so that an older SDK survives a newer server;
unknown values of `action` are not, because guessing there would let a picture through.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

OnUnreachable = Literal["raise", "allow", "hold"]
Level = Literal["plain", "geo9", "deep"]


class Action(StrEnum):
    """What to do with the upload."""

    ALLOW = "allow"
    HOLD = "hold"
    BLOCK = "block"


@dataclass(frozen=True, slots=True)
class Stretch:
    """Which part of an uploaded video matched, in seconds: its first and its last frame that did.

    `entry_seconds` is the same part of what was registered, None if that is a picture.
    """

    upload_seconds: tuple[float, float]
    entry_seconds: tuple[float, float] | None
    frames: int


@dataclass(frozen=True, slots=True)
class CheckMatch:
    """One entry of the bank that the upload resembles.

    `kind` is "exact" (the same file) or "near"; `distance_bits` is 0..256 and 0 for exact ones; `derivation`
    says which variant of the registered picture matched, `view` in which part of the upload it was found
    ("full", "strip", "cut1", ...); `rule` names the rule that chose the action. A video that is near has a
    `stretch`.
    """

    entry_id: str
    kind: str
    distance_bits: int
    derivation: str
    bank: str
    state: str
    rule: str
    view: str = "full"
    stretch: Stretch | None = None


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The answer to one check.

    A degraded result is no answer to the question: Staydown could not be reached or could not check, and
    `on_unreachable` or the edge bank chose the action. Then `check_id` is None, `matches` is empty, and
    `degraded_reason` says what happened; it is "edge" if the edge bank answered.
    """

    action: Action
    matches: tuple[CheckMatch, ...] = ()
    check_id: str | None = None
    degraded: bool = False
    degraded_reason: str | None = None


@dataclass(frozen=True, slots=True)
class CopyInstruction:
    """One copy that the platform was told to remove, as Staydown knows it now.

    `content_id` is the platform's own id from the check that saw it, `content_url` its address; one may be
    None.
    """

    copy_id: str
    content_id: str | None
    content_url: str | None
    state: str
    kind: str


@dataclass(frozen=True, slots=True)
class GoneReport:
    """What Staydown recorded after the platform said that a copy is gone."""

    copy_id: str
    state: str


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """A webhook whose signature and age were verified.

    `id` is the same for every delivery of one event: remember it, and do nothing the second time. `data`
    carries ids and states only; ask the API for the rest.
    """

    id: str
    type: str
    at: datetime
    data: dict[str, object]
