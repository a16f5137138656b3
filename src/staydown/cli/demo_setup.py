"""Sets up the demonstration's data: a database, a reviewer, the forum as a platform, posts, and the tour.

Names and passwords are made here, kept in a file that only this account can read, and shown by the demo.
"""

from __future__ import annotations

import json
import os
import secrets as random
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import import_module
from io import BytesIO
from pathlib import Path
from types import ModuleType

from staydown.cli.visitor import Visitor
from staydown.start import set_up_django

SECRETS_FILE = "secrets.json"
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


def load_or_make_secrets(folder: Path, *, url: str, forum_url: str) -> DemoSecrets:
    """The demonstration's secrets; the first time the database is made and the forum is connected."""
    os.environ.update(
        STAYDOWN_DATA_DIR=str(folder.resolve() / "staydown"), STAYDOWN_PUBLIC_URL=url, STAYDOWN_DEMO="1"
    )
    path = folder / SECRETS_FILE
    if path.exists():
        return DemoSecrets(**json.loads(path.read_text()))
    set_up_django()
    from django.core.management import call_command

    from staydown.access.terms import Role
    from staydown.journeys.set_up_platform import connect_platform
    from staydown.journeys.set_up_staff import invite_staff_member

    call_command("migrate", interactive=False, verbosity=0)
    connected = connect_platform(
        name=FORUM_NAME,
        url_prefix=forum_url + "/",
        webhook_url=forum_url + "/staydown/webhook",
        now=datetime.now(UTC),
    )
    made = DemoSecrets(
        reviewer="bob",
        reviewer_password=invite_staff_member(username="bob", role=Role.REVIEWER),
        member="mara",
        member_password=random.token_urlsafe(9),
        token=connected.token.secret,
        webhook_secret=connected.webhook_secret,
    )
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(asdict(made), file)
    return made


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
