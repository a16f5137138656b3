"""A flood waits for a person until somebody has decided or it is over."""

from __future__ import annotations

from datetime import datetime

import pytest

from staydown.bank.terms import Flood, FloodAnswer, FloodChoice, FloodDecision, FloodReason
from staydown.matching.terms import EntryState
from tests.staydown.conftest import NOW

KEPT_OUT = FloodChoice(FloodDecision.KEEP_OUT, FloodReason.FITS_MANY_PICTURES, "bob", NOW)


@pytest.mark.parametrize(
    ("closed_at", "choices", "waits"),
    [(None, (), True), (None, (KEPT_OUT,), False), (NOW, (), False), (NOW, (KEPT_OUT,), False)],
    ids=["new", "kept out", "withdrawn", "over"],
)
def test_flood_waits_until_somebody_decided_or_it_is_over(
    closed_at: datetime | None, choices: tuple[FloodChoice, ...], waits: bool
) -> None:
    flood = Flood(
        id="fld_1",
        entry_id="ent_1",
        bank="default",
        state=EntryState.QUARANTINED,
        state_before=EntryState.UNCONFIRMED,
        platform_id="pf_1",
        answer=FloodAnswer.QUARANTINE,
        near=80,
        far=80,
        usual=0,
        found_at=NOW,
        closed_at=closed_at,
        choices=choices,
    )

    assert flood.waits is waits
