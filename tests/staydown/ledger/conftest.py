"""A ledger of its own for each test: a key in a temporary folder and a fixed origin."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture
def ledger_settings(settings: Any, tmp_path: Path) -> Any:
    settings.STAYDOWN_LEDGER_KEY_PATH = tmp_path / "keys" / "ledger.key"
    settings.STAYDOWN_LEDGER_ORIGIN = "forum.example/ledger"
    return settings


@pytest.fixture
def recorded(ledger_settings: Any, db: None) -> Callable[[int], None]:
    """Records so many events, an hour apart; every third is about Alice's request."""
    from django.db import transaction

    from staydown.ledger.operations import record
    from staydown.ledger.terms import LedgerEvent

    def fill(count: int) -> None:
        with transaction.atomic():
            for number in range(count):
                subject = "R-AAAA-AAAA" if number % 3 == 0 else f"R-0000-{number:04d}"
                at = NOON + timedelta(hours=number)
                record(LedgerEvent("request.received", at, subject, {"copies": number}))

    return fill
