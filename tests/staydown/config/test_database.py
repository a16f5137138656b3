"""SQLite unless the environment names a PostgreSQL; an address that is not understood is not repeated."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from staydown.config.database import DatabaseUrlNotUnderstood, database_settings


def test_without_an_address_rows_lie_in_the_data_folder(tmp_path: Path) -> None:
    made = database_settings("", data_dir=tmp_path)

    assert (made["ENGINE"], made["NAME"]) == ("django.db.backends.sqlite3", tmp_path / "staydown.sqlite3")
    assert made["OPTIONS"]["transaction_mode"] == "IMMEDIATE"


@pytest.mark.parametrize("scheme", ["postgresql", "postgres"])
def test_address_names_server_role_and_database(tmp_path: Path, scheme: str) -> None:
    made = database_settings(f"{scheme}://st%40y:p%2Fw@db.example:5433/down", data_dir=tmp_path)

    assert made["ENGINE"] == "django.db.backends.postgresql"
    assert [made[name] for name in ("USER", "PASSWORD", "HOST", "PORT", "NAME")] == [
        *("st@y", "p/w", "db.example", "5433", "down")
    ]


@pytest.mark.parametrize(
    "url", ["postgresql:///down?host=/run/postgresql", "postgresql://%2Frun%2Fpostgresql/down"]
)
def test_socket_is_named_as_psql_names_it(tmp_path: Path, url: str) -> None:
    made = database_settings(url, data_dir=tmp_path)

    assert (made["HOST"], made["NAME"], made["USER"]) == ("/run/postgresql", "down", "")


def test_waiting_ends_and_an_operators_own_options_come_last(tmp_path: Path) -> None:
    # Given an address with parameters of libpq
    url = "postgresql://u@h/down?sslmode=verify-full&options=-c%20statement_timeout%3D5s"

    # Then ours stand before the operator's, and theirs are kept
    options = database_settings(url, data_dir=tmp_path)["OPTIONS"]
    assert options["sslmode"] == "verify-full"
    assert options["options"].startswith("-c lock_timeout=20s -c statement_timeout=30s")
    assert options["options"].endswith("-c statement_timeout=5s")


@pytest.mark.parametrize(
    "url",
    [
        "mysql://u:s3cret@h/down",
        "sqlite:///s3cret",
        "s3cret",
        "postgresql://u:s3cret@h",
        "postgresql://u:s3cret@h/",
        "postgresql://u:s3cret@[h/down",
        "postgresql://u:s3cret@h/down?s3cret=1",
        "postgresql://u:%s3cret@h/down",
    ],
)
def test_address_that_is_not_understood_is_refused_without_being_repeated(tmp_path: Path, url: str) -> None:
    with pytest.raises(DatabaseUrlNotUnderstood, match="STAYDOWN_DATABASE_URL") as refused:
        database_settings(url, data_dir=tmp_path)

    assert "s3cret" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_missing_driver_is_named_with_the_command_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)

    with pytest.raises(DatabaseUrlNotUnderstood, match=r"staydown\[postgresql\]"):
        database_settings("postgresql://u@h/down", data_dir=tmp_path)
