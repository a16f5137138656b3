"""The demonstration is set up once, by public commands; a set-up that was cut off is done again; nothing else
is touched.
"""

from __future__ import annotations

import json
import sqlite3
import stat
from io import BytesIO
from pathlib import Path
from typing import Any

import click
import pytest
from PIL import Image

from staydown.cli import demo_setup
from staydown.cli.demo_setup import (
    OTHER_PICTURE_SEEDS,
    DemoSecrets,
    NotADemo,
    demo_environment,
    load_or_make_secrets,
    painted,
    seed_forum,
)

URL, FORUM_URL = "http://127.0.0.1:8000", "http://127.0.0.1:8001"


def set_up(folder: Path) -> DemoSecrets:
    return load_or_make_secrets(folder, url=URL, forum_url=FORUM_URL)


def rows(folder: Path, table: str) -> int:
    with sqlite3.connect(folder / "staydown" / "staydown.sqlite3") as database:
        return int(database.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


class Manage:
    """Stands for `staydown manage`; fails at the command it is told."""

    def __init__(self, *, fails_at: str = "") -> None:
        self.asked: list[tuple[str, ...]] = []
        self.fails_at = fails_at

    def __call__(self, environment: dict[str, str]) -> Manage:
        self.environment = environment
        return self

    def run(self, *arguments: str) -> dict[str, str]:
        self.asked.append(arguments)
        (Path(self.environment["STAYDOWN_DATA_DIR"])).mkdir(exist_ok=True)
        if arguments[0] == self.fails_at:
            raise click.ClickException("setting up failed: killed")
        return {"token": "sdk_1", "webhook secret": "whsec_1", "bob": "a password"}


def stand_in(monkeypatch: pytest.MonkeyPatch, manage: Manage) -> Manage:
    monkeypatch.setattr(demo_setup, "_Manage", lambda environment: manage(environment).run)
    return manage


def test_demonstration_is_set_up_by_the_public_commands(tmp_path: Path) -> None:
    # When
    made = set_up(tmp_path / "demo")

    # Then database, platform and reviewer are there, and the secrets are for this account only
    assert made.token.startswith("sdk_")
    assert made.webhook_secret.startswith("whsec_")
    assert (made.reviewer, made.member) == ("bob", "mara")
    assert len({made.reviewer_password, made.member_password, made.token, made.webhook_secret}) == 4
    assert rows(tmp_path / "demo", "access_platformrecord") == 1
    assert rows(tmp_path / "demo", "access_staffmember") == 1
    assert stat.S_IMODE((tmp_path / "demo" / "secrets.json").stat().st_mode) == 0o600

    # And the second start finds the same
    assert set_up(tmp_path / "demo") == made
    assert rows(tmp_path / "demo", "access_platformrecord") == 1


def test_forum_is_connected_at_its_own_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manage = stand_in(monkeypatch, Manage())

    set_up(tmp_path)

    assert manage.asked == [
        ("migrate",),
        (
            "add-platform",
            "Harbour",
            "--url-prefix=http://127.0.0.1:8001/",
            "--webhook-url=http://127.0.0.1:8001/staydown/webhook",
        ),
        ("add-staff", "bob", "--role=reviewer"),
    ]


@pytest.mark.parametrize("command", ["migrate", "add-platform", "add-staff"])
def test_set_up_that_was_cut_off_starts_again_from_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    # Given a set-up that ended in the middle
    stand_in(monkeypatch, Manage(fails_at=command))
    with pytest.raises(click.ClickException):
        set_up(tmp_path)
    left_over = tmp_path / "staydown" / "half a database"
    left_over.touch()

    # When it is started again
    again = stand_in(monkeypatch, Manage())
    set_up(tmp_path)

    # Then every command ran again, on an empty folder
    assert [asked[0] for asked in again.asked] == ["migrate", "add-platform", "add-staff"]
    assert not left_over.exists()


def test_folder_of_a_real_installation_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manage = stand_in(monkeypatch, Manage())
    database = tmp_path / "staydown" / "staydown.sqlite3"
    database.parent.mkdir()
    database.write_text("somebody's work")

    with pytest.raises(NotADemo, match="no demonstration"):
        set_up(tmp_path)

    assert database.read_text() == "somebody's work"
    assert manage.asked == []


def test_command_that_fails_is_told_with_its_own_words(tmp_path: Path) -> None:
    manage = demo_setup._Manage(demo_environment(tmp_path, url=URL))

    with pytest.raises(click.ClickException, match=r"(?s)setting up failed: .*No such command 'fly'"):
        manage("fly")


def test_environment_names_the_folder_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    environment = demo_environment(Path("demo"), url=URL)

    assert environment["STAYDOWN_DATA_DIR"] == str(tmp_path / "demo" / "staydown")
    assert (environment["STAYDOWN_PUBLIC_URL"], environment["STAYDOWN_DEMO"]) == (URL, "1")


# --- pictures and posts


def test_painted_picture_is_a_landscape_that_its_number_decides() -> None:
    first, again, other = painted(7, width=120, height=80), painted(7, width=120, height=80), painted(8)

    assert Image.open(BytesIO(first)).size == (120, 80)
    assert Image.open(BytesIO(other)).size == (1200, 800)
    assert first == again
    assert painted(8, width=120, height=80) != first


class Forum:
    """Stands for a visitor of the forum; keeps what was sent."""

    sent: list[tuple[str, dict[str, Any]]] = []

    def __init__(self, site: str) -> None:
        self.site = site

    def __enter__(self) -> Forum:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to close."""

    def send(self, page: str, *, action: str, **values: Any) -> Any:
        self.sent.append((action, values))
        number = len(self.sent)

        class Answer:
            url = f"{FORUM_URL}/posts/{number}"

            def raise_for_status(self) -> None:
                """It went well."""

        return Answer()


def test_forum_is_filled_by_its_own_pages_and_the_tour_is_written_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given
    monkeypatch.setattr(Forum, "sent", [])
    monkeypatch.setattr(demo_setup, "Visitor", Forum)
    monkeypatch.setattr(demo_setup, "painted", lambda seed: f"picture {seed}".encode())
    secrets = DemoSecrets("bob", "bobs", "mara", "maras", "sdk_1", "whsec_1")
    said: list[str] = []

    # When, twice
    for _ in range(2):
        seed_forum(tmp_path, url=URL, forum_url=FORUM_URL, secrets=secrets, say=said.append)

    # Then the member joins once, and posts the others and the tour's picture twice
    assert Forum.sent[0] == ("/join", {"name": "mara", "password": "maras"})
    uploads = [values["files"]["picture"][1] for action, values in Forum.sent if action == "/upload"]
    assert len(uploads) == len(OTHER_PICTURE_SEEDS) + 2
    assert uploads[-1] == uploads[-2] == (tmp_path / "staydown/demo/picture.jpg").read_bytes()
    assert len(said) == 1

    # And the tour leads to the last post and names no token
    tour = json.loads((tmp_path / "staydown/demo/tour.json").read_text())
    assert tour["post_url"] == f"{FORUM_URL}/posts/{len(Forum.sent)}"
    assert tour["reviewer"] == {"username": "bob", "password": "bobs"}
    assert "sdk_1" not in json.dumps(tour)
    assert "whsec_1" not in json.dumps(tour)
