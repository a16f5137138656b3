"""What every answer of the forum has in common, and how it says that something does not work."""

from __future__ import annotations

import pytest

from forum.settings import ForumSettings
from staydown.client import WebhookSecretMalformed
from tests.examples.harbour import Harbour, painting


@pytest.mark.parametrize(
    "path", ["/nothing", "/posts/unknown", "/media/unknown", "/static/nothing", "/posts/", "/.."]
)
def test_an_unknown_page_is_told_in_the_forums_own_look(harbour: Harbour, path: str) -> None:
    answer = harbour.window().open(path)

    assert answer.status_code == (200 if path == "/.." else 404)
    assert "Harbour" in answer.text
    assert "Not Found" not in answer.text


def test_a_page_used_the_wrong_way_says_so(harbour: Harbour) -> None:
    answer = harbour.window().client.post("/mine")

    assert answer.status_code == 405
    assert "does not work that way" in answer.text
    assert "GET" in answer.headers["allow"]


@pytest.mark.parametrize("path", ["/", "/join", "/sign-in", "/nothing"])
def test_pages_are_not_kept_framed_or_guessed(harbour: Harbour, path: str) -> None:
    headers = harbour.window().open(path).headers

    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "script-src" not in headers["content-security-policy"]


def test_head_is_get_without_a_body(harbour: Harbour) -> None:
    alice = harbour.member("Alice")
    post = alice.post(painting())

    for path in ("/", "/join", "/sign-in", "/upload", "/mine", f"/posts/{post}", f"/media/{post}"):
        answer = alice.client.head(path)
        assert (path, answer.status_code, answer.content) == (path, 200, b"")


def test_a_defect_is_told_without_details(harbour: Harbour, monkeypatch: pytest.MonkeyPatch) -> None:
    alice = harbour.member("Alice")

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("SECRET")

    monkeypatch.setattr("forum.storage.Storage.published", broken)
    monkeypatch.setattr("forum.members.Members.member", broken)

    answer = alice.open("/")

    assert answer.status_code == 500
    assert "Something broke on our side" in answer.text
    assert "SECRET" not in answer.text


def test_every_page_says_how_to_report(harbour: Harbour) -> None:
    post = harbour.member("Alice").post(painting())
    stranger = harbour.window()

    assert 'href="http://staydown.test/request"' in stranger.open("/").text
    expected = f'href="http://staydown.test/request?url=http%3A//forum.test/posts/{post}"'
    assert expected in stranger.open(f"/posts/{post}").text


def test_a_picture_that_was_lost_is_not_found(harbour: Harbour) -> None:
    alice = harbour.member("Alice")
    post = alice.post(painting())
    for path in (harbour.folder / "media").iterdir():
        path.unlink()

    assert alice.status(f"/media/{post}") == 404
    assert alice.status(f"/media/{post}/small") == 404


def test_the_key_of_the_sessions_is_private(harbour: Harbour) -> None:
    harbour.window().open("/")

    path = harbour.folder / "session.key"
    assert path.stat().st_mode & 0o077 == 0
    assert len(path.read_text()) >= 32


def test_the_environment_is_read_and_a_wrong_secret_is_found_at_once(
    harbour: Harbour, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAYDOWN_URL", "http://staydown.test/")
    monkeypatch.setenv("STAYDOWN_TOKEN", "sdk_x")
    monkeypatch.setenv("STAYDOWN_WEBHOOK_SECRET", "whsec_tooshort")
    monkeypatch.delenv("PUBLIC_URL", raising=False)

    settings = ForumSettings.from_environment(harbour.folder, port=9)

    assert (settings.public_url, settings.staydown_url) == ("http://127.0.0.1:9", "http://staydown.test")
    with pytest.raises(WebhookSecretMalformed):
        settings.check()
    harbour.settings.check()
    monkeypatch.delenv("STAYDOWN_TOKEN")
    with pytest.raises(KeyError, match="STAYDOWN_TOKEN"):
        ForumSettings.from_environment(harbour.folder, port=9)
