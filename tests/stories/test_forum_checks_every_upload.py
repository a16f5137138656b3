"""Story: a forum checks every upload, and what somebody registered is not published.

1. Alice has registered a picture; nobody has decided anything yet.
2. Mara uploads it to the forum: as it is, saved anew, smaller, mirrored, turned, cut, bordered. Each is held.
3. Mara sees that it waits for a moderator; Charlie sees neither the post nor the picture.
4. Another picture is published.
5. If Staydown cannot be reached, the forum holds what comes, and says so to its member.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect

from staydown.cli.visitor import Visitor
from tests.stories.people import forum_member, posted, registered, status, variants
from tests.stories.serving import OwnHouse, ServedDemo, free_port

pytestmark = pytest.mark.browser


def media(post: str) -> str:
    """The address of a post's picture."""
    return post.replace("/posts/", "/media/")


def test_every_version_of_a_registered_picture_is_held(
    demo: ServedDemo, picture: Path, paint: Callable[[str], Path]
) -> None:
    # Given Alice's registered picture, and Mara on the forum
    content = picture.read_bytes()
    with Visitor(demo.url) as alice, forum_member(demo.forum_url) as mara:
        registered(alice, content)

        # When she uploads it in every version
        posts = {name: posted(mara, version) for name, version in variants(content).items()}

        # Then each waits: she sees it, Charlie sees neither the page nor the picture
        for name, post in posts.items():
            assert "waits for a moderator" in mara.open(post).text, name
            assert mara.open(media(post)).status_code == 200, name
            assert (status(post), status(media(post))) == (404, 404), name
        assert not any(post.rsplit("/")[-1] in mara.open("/").text for post in posts.values())

        # When she uploads another picture
        other = posted(mara, paint("other.jpg").read_bytes())

        # Then everybody sees it
        assert (status(other), status(media(other))) == (200, 200)


def test_member_and_stranger_see_on_screen_what_they_may_see(
    demo: ServedDemo, phone: BrowserContext, picture: Path
) -> None:
    # Given Alice's registered picture, and Mara with the forum on her phone
    with Visitor(demo.url) as alice:
        registered(alice, picture.read_bytes())
    page = phone.new_page()
    page.goto(demo.forum_url + "/join")
    page.get_by_label("Name").fill("mara-on-a-phone")
    page.get_by_label("Password").fill("a long enough password")
    page.get_by_role("button", name="Join").click()

    # When she posts it
    page.get_by_role("link", name="Post a picture").click()
    page.get_by_label("Picture").set_input_files(picture)
    page.get_by_label("Title").fill("A view")
    page.get_by_role("button", name="Post it").click()

    # Then she reads that it waits, also among her own posts, and it is not on the front page
    expect(page.get_by_text("This picture waits for a moderator.")).to_be_visible()
    post = page.url
    page.locator("header a[href='/mine']").click()
    expect(page.get_by_text("waits for a moderator")).to_be_visible()
    page.goto(demo.forum_url)
    assert page.locator(f"a[href='{post.removeprefix(demo.forum_url)}']").count() == 0
    assert status(post) == 404


def test_forum_holds_everything_while_staydown_cannot_be_reached(tmp_path: Path, picture: Path) -> None:
    # Given a forum whose Staydown does not answer
    house = OwnHouse(tmp_path)
    try:
        house.start_forum(staydown_url=f"http://127.0.0.1:{free_port()}")
        with forum_member(house.forum_url) as mara:
            # When Mara posts a picture that nobody has registered
            post = posted(mara, picture.read_bytes())

            # Then she reads why it waits, and nobody else sees it
            assert "could not check this picture" in mara.open(post).text
            assert (status(post), status(media(post))) == (404, 404)
    finally:
        house.stop()
