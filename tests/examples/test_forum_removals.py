"""The forum does what Staydown's webhooks order, says so, and believes nobody else."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from forum.intake import take_in
from forum.removals import NotOurs, post_id_of
from forum.storage import Storage
from staydown.client import CopyInstruction
from tests.doubles.staydown_server import Reply, StaydownDouble
from tests.examples.harbour import PUBLIC_URL, Harbour, painting, soon


def test_an_ordered_removal_deletes_files_and_title_and_is_confirmed(harbour: Harbour) -> None:
    bob, stranger = harbour.member("Bob"), harbour.window()
    post = bob.post(painting(), title="Zanzibar at noon")
    assert b"Zanzibar" in harbour.database_bytes()

    copy_id = harbour.order_removal(content_id=post)

    assert soon(lambda: harbour.confirmed(copy_id))
    assert harbour.files() == []
    assert b"Zanzibar" not in harbour.database_bytes()
    for path in (f"/posts/{post}", f"/media/{post}", f"/media/{post}/small"):
        assert [stranger.status(path), bob.status(path)] == [410, 410]
    assert "This post was removed." in stranger.open(f"/posts/{post}").text
    assert "Zanzibar" not in stranger.open("/").text + bob.open("/mine").text


def test_no_page_of_the_database_keeps_a_removed_title(harbour: Harbour) -> None:
    bob = harbour.member("Bob")
    posts = {
        name: bob.post(painting(), title=f"{name} " * 15) for name in ("Zanzibar", "Madagascar", "Reykjavik")
    }

    # Given another connection, so that SQLite does not empty its log by itself when ours closes
    with closing(sqlite3.connect(harbour.folder / "forum.sqlite3")) as another:
        another.execute("SELECT count(*) FROM post").fetchone()
        for name in ("Madagascar", "Zanzibar"):
            copy_id = harbour.order_removal(content_id=posts[name])
            assert soon(lambda copy_id=copy_id: harbour.confirmed(copy_id))  # type: ignore[misc]
        kept = harbour.database_bytes()

    assert [name for name in posts if name.encode() in kept] == ["Reykjavik"]


def test_a_held_post_is_removed_too(harbour: Harbour, staydown: StaydownDouble) -> None:
    bob = harbour.member("Bob")
    staydown.decide("hold", media=painting())
    post = bob.post(painting())

    copy_id = harbour.order_removal(content_id=post)

    assert soon(lambda: harbour.confirmed(copy_id))
    assert harbour.files() == []


@pytest.mark.parametrize(
    "where", ["/posts/{}", "/posts/{}/", "/posts/{}?from=mail#top", "/media/{}", "/media/{}/small"]
)
def test_a_copy_without_our_id_is_found_by_its_address(harbour: Harbour, where: str) -> None:
    post = harbour.member("Bob").post(painting())

    copy_id = harbour.order_removal(content_url=PUBLIC_URL + where.format(post), kind="named")

    assert soon(lambda: harbour.confirmed(copy_id))
    assert harbour.window().status(f"/posts/{post}") == 410


@pytest.mark.parametrize(
    "url",
    ["https://elsewhere.test/posts/{}", f"{PUBLIC_URL}/", f"{PUBLIC_URL}/upload/{{}}", "", "no address"],
)
def test_an_address_that_is_not_ours_is_never_confirmed(
    harbour: Harbour, staydown: StaydownDouble, url: str
) -> None:
    post = harbour.member("Bob").post(painting())

    copy_id = harbour.order_removal(content_url=url.format(post))

    assert soon(lambda: harbour.rows("removal")[0][1])
    assert not harbour.confirmed(copy_id)
    assert harbour.window().status(f"/posts/{post}") == 200


def test_a_forum_below_a_path_finds_its_posts() -> None:
    copy = CopyInstruction("cpy_1", None, "https://Town.test/harbour/posts/abc", "instructed", "named")

    assert post_id_of(copy, public_url="https://town.test/harbour") == "abc"
    with pytest.raises(NotOurs):
        post_id_of(copy, public_url="https://city.test/harbour")


def test_a_copy_that_staydown_no_longer_knows_changes_nothing(
    harbour: Harbour, staydown: StaydownDouble
) -> None:
    post = harbour.member("Bob").post(painting())
    copy_id = staydown.instruct(content_id=post)
    webhook = staydown.webhook("copy.instructed", copy_id=copy_id)
    del staydown.copies[copy_id]

    assert harbour.hear(*webhook) == 204

    assert soon(lambda: harbour.rows("removal")[0][1])
    assert harbour.window().status(f"/posts/{post}") == 200


def test_gone_is_confirmed_as_soon_as_staydown_is_back(harbour: Harbour, staydown: StaydownDouble) -> None:
    post = harbour.member("Bob").post(painting())
    staydown.is_down = True
    copy_id = harbour.order_removal(content_id=post)
    assert not soon(lambda: harbour.confirmed(copy_id), within_seconds=0.3)

    staydown.is_down = False

    assert soon(lambda: harbour.confirmed(copy_id))
    assert harbour.files() == []


def test_gone_is_confirmed_although_the_first_confirmation_is_refused(
    harbour: Harbour, staydown: StaydownDouble
) -> None:
    post = harbour.member("Bob").post(painting())
    copy_id = staydown.instruct(content_id=post)
    staydown.next_replies = [Reply(200, dict(staydown.copies[copy_id])), Reply(500), Reply(401)]

    harbour.hear(*staydown.webhook("copy.instructed", copy_id=copy_id))

    assert soon(lambda: harbour.confirmed(copy_id))


def test_one_removal_that_fails_does_not_stop_the_others(harbour: Harbour, staydown: StaydownDouble) -> None:
    bob = harbour.member("Bob")
    first, second = bob.post(painting()), bob.post(painting())
    staydown.is_down = True
    stuck = harbour.order_removal(content_id=first)
    copy_id = harbour.order_removal(content_id=second)
    staydown.copies[stuck]["kind"] = 7  # an answer that the SDK refuses

    staydown.is_down = False

    assert soon(lambda: harbour.confirmed(copy_id))
    assert not harbour.confirmed(stuck)


def test_an_order_survives_a_restart_of_the_forum(harbour: Harbour, staydown: StaydownDouble) -> None:
    post = harbour.member("Bob").post(painting())
    staydown.is_down = True
    copy_id = harbour.order_removal(content_id=post)
    harbour.__exit__(None, None, None)

    staydown.is_down = False
    harbour.__enter__()

    assert soon(lambda: harbour.confirmed(copy_id))
    assert harbour.window().status(f"/posts/{post}") == 410


def test_an_order_during_the_upload_is_not_lost(tmp_path: Path) -> None:
    storage, picture = Storage(tmp_path), take_in(painting())
    storage.announce("abc")

    storage.remove("abc")  # Staydown saw the check, and ordered, before we stored
    kept = storage.add_post(post_id="abc", member="Bob", title="x", picture=picture, state="published")

    assert not kept
    assert storage.post("abc") is None
    assert list(storage.media.iterdir()) == []


def test_a_removal_that_was_interrupted_is_finished_by_the_next(
    harbour: Harbour, monkeypatch: pytest.MonkeyPatch
) -> None:
    post, stranger = harbour.member("Bob").post(painting()), harbour.window()
    files = harbour.files()

    def full_disk(self: Path, missing_ok: bool = False) -> None:
        raise OSError("the disk does not answer")

    with monkeypatch.context() as broken:
        broken.setattr(Path, "unlink", full_disk)
        copy_id = harbour.order_removal(content_id=post)
        assert soon(lambda: stranger.status(f"/posts/{post}") == 410)
        assert not soon(lambda: harbour.confirmed(copy_id), within_seconds=0.3)
        assert harbour.files() == files

    assert soon(lambda: harbour.confirmed(copy_id))
    assert harbour.files() == []


def test_files_of_a_process_that_died_are_deleted_at_the_next_start(harbour: Harbour) -> None:
    post = harbour.member("Bob").post(painting())
    kept = harbour.files()
    (harbour.folder / "media" / "0123456789abcdef.jpg").write_bytes(painting())
    harbour.__exit__(None, None, None)

    harbour.__enter__()

    assert harbour.files() == kept
    assert harbour.window().status(f"/media/{post}") == 200


def test_a_ping_is_answered(harbour: Harbour, staydown: StaydownDouble) -> None:
    assert harbour.hear(*staydown.webhook("ping")) == 204
    assert harbour.hear(*staydown.webhook("something.new")) == 204


def test_a_wrong_signature_is_refused(harbour: Harbour, staydown: StaydownDouble) -> None:
    post = harbour.member("Bob").post(painting())
    copy_id = staydown.instruct(content_id=post)
    headers, body = staydown.webhook("copy.instructed", copy_id=copy_id)
    other = StaydownDouble(webhook_secret="whsec_" + "QUJD" * 11)
    other.copies = staydown.copies

    answers = [
        harbour.hear(headers, body + b" "),
        harbour.hear({**headers, "webhook-id": "msg_other"}, body),
        harbour.hear(*other.webhook("copy.instructed", copy_id=copy_id)),
        harbour.hear({}, body),
        harbour.hear({"content-type": "application/json"}, b"{}"),
    ]

    assert answers == [401] * 5
    assert harbour.rows("removal") == []
    assert harbour.window().status(f"/posts/{post}") == 200


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_webhook_of_another_time_is_refused(
    harbour: Harbour, staydown: StaydownDouble, minutes: int
) -> None:
    copy_id = staydown.instruct(content_id="abc")
    at = datetime.now(UTC) + timedelta(minutes=minutes)

    assert harbour.hear(*staydown.webhook("copy.instructed", copy_id=copy_id, at=at)) == 401
    assert harbour.rows("removal") == []


def test_a_replayed_webhook_does_nothing_the_second_time(harbour: Harbour, staydown: StaydownDouble) -> None:
    post = harbour.member("Bob").post(painting())
    copy_id = staydown.instruct(content_id=post)
    webhook = staydown.webhook("copy.instructed", copy_id=copy_id)
    harbour.hear(*webhook)
    assert soon(lambda: harbour.rows("removal")[0][1])
    asked, done = len(staydown.requests), harbour.rows("removal")

    assert harbour.hear(*webhook) == 204

    assert harbour.rows("removal") == done

    assert not soon(lambda: len(staydown.requests) > asked, within_seconds=0.3)


def test_a_new_webhook_about_a_done_copy_is_confirmed_again(
    harbour: Harbour, staydown: StaydownDouble
) -> None:
    post = harbour.member("Bob").post(painting())
    copy_id = harbour.order_removal(content_id=post)
    assert soon(lambda: harbour.rows("removal")[0][1])
    staydown.copies[copy_id]["state"] = "instructed"  # our answer was lost

    harbour.hear(*staydown.webhook("copy.instructed", copy_id=copy_id))

    assert soon(lambda: harbour.confirmed(copy_id))


def test_a_signed_order_without_a_copy_is_refused(harbour: Harbour, staydown: StaydownDouble) -> None:
    assert harbour.hear(*staydown.webhook("copy.instructed")) == 422


def test_an_endless_webhook_is_refused(harbour: Harbour) -> None:
    assert harbour.hear({}, b"x" * 100_000) == 413
