"""What a platform hosts at an address, and where else it hosts the same file."""

from __future__ import annotations

from datetime import timedelta

from staydown.access.terms import Platform
from staydown.catalog.operations import mark_removed
from staydown.catalog.queries import content_at, exact_copies_of, journal_positions
from tests.staydown.conftest import NOW, a_platform, changed_by, some_content, some_digests


def test_address_that_no_check_told_of_is_not_known(forum: Platform) -> None:
    some_content(forum)

    assert content_at(platform_id=forum.id, url="http://127.0.0.1:8001/posts/9") is None
    assert content_at(platform_id="pf_other", url="http://127.0.0.1:8001/posts/1") is None


def test_of_two_items_at_one_address_the_one_checked_last_is_told(forum: Platform) -> None:
    # Given a page whose picture was replaced under a new id
    url = f"{forum.url_prefix}posts/1"
    some_content(forum, 1, content_url=url, at=NOW + timedelta(hours=1))
    some_content(forum, 2, content_url=url, at=NOW)

    # Then the newer check is believed
    found = content_at(platform_id=forum.id, url=url)
    assert found is not None
    assert found.content_id == "post-1"


def test_exact_copies_are_the_same_file_elsewhere_on_the_platform_and_still_there(forum: Platform) -> None:
    # Given a post, two copies, one removed copy, a near copy, and a copy on another platform
    digests = some_digests()
    post = some_content(forum, 1, digests=digests)
    copies = tuple(some_content(forum, number, digests=digests) for number in (2, 3))
    some_content(forum, 4, digests=digests)
    mark_removed(platform_id=forum.id, content_id="post-4", now=NOW)
    some_content(forum, 5, fingerprints=tuple(changed_by(code, bits=4) for code in post.fingerprints))
    some_content(a_platform("Other", url_prefix="https://other.example/"), 6, digests=digests)

    # Then only the two copies are told
    assert exact_copies_of(post) == copies


def test_journals_that_were_never_read_have_no_position(db: None) -> None:
    assert journal_positions() == {}
