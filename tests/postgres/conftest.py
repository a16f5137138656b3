"""One PostgreSQL for all tests of this folder that run in the same process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.postgres.cluster import Cluster, a_cluster


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A running server."""
    with a_cluster() as running:
        yield running
