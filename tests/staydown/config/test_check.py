"""The upload check is set by its installation's environment, and wrong settings are named at the start."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from staydown.config import check
from staydown.journal import BankJournalWriter, write_tokens


@pytest.fixture(autouse=True)
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STAYDOWN_DATA_DIR", str(tmp_path))
    for name in ("STAYDOWN_FETCH_HOSTS", "STAYDOWN_METRICS_OPEN"):
        monkeypatch.delenv(name, raising=False)
    with BankJournalWriter(tmp_path / "bank.journal"):
        pass
    write_tokens(tmp_path / "tokens.json", [])
    return tmp_path


def local_client() -> TestClient:
    return TestClient(check.application(), client=("127.0.0.1", 50000))


def test_upload_check_alone_answers_its_probes() -> None:
    with local_client() as client:
        assert client.get("/readyz").status_code == 200
        assert client.get("/").status_code == 404


@pytest.mark.parametrize(("value", "status"), [(None, 401), ("0", 401), ("true", 401), ("1", 200)])
def test_metrics_are_open_to_this_machine_only_where_the_installation_says_so(
    monkeypatch: pytest.MonkeyPatch, value: str | None, status: int
) -> None:
    if value is not None:
        monkeypatch.setenv("STAYDOWN_METRICS_OPEN", value)

    with local_client() as client:
        assert client.get("/metrics").status_code == status


def test_host_that_cannot_be_meant_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAYDOWN_FETCH_HOSTS", "cdn.example,*.example")

    with pytest.raises(ValueError, match="STAYDOWN_FETCH_HOSTS"):
        check.application()
