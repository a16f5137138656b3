"""What an installation reads from its environment, and the secrets that it makes for itself."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from staydown.bank.terms import FloodLimits
from staydown.config import installation
from staydown.config.installation import DATA, WEB, Installation

VARIABLES = (
    "STAYDOWN_FETCH_HOSTS",
    "STAYDOWN_METRICS_OPEN",
    "STAYDOWN_DATA_DIR",
    "STAYDOWN_DATABASE_URL",
    "STAYDOWN_FLOOD_FLOOR",
    "STAYDOWN_FLOOD_TIMES",
    "STAYDOWN_FLOOD_FAR_BITS",
    "STAYDOWN_PUBLIC_URL",
    "STAYDOWN_DEMO",
    "STAYDOWN_CHECK_LEVEL",
)


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def test_installation_that_was_told_nothing_is_a_local_one(tmp_path: Path) -> None:
    assert Installation.from_environment() == Installation(
        data_dir=tmp_path / "var", public_url="http://127.0.0.1:8000", demo=False, https=False
    )


def test_installation_is_what_its_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STAYDOWN_DATA_DIR", str(tmp_path / "a" / ".." / "data"))
    monkeypatch.setenv("STAYDOWN_PUBLIC_URL", "https://staydown.example/")
    monkeypatch.setenv("STAYDOWN_DEMO", "1")

    assert Installation.from_environment() == Installation(
        data_dir=tmp_path / "data", public_url="https://staydown.example", demo=True, https=True
    )


def test_fetching_and_open_metrics_are_off_until_the_environment_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    usual = Installation.from_environment()
    assert (usual.fetch_hosts, usual.metrics_open) == ("", False)

    monkeypatch.setenv("STAYDOWN_FETCH_HOSTS", "cdn.example")
    monkeypatch.setenv("STAYDOWN_METRICS_OPEN", "1")

    told = Installation.from_environment()
    assert (told.fetch_hosts, told.metrics_open) == ("cdn.example", True)


@pytest.mark.parametrize(("value", "level"), [("", "geo9"), ("plain", "plain"), ("deep", "deep")])
def test_uploads_are_looked_at_as_hard_as_the_environment_says(
    monkeypatch: pytest.MonkeyPatch, value: str, level: str
) -> None:
    monkeypatch.setenv("STAYDOWN_CHECK_LEVEL", value)

    assert Installation.from_environment().check_level == level


@pytest.mark.parametrize("value", ["Plain", "geo", "9"])
def test_level_that_there_is_not_is_named(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("STAYDOWN_CHECK_LEVEL", value)

    with pytest.raises(ValueError, match="plain, geo9, deep"):
        Installation.from_environment()


@pytest.mark.parametrize("value", ["", "0", "true", "yes"])
def test_demonstration_is_on_for_the_one_value_and_no_other(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("STAYDOWN_DEMO", value)

    assert not Installation.from_environment().demo


def test_browser_files_and_data_are_found() -> None:
    assert (WEB / "site.css").is_file()
    assert (DATA / "words" / "en.txt").is_file()


def test_folders_of_an_installed_wheel_lie_inside_the_package(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(installation, "CHECKOUT", tmp_path)

    assert installation._shipped("web") == installation._PACKAGE / "_web"


# --- secrets


def an_installation(folder: Path) -> Installation:
    return Installation(data_dir=folder, public_url="http://127.0.0.1:8000", demo=False, https=False)


def test_secret_is_made_once_and_readable_by_this_account_only(tmp_path: Path) -> None:
    # Given a folder that is not there yet
    made = an_installation(tmp_path / "data")

    # When
    secret = made.secret("secret_key")

    # Then
    assert len(secret) >= 64
    assert made.secret("secret_key") == secret
    assert stat.S_IMODE((tmp_path / "data" / "secret_key").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
    assert made.secret("another") != secret


def test_secret_of_a_process_that_was_first_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given another process that makes the file between the look and the making
    link = os.link

    def slower(draft: Path, path: Path) -> None:
        path.write_text("theirs\n")
        link(draft, path)

    monkeypatch.setattr(os, "link", slower)

    # When
    assert an_installation(tmp_path).secret("secret_key") == "theirs"
    assert os.listdir(tmp_path) == ["secret_key"]


def test_process_that_is_killed_while_it_makes_a_secret_leaves_no_empty_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a process that dies before the secret is on the disk
    def die(descriptor: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(os, "fsync", die)
        with pytest.raises(KeyboardInterrupt):
            an_installation(tmp_path).secret("secret_key")

    # Then the next one makes a whole one
    assert len(an_installation(tmp_path).secret("secret_key")) >= 64


@pytest.mark.parametrize("attempt", range(10))
def test_many_processes_at_once_agree_on_one_whole_secret(tmp_path: Path, attempt: int) -> None:
    made = an_installation(tmp_path)
    found: list[str] = []
    together = threading.Barrier(8)

    def look() -> None:
        together.wait()
        found.append(made.secret("secret_key"))

    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 8
    assert set(found) == {(tmp_path / "secret_key").read_text()}


# --- numbers


def test_flood_guard_is_set_by_three_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAYDOWN_FLOOD_FLOOR", "200")
    monkeypatch.setenv("STAYDOWN_FLOOD_TIMES", "10")

    assert Installation.from_environment().flood_limits == FloodLimits(floor=200, times=10, far_bits=16)


@pytest.mark.parametrize("value", ["0", "-1", "many", "1.5", "٣"])
def test_number_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("STAYDOWN_FLOOD_TIMES", value)

    with pytest.raises(ValueError, match="STAYDOWN_FLOOD_TIMES"):
        Installation.from_environment()


def test_address_of_the_database_is_read_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAYDOWN_DATABASE_URL", "postgresql://u:s3cret@h/down")

    found = Installation.from_environment()
    assert found.database_url == "postgresql://u:s3cret@h/down"
    assert "s3cret" not in repr(found)
