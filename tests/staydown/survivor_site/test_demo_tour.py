"""The demonstration's tour and picture exist in the demonstration and nowhere else."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from staydown.survivor_site.demo_tour import PICTURE_FILE, TOUR_FILE, tour
from tests.staydown.doors import Window

TOUR = {
    "forum_url": "http://127.0.0.1:8001",
    "post_url": "http://127.0.0.1:8001/posts/8?a=1&b=2",
    "reviewer": {"username": "bob", "password": "bobs-password"},
    "member": {"username": "mara", "password": "maras-password"},
}


@pytest.fixture
def demo(settings: Any, house: Path) -> Path:
    """A demonstration that was set up; returns its folder."""
    settings.INSTALLATION = replace(settings.INSTALLATION, data_dir=house)
    settings.STAYDOWN_DEMO = True
    folder = house / "demo"
    folder.mkdir(parents=True)
    (folder / TOUR_FILE).write_text(json.dumps(TOUR))
    (folder / PICTURE_FILE).write_bytes(b"\xff\xd8 a landscape")
    return folder


def test_tour_shows_who_to_be_and_where_to_go(alice: Window, demo: Path) -> None:
    page = alice.open("/")

    assert page.headings == ["Try the whole story"]
    assert page.says("bobs-password")
    assert page.says("maras-password")
    assert "/request?url=http%3A//127.0.0.1%3A8001/posts/8%3Fa%3D1%26b%3D2" in page.links
    assert "http://127.0.0.1:8001" in page.links
    assert page.says("Demonstration. Nothing here is real.")


def test_picture_of_the_tour_is_a_download(alice: Window, demo: Path) -> None:
    answer = alice.open("/demo/picture").response

    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"] == 'attachment; filename="landscape.jpg"'
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert b"".join(answer.streaming_content) == b"\xff\xd8 a landscape"


def test_demonstration_that_is_not_set_up_yet_shows_the_ordinary_page(alice: Window, demo: Path) -> None:
    (demo / TOUR_FILE).unlink()
    (demo / PICTURE_FILE).unlink()

    assert tour() is None
    assert alice.open("/").headings == ["An intimate picture of you is out there, or may be"]
    assert alice.open("/demo/picture").status == 404


def test_outside_the_demonstration_neither_tour_nor_picture_nor_password_is_shown(
    alice: Window, demo: Path, settings: Any
) -> None:
    # Given the demonstration's files in an installation that is none
    settings.STAYDOWN_DEMO = False

    # Then
    page = alice.open("/")
    assert "password" not in page.html
    assert "Demonstration" not in page.html
    assert alice.open("/demo/picture").status == 404
