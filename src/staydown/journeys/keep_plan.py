"""A depicted person keeps their plan of steps in the case, or deletes it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from staydown.cases import operations
from staydown.journeys.events import EventKind, write
from staydown.journeys.turn import in_turn


@in_turn
def keep_plan(*, case_number: str, answers: str, ticked: Sequence[str], now: datetime) -> None:
    """Keeps the plan with its ticks; the log learns only that there is one. Raises CaseIsWithdrawn."""
    if operations.keep_plan(case_number=case_number, answers=answers, ticked=ticked, now=now):
        write(EventKind.PLAN_KEPT, subject=case_number, now=now)


@in_turn
def forget_plan(*, case_number: str, now: datetime) -> bool:
    """Deletes the plan. False if there was none."""
    deleted = operations.forget_plan(case_number=case_number)
    if deleted:
        write(EventKind.PLAN_DELETED, subject=case_number, now=now)
    return deleted
