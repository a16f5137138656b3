"""The forum's uploads: what Staydown answers decides what is stored and who sees it."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from forum.intake import take_in
from tests.doubles.staydown_server import Reply, StaydownDouble
from tests.examples.harbour import PUBLIC_URL, Harbour, painting, soon


def test_an_allowed_picture_is_published(harbour: Harbour) -> None:
    alice, stranger = harbour.member("Alice"), harbour.window()

    post = alice.post(painting(), title="By the sea")

    assert "By the sea" in stranger.open("/").text
    shown = stranger.open(f"/media/{post}")
    assert shown.headers["content-type"] == "image/jpeg"
    assert Image.open(io.BytesIO(shown.content)).size == (300, 200)
    assert stranger.open(f"/media/{post}/small").headers["content-type"] == "image/jpeg"


def commented() -> bytes:
    """A JPEG file that carries more than its pixels."""
    out = io.BytesIO()
    Image.open(io.BytesIO(painting())).save(out, "JPEG", comment=b"taken on the quay", quality=95)
    return out.getvalue()


def test_staydown_sees_what_was_sent_and_what_will_be_shown(
    harbour: Harbour, staydown: StaydownDouble
) -> None:
    alice = harbour.member("Alice")
    with_comment = commented()

    post = alice.post(with_comment)

    sent, shown = staydown.requests
    assert sent.media == with_comment
    assert sent.fields == {}
    assert shown.media == harbour.window().open(f"/media/{post}").content
    assert shown.media != with_comment
    assert shown.fields == {"content_id": post, "content_url": f"{PUBLIC_URL}/posts/{post}"}


def test_a_picture_saved_from_our_pages_stays_the_same_file_when_it_is_posted_again(
    harbour: Harbour, staydown: StaydownDouble
) -> None:
    # Given a post whose file was saved anew
    alice = harbour.member("Alice")
    first = alice.post(commented())
    saved = harbour.window().open(f"/media/{first}").content
    staydown.requests.clear()

    # When somebody posts what they saved from it
    second = alice.post(saved)

    # Then it is published as it is, and checked once
    assert harbour.window().open(f"/media/{second}").content == saved
    (asked,) = staydown.requests
    assert asked.media == saved
    assert asked.fields["content_id"] == second


def test_a_held_picture_is_seen_by_its_member_and_the_moderator_only(
    harbour: Harbour, staydown: StaydownDouble
) -> None:
    alice, bob = harbour.member("Alice"), harbour.member("Bob")
    charlie, stranger = harbour.member("Charlie"), harbour.window()
    staydown.decide("hold", media=painting())

    answer = bob.upload(painting(), title="Not yet")

    path = answer.url.path
    media = path.replace("/posts/", "/media/")
    assert "waits for a moderator" in answer.text
    assert "waits for a moderator" in bob.open("/mine").text
    for page in (path, media, f"{media}/small"):
        assert [window.status(page) for window in (bob, alice)] == [200, 200]
        assert [window.status(page) for window in (charlie, stranger)] == [404, 404]
    for window in (charlie, stranger):
        assert "Not yet" not in window.open("/").text
        assert "Not yet" not in window.open("/mine").text


def test_moderators_see_no_held_picture_unless_they_open_it(
    harbour: Harbour, staydown: StaydownDouble
) -> None:
    alice, bob = harbour.member("Alice"), harbour.member("Bob")
    staydown.decide("hold", media=painting())
    post = bob.post(painting(), title="Not yet")

    waiting, page = alice.open("/mine").text, alice.open(f"/posts/{post}").text

    assert "Not yet" in waiting
    assert "/media/" not in waiting
    assert "<details><summary>Show the picture</summary><img" in page


@pytest.mark.parametrize("which", ["sent", "shown"])
def test_a_blocked_picture_answers_451_and_nothing_is_stored(
    harbour: Harbour, staydown: StaydownDouble, which: str
) -> None:
    alice = harbour.member("Alice")
    staydown.decide("block", media=painting() if which == "sent" else take_in(painting()).content)

    answer = alice.upload(painting(), title="A secret title")

    assert answer.status_code == 451
    assert "cannot be posted" in answer.text
    assert (harbour.files(), harbour.rows(), harbour.rows("announced")) == ([], [], [])
    assert b"A secret title" not in harbour.database_bytes()


def test_a_picture_blocked_as_sent_is_not_catalogued_as_ours(
    harbour: Harbour, staydown: StaydownDouble
) -> None:
    alice = harbour.member("Alice")
    staydown.decide("block", media=commented())

    alice.upload(commented())

    assert [request.fields for request in staydown.requests] == [{}]


@pytest.mark.parametrize("status", [401, 403, 400, 404])
def test_when_staydown_refuses_us_the_picture_is_held(
    harbour: Harbour, staydown: StaydownDouble, status: int
) -> None:
    alice = harbour.member("Alice")
    staydown.next_replies = [Reply(status, {"title": "no"})] * 20

    answer = alice.upload(painting())

    assert "could not check this picture" in answer.text
    assert harbour.window().status(answer.url.path) == 404


@pytest.mark.parametrize("status", [413, 415, 422])
def test_a_picture_that_staydown_cannot_read_is_not_stored(
    harbour: Harbour, staydown: StaydownDouble, status: int
) -> None:
    alice = harbour.member("Alice")
    staydown.next_replies = [Reply(status, {"title": "no"})]

    answer = alice.upload(painting(), title="Kept in the form")

    assert answer.status_code == 422
    assert "cannot be checked" in answer.text
    assert "Kept in the form" in answer.text
    assert (harbour.files(), harbour.rows(), harbour.rows("announced")) == ([], [], [])


def test_an_unreachable_staydown_holds_the_picture_and_says_so(
    harbour: Harbour, staydown: StaydownDouble
) -> None:
    alice, bob = harbour.member("Alice"), harbour.member("Bob")
    staydown.is_down = True

    answer = bob.upload(painting())

    assert "We could not check this picture just now" in answer.text
    assert harbour.window().status(answer.url.path) == 404
    assert "not checked yet" in alice.open("/mine").text
    refused = alice.send(f"{answer.url.path}/decision", page="/mine", decision="publish")
    assert refused.status_code == 409
    assert harbour.window().status(answer.url.path) == 404


@pytest.mark.parametrize(("action", "seen"), [("allow", 200), ("block", 410)])
def test_what_was_not_checked_is_decided_when_staydown_is_back(
    harbour: Harbour, staydown: StaydownDouble, action: str, seen: int
) -> None:
    bob, stranger = harbour.member("Bob"), harbour.window()
    staydown.is_down = True
    post = bob.post(painting())
    staydown.decide(action, media=bob.open(f"/media/{post}").content)

    staydown.is_down = False

    assert soon(lambda: stranger.status(f"/posts/{post}") == seen)
    assert staydown.requests[-1].fields["content_id"] == post
    assert bool(harbour.files()) is (seen == 200)


def test_what_was_not_checked_and_is_held_then_waits_for_the_moderator(
    harbour: Harbour, staydown: StaydownDouble
) -> None:
    alice, bob = harbour.member("Alice"), harbour.member("Bob")
    staydown.is_down = True
    post = bob.post(painting())
    staydown.decide("hold", media=bob.open(f"/media/{post}").content)

    staydown.is_down = False

    assert soon(lambda: "waits for a moderator" in bob.open(f"/posts/{post}").text)
    published = alice.send(f"/posts/{post}/decision", page="/mine", decision="publish")
    assert published.status_code == 200
    assert harbour.window().status(f"/posts/{post}") == 200


def test_the_same_is_so_after_a_restart(harbour: Harbour, staydown: StaydownDouble) -> None:
    staydown.is_down = True
    post = harbour.member("Bob").post(painting())
    harbour.__exit__(None, None, None)

    staydown.is_down = False
    harbour.__enter__()

    assert soon(lambda: harbour.window().status(f"/posts/{post}") == 200)


@pytest.mark.parametrize(("decision", "seen"), [("publish", 200), ("remove", 410)])
def test_the_moderator_decides_what_was_held(
    harbour: Harbour, staydown: StaydownDouble, decision: str, seen: int
) -> None:
    alice, bob = harbour.member("Alice"), harbour.member("Bob")
    staydown.decide("hold", media=painting())
    post = bob.post(painting())

    alice.send(f"/posts/{post}/decision", page="/mine", decision=decision)

    assert harbour.window().status(f"/posts/{post}") == seen
    assert bool(harbour.files()) is (seen == 200)


def test_an_unclear_decision_changes_nothing(harbour: Harbour, staydown: StaydownDouble) -> None:
    alice = harbour.member("Alice")
    staydown.decide("hold", media=painting())
    post = alice.post(painting())

    answer = alice.send(f"/posts/{post}/decision", page="/mine", decision="")

    assert answer.status_code == 403
    assert alice.status(f"/posts/{post}") == 200


def test_members_remove_their_own_posts_and_no_others(harbour: Harbour) -> None:
    harbour.member("Alice")
    bob, charlie, stranger = harbour.member("Bob"), harbour.member("Charlie"), harbour.window()
    post = bob.post(painting())

    for window in (charlie, stranger):
        refused = (
            window.send(f"/posts/{post}/decision", page="/", decision="remove")
            if window is charlie
            else (window.send(f"/posts/{post}/decision", decision="remove"))
        )
        assert refused.status_code == 404
    assert stranger.status(f"/posts/{post}") == 200
    bob.send(f"/posts/{post}/decision", page="/mine", decision="remove")

    assert stranger.status(f"/posts/{post}") == 410


def test_charlie_and_bob_cannot_publish_what_is_held(harbour: Harbour, staydown: StaydownDouble) -> None:
    harbour.member("Alice")
    bob, charlie, stranger = harbour.member("Bob"), harbour.member("Charlie"), harbour.window()
    staydown.decide("hold", media=painting())
    post = bob.post(painting())
    action = f"/posts/{post}/decision"

    answers = [
        bob.send(action, page="/mine", decision="publish").status_code,
        charlie.send(action, page="/mine", decision="publish").status_code,
        charlie.send(action, page="/mine", decision="remove").status_code,
        stranger.send(action, decision="publish").status_code,
    ]

    assert answers == [403, 404, 404, 404]
    assert bob.status(f"/posts/{post}") == 200
    assert stranger.status(f"/posts/{post}") == 404


def test_titles_are_escaped_tidied_and_not_too_long(harbour: Harbour) -> None:
    alice = harbour.member("Alice")

    post = alice.post(painting(), title="<script>alert(1)</script>\r\n\u202eevil " + "long" * 100)

    for page in ("/", "/mine", f"/posts/{post}"):
        text = alice.open(page).text
        assert "<script" not in text
        assert "&lt;script&gt;alert(1)&lt;/script&gt; evil" in text
        assert "\u202e" not in text
    assert len(harbour.rows()[0][2]) == 120


def test_a_post_without_a_title_is_untitled(harbour: Harbour) -> None:
    alice = harbour.member("Alice")

    alice.post(painting(), title="   ")

    assert "Untitled" in harbour.window().open("/").text


def test_the_front_page_has_pages(harbour: Harbour, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forum.app.POSTS_ON_A_PAGE", 2)
    alice, stranger = harbour.member("Alice"), harbour.window()
    for number in range(3):
        alice.post(painting(), title=f"Walk {number}")

    first, second = stranger.open("/").text, stranger.open("/?page=2").text

    assert "Walk 2" in first
    assert "Walk 0" not in first
    assert 'href="/?page=2"' in first
    assert "Walk 0" in second
    assert 'href="/"' in second
    assert [stranger.status(f"/?page={odd}") for odd in ("0", "-1", "x", "9" * 30, "²")] == [200] * 5


def test_a_stranger_who_posts_is_sent_to_sign_in(harbour: Harbour) -> None:
    harbour.member("Alice")
    stranger = harbour.window()

    answer = stranger.send("/upload", files={"picture": ("a.jpg", painting())}, title="x")

    assert answer.url.path == "/sign-in"
    assert harbour.files() == []
