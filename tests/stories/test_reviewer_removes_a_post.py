"""Story: Bob decides the most urgent request, and what he decides happens.

1. He signs in and sees the queue, the most urgent request first.
2. He claims a request; Dora, another reviewer, cannot work on it then.
3. No picture is on his page. It tells him that it is the very picture that Alice registered.
4. He decides to remove. His page shows each copy's state until the platform says that it is gone.
5. The posts answer 410, the files are gone from the forum's disk, the next upload is refused.
6. Another request he declines, with a reason. Alice reads it in her case, in plain words.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect

from staydown.cli.visitor import Visitor
from tests.stories.conftest import DESKTOP, OpenWindow
from tests.stories.people import (
    forum_member,
    gate,
    open_case,
    posted,
    registered,
    requested,
    sign_in_at_desk,
    status,
)
from tests.stories.serving import ServedDemo, add_reviewer

pytestmark = pytest.mark.browser


def media_file(demo: ServedDemo, post: str) -> Path:
    """Where the forum keeps a post's picture."""
    return demo.folder / "forum" / "media" / f"{post.rsplit('/', 1)[-1]}.jpg"


def test_reviewer_claims_decides_and_every_copy_goes(
    demo: ServedDemo, desktop: BrowserContext, window: OpenWindow, paint: Callable[[str], Path]
) -> None:
    # Given a picture that Mara posted twice and another one, Alice's two requests, and two reviewers
    picture, other = paint("picture.jpg").read_bytes(), paint("other.jpg").read_bytes()
    password = add_reviewer(demo.folder / "staydown", name="dora")
    with forum_member(demo.forum_url) as mara, Visitor(demo.url) as alice:
        first, again, unrelated = (posted(mara, content) for content in (picture, picture, other))
        receipt = registered(alice, picture)
        urgent = requested(alice, first)
        later = requested(alice, unrelated)
        assert media_file(demo, first).exists()
        assert media_file(demo, again).exists()

        # When Bob signs in
        page = desktop.new_page()
        sign_in_at_desk(page, demo.url, name="bob", password=demo.secrets.reviewer_password)

        # Then the queue is ordered by deadline
        numbers = page.locator("table.queue th a.number").all_inner_texts()
        assert numbers.index(urgent) < numbers.index(later)
        deadlines = [
            time.get_attribute("datetime") for time in page.locator("table.queue td:nth-child(2) time").all()
        ]
        assert deadlines == sorted(deadlines)

        # When Dora has the request before her, too, and Bob claims it
        doras = window(viewport=DESKTOP).new_page()
        sign_in_at_desk(doras, demo.url, name="dora", password=password)
        doras.get_by_role("link", name=urgent).click()
        page.get_by_role("link", name=urgent).click()
        page.get_by_role("button", name="Claim").click()
        expect(page.get_by_text("Yours until")).to_be_visible()

        # Then Dora cannot: not by the button that she still sees, and then she sees none
        doras.get_by_role("button", name="Claim").click()
        expect(doras.get_by_role("alert")).to_contain_text("Another reviewer is working on this request.")
        doras.goto(f"{demo.url}/desk/requests/{urgent}")
        expect(doras.get_by_text("bob is working on this request.")).to_be_visible()
        assert doras.locator("main button").count() == 0

        # Then no picture is on Bob's page, and it says what is known
        assert page.locator("img, picture, video, canvas, svg, iframe, object, embed").count() == 0
        expect(page.get_by_text("It is the very picture that the requester registered.")).to_be_visible()
        expect(page.get_by_text("1 identical copy elsewhere on the platform.")).to_be_visible()
        expect(page.get_by_text("alias@example.org")).to_be_visible()

        # When he decides to remove it
        page.get_by_role("button", name="Remove it and its identical copies").click()

        # Then his page shows by itself how both copies go
        expect(page.get_by_text("Decided by bob")).to_be_visible()
        expect(page.locator("table.queue tbody tr")).to_have_count(2)
        expect(page.locator("table.queue .state-gone")).to_have_count(2, timeout=20_000)
        assert page.get_by_text("This page looks again by itself").count() == 0

        # Then the posts and their files are gone, the other one is not, and the next upload is refused
        for post in (first, again):
            assert status(post) == 410
            assert not media_file(demo, post).exists()
        assert status(unrelated) == 200
        assert gate(demo.url, demo.secrets.token, picture) == 451
        refused = mara.send(
            "/upload", action="/upload", files={"picture": ("p.jpg", picture, "image/jpeg")}, title="Again"
        )
        assert refused.status_code == 451
        assert "This picture cannot be posted" in refused.text

        # When Bob declines the other request: first without a reason, then with one
        page.goto(f"{demo.url}/desk/requests/{later}")
        page.get_by_role("button", name="Claim").click()
        page.get_by_role("button", name="Do not remove it").click()
        expect(page.get_by_role("alert")).to_contain_text("Choose a reason")
        page.get_by_label("The reviewer found no intimate picture at this address.").check()
        page.get_by_role("button", name="Do not remove it").click()
        expect(page.get_by_text("Decided by bob")).to_be_visible()

    # Then Alice reads both in her case
    case = window().new_page()
    open_case(case, demo.url, receipt)
    declined = case.get_by_role("article", name=later)
    expect(declined).to_contain_text("not removed")
    expect(declined).to_contain_text("The reviewer found no intimate picture at this address.")
    granted = case.get_by_role("article", name=urgent)
    expect(granted.locator(".state-gone")).to_have_count(2)
    expect(case.get_by_text("confirmed: uploads are stopped")).to_be_visible()
    assert status(unrelated) == 200


def test_charlie_gets_nowhere_at_the_desk(demo: ServedDemo, phone: BrowserContext, picture: Path) -> None:
    # Given a request
    with Visitor(demo.url) as alice:
        number = requested(alice, demo.forum_url + "/posts/none")
    page = phone.new_page()

    # When Charlie opens the desk's pages
    for path in ("/desk/", "/desk/closed", f"/desk/requests/{number}"):
        page.goto(demo.url + path)

        # Then he is asked to sign in, and learns nothing
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        assert number not in page.inner_text("main")

    # When he guesses a password
    page.fill("#username", "bob")
    page.fill("#password", "correct horse battery")
    page.get_by_role("button", name="Sign in").click()

    # Then he is told only that they do not belong together, and his name is kept
    expect(page.get_by_role("alert")).to_contain_text("do not belong together")
    assert page.input_value("#username") == "bob"
