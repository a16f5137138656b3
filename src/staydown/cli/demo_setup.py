"""Sets up the demonstration's data: a database, a reviewer, the forum as a platform, posts, and the tour.

Names and passwords are made here, kept in a file that only this account can read, and shown by the demo.
"""

from __future__ import annotations

import json
import os
import secrets as random
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import import_module
from io import BytesIO
from pathlib import Path
from types import ModuleType

import click

from staydown.cli.visitor import Visitor

SECRETS_FILE = "secrets.json"
UNFINISHED_FILE = "unfinished"
TOUR_FILE = "tour.json"
PICTURE_FILE = "picture.jpg"
# The picture that the tour is about, and the other landscapes on the forum's front page.
TOUR_PICTURE_SEED = 7
OTHER_PICTURE_SEEDS = (11, 23, 42, 58, 77, 91)
FORUM_NAME = "Harbour"
# Where the forum's package lies in a checkout.
EXAMPLES = Path(__file__).resolve().parents[3] / "examples"


@dataclass(frozen=True)
class DemoSecrets:
    """Names and secrets of one demonstration."""

    reviewer: str
    reviewer_password: str
    member: str
    member_password: str
    token: str
    webhook_secret: str


class NotADemo(click.ClickException):
    """The folder holds something else, which is left alone."""


def demo_environment(folder: Path, *, url: str) -> dict[str, str]:
    """The environment in which a demonstration's commands and servers run."""
    return {
        **os.environ,
        "STAYDOWN_DATA_DIR": str(folder.resolve() / "staydown"),
        "STAYDOWN_PUBLIC_URL": url,
        "STAYDOWN_DEMO": "1",
    }


def load_or_make_secrets(folder: Path, *, url: str, forum_url: str) -> DemoSecrets:
    """The demonstration's secrets; the first time the database is made and the forum is connected.

    A set-up that was cut off is done again from the start. Raises NotADemo if the folder is something else.
    """
    path, unfinished = folder / SECRETS_FILE, folder / UNFINISHED_FILE
    if path.exists():
        return DemoSecrets(**json.loads(path.read_text()))
    if unfinished.exists():
        shutil.rmtree(folder / "staydown", ignore_errors=True)
    elif (folder / "staydown").exists():
        raise NotADemo(f"{folder} holds an installation that is no demonstration; choose another --data")
    folder.mkdir(parents=True, exist_ok=True)
    unfinished.touch()
    manage = _Manage(demo_environment(folder, url=url))
    manage("migrate")
    platform = manage(
        "add-platform",
        FORUM_NAME,
        f"--url-prefix={forum_url}/",
        f"--webhook-url={forum_url}/staydown/webhook",
    )
    made = DemoSecrets(
        reviewer="bob",
        reviewer_password=manage("add-staff", "bob", "--role=reviewer")["bob"],
        member="mara",
        member_password=random.token_urlsafe(9),
        token=platform["token"],
        webhook_secret=platform["webhook secret"],
    )
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(asdict(made), file)
    unfinished.unlink()
    return made


class _Manage:
    """Runs `staydown manage`, as an administrator would, and reads what it prints as names and values."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = environment

    def __call__(self, *arguments: str) -> dict[str, str]:
        command = [sys.executable, "-m", "staydown", "manage", *arguments]
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise click.ClickException(f"setting up failed: {done.stderr.strip()}")
        pairs = (line.split("  ", 1) for line in done.stdout.splitlines() if "  " in line)
        return {name.strip(): value.strip() for name, value in pairs}


def _pictures() -> ModuleType:
    """The forum's painter; the example is part of the checkout, not of the package."""
    if str(EXAMPLES) not in sys.path:
        sys.path.append(str(EXAMPLES))
    return import_module("forum.pictures")


def painted(seed: int, *, width: int = 1200, height: int = 800) -> bytes:
    """A painted landscape as a JPEG file."""
    out = BytesIO()
    _pictures().paint(seed, size=(width, height)).save(out, "JPEG", quality=92)
    return out.getvalue()


def seed_forum(
    folder: Path, *, url: str, forum_url: str, secrets: DemoSecrets, say: Callable[[str], None]
) -> None:
    """Fills the forum by its own pages, as a member would, and writes the tour; once."""
    demo = folder / "staydown" / "demo"
    if (demo / TOUR_FILE).exists():
        return
    say("== Painting landscapes and posting them on the forum")
    demo.mkdir(parents=True, exist_ok=True)
    picture = painted(TOUR_PICTURE_SEED)
    (demo / PICTURE_FILE).write_bytes(picture)
    with Visitor(forum_url) as visitor:
        join_forum(visitor, name=secrets.member, password=secrets.member_password)
        for seed in OTHER_PICTURE_SEEDS:
            post_picture(visitor, title=_pictures().title_of(seed), picture=painted(seed))
        post_picture(visitor, title="A walk along the coast", picture=picture)
        post = post_picture(visitor, title="The coast in the evening", picture=picture)
    (demo / TOUR_FILE).write_text(
        json.dumps(
            {
                "forum_url": forum_url,
                "post_url": post,
                "reviewer": {"username": secrets.reviewer, "password": secrets.reviewer_password},
                "member": {"username": secrets.member, "password": secrets.member_password},
            }
        )
    )


def join_forum(visitor: Visitor, *, name: str, password: str) -> None:
    """Opens an account on the forum and stays signed in."""
    visitor.send("/join", action="/join", name=name, password=password).raise_for_status()


def post_picture(visitor: Visitor, *, title: str, picture: bytes) -> str:
    """Posts a picture and returns the address that the forum shows then."""
    answer = visitor.send(
        "/upload", action="/upload", files={"picture": ("picture.jpg", picture, "image/jpeg")}, title=title
    )
    answer.raise_for_status()
    return str(answer.url)
