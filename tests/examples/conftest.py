"""Harbour, the example forum, with Staydown's in-memory twin. Nobody is a member at first."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.doubles.staydown_server import StaydownDouble

sys.path.append(str(Path(__file__).resolve().parents[2] / "examples"))

from argon2 import PasswordHasher

from tests.examples.harbour import Harbour

# Argon2id as it should be takes a good part of a second each time; what is tested here is not its strength.
_QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture
def staydown() -> StaydownDouble:
    return StaydownDouble()


@pytest.fixture
def harbour(tmp_path: Path, staydown: StaydownDouble, monkeypatch: pytest.MonkeyPatch) -> Iterator[Harbour]:
    """A running forum without members."""
    monkeypatch.setattr("forum.members._ARGON2ID", _QUICK)
    monkeypatch.setattr("forum.duties.FIRST_RETRY_SECONDS", 0.02)
    with Harbour(tmp_path / "forum", staydown) as running:
        yield running
