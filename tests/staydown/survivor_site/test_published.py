"""The list of scripts and their digests is that of the bytes that are served."""

from __future__ import annotations

import hashlib
from pathlib import Path

import httpx
import pytest
from django.conf import settings

from staydown.survivor_site.published import published_files
from tests.staydown.doors import Window


@pytest.fixture
def served() -> httpx.Client:
    """The assembled pages with the browser files beside them."""
    from staydown.config.wsgi import application

    return httpx.Client(transport=httpx.WSGITransport(app=application), base_url="http://127.0.0.1")


def test_every_listed_digest_is_that_of_the_served_bytes(served: httpx.Client) -> None:
    files = published_files()
    assert "dist/fingerprint-worker.js" in {file.name for file in files}
    for file in files:
        answer = served.get(f"/static/{file.name}")
        assert answer.status_code == 200, file.name
        assert hashlib.sha256(answer.content).hexdigest() == file.digest, f"{file.name}: run script/build-web"


def test_the_list_can_be_read_as_plain_text(served: httpx.Client) -> None:
    answer = served.get("/static/dist/SHA256SUMS")

    assert answer.headers["Content-Type"] == 'text/plain; charset="utf-8"'
    assert answer.text == Path(settings.STAYDOWN_DIGESTS_PATH).read_text()


def test_the_page_shows_every_script_with_its_digest(alice: Window) -> None:
    page = alice.open("/how-it-works/check")

    for file in published_files():
        assert file.digest in page.html
        assert f'href="/static/{file.name}"' in page.html


def test_a_missing_list_is_said_plainly(
    alice: Window, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(settings, "STAYDOWN_DIGESTS_PATH", tmp_path / "none")

    assert published_files() == []
    assert alice.open("/how-it-works/check").says("The list cannot be read right now.")
