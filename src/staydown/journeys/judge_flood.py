"""A reviewer judges what the flood guard found: puts an entry back to work, or keeps it out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from staydown.access.queries import platforms
from staydown.bank.operations import decide_flood
from staydown.bank.queries import entry_by_id, matches_by_hour, open_floods
from staydown.bank.terms import Flood, FloodDecision, FloodReason, HourOfMatches
from staydown.journeys.events import EventKind, subject_of, write
from staydown.journeys.publishing import publish_bank_after_commit
from staydown.journeys.turn import in_turn
from staydown.matching.terms import EntryState

# The day around the flood: what was usual before, and whether it goes on.
HOURS_SHOWN = 24
HOURS_AFTER = 12


@dataclass(frozen=True, slots=True)
class FloodOverview:
    """One open flood as the desk shows it: counts, no picture and nothing of whose it is."""

    flood: Flood
    platform_name: str
    hours: tuple[HourOfMatches, ...]

    @property
    def paused(self) -> bool:
        """Whether the entry does nothing now."""
        return self.flood.state is EntryState.QUARANTINED

    @property
    def most_in_an_hour(self) -> int:
        """The tallest bar, at least 1."""
        return max(1, *(hour.near for hour in self.hours))


def floods_for_desk(*, now: datetime) -> tuple[FloodOverview, ...]:
    """Every open flood with the hours around it, those that wait for a person first."""
    names = {platform.id: platform.name for platform in platforms()}
    return tuple(
        FloodOverview(
            flood=flood,
            platform_name=names[flood.platform_id],
            hours=matches_by_hour(flood.entry_id, since=_first_hour(flood, now=now), hours=HOURS_SHOWN),
        )
        for flood in open_floods()
    )


def _first_hour(flood: Flood, *, now: datetime) -> datetime:
    return min(now, flood.found_at + timedelta(hours=HOURS_AFTER)) - timedelta(hours=HOURS_SHOWN - 1)


@in_turn
def judge_flood(
    *,
    flood_id: str,
    reviewer_id: int,
    decision: FloodDecision,
    reason: FloodReason | None,
    now: datetime,
) -> None:
    """Puts the entry back into its former state, or keeps it out until somebody puts it back.

    Raises FloodNotFound, FloodIsOver or FloodReasonDoesNotFit.
    """
    before = decide_flood(
        flood_id=flood_id, reviewer_id=reviewer_id, decision=decision, reason=reason, now=now
    )
    why = reason.value if reason else None
    was_paused = before.state is EntryState.QUARANTINED
    if decision is FloodDecision.PUT_BACK and not was_paused:
        # Nothing changed for the person, so it is not in their receipt.
        write(EventKind.FLOOD_DISMISSED, subject=flood_id, now=now, reason=why)
        return
    entry = entry_by_id(before.entry_id)
    kind = EventKind.ENTRY_PUT_BACK if decision is FloodDecision.PUT_BACK else EventKind.ENTRY_KEPT_OUT
    write(
        kind,
        subject=subject_of(entry),
        now=now,
        registration=entry.registration_id,
        flood=flood_id,
        reason=why,
    )
    publish_bank_after_commit()
