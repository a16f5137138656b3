"""The stages and journeys keep their promises on PostgreSQL, also where transactions overlap.

A process has one database, so these tests run in one of their own. Here is a choice that takes half a minute;
docs/how-to/use-postgresql.md says how to run them all.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.postgres.cluster import Cluster

ROOT = Path(__file__).resolve().parents[2]
CHOSEN = (
    "tests/postgres/overlap.py",
    *(
        f"tests/staydown/{stage}/test_{part}.py"
        for stage in ("access", "action", "bank", "cases", "catalog", "notices", "review")
        for part in ("models", "operations", "queries")
    ),
    "tests/staydown/ledger/test_operations.py",
    *(
        f"tests/staydown/journeys/test_{name}.py"
        for name in ("file_request", "guard_flood", "judge_flood", "publishing", "record_checks", "withdraw")
    ),
)


def test_stages_and_journeys_work_on_postgresql(cluster: Cluster, tmp_path: Path) -> None:
    # Given tests that pass on SQLite, and those that only PostgreSQL can fail
    environment = {
        **os.environ,
        "STAYDOWN_DATABASE_URL": cluster.url("postgres"),
        "STAYDOWN_DATA_DIR": str(tmp_path),
    }
    for name in ("PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT", "PYTEST_XDIST_TESTRUNUID"):
        environment.pop(name, None)

    # When they run in a process whose database is PostgreSQL
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *CHOSEN],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    # Then all pass
    assert run.returncode == 0, run.stdout[-20_000:] + run.stderr[-2_000:]
