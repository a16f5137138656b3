"""The catalog lists what platforms publish, once each, and forgets the fingerprints of what is removed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from staydown.access.terms import Platform
from staydown.catalog.models import ContentRecord
from staydown.catalog.operations import (
    forget_positions,
    list_content,
    mark_removed,
    save_positions,
)
from staydown.catalog.queries import content_at, journal_positions
from staydown.catalog.terms import Content
from tests.staydown.conftest import NOW, a_platform, an_upload, some_content, some_digests

LATER = NOW + timedelta(hours=1)


def the_post(platform: Platform, number: int = 1) -> Content:
    found = content_at(platform_id=platform.id, url=f"{platform.url_prefix}posts/{number}")
    assert found is not None
    return found


def test_what_a_check_tells_is_listed_as_it_was_told(forum: Platform) -> None:
    check = an_upload(forum)

    assert list_content(check)

    post = the_post(forum)
    assert (post.platform_id, post.content_id) == (forum.id, "post-1")
    assert (post.digests, post.fingerprints) == (check.digests, check.fingerprints)
    assert (post.checked_at, post.action, post.removed_at) == (NOW, "allow", None)


@pytest.mark.parametrize(
    "change", [{"content_id": None}, {"content_url": None}, {"digests": None}, {"action": "block"}]
)
def test_check_that_does_not_tell_enough_is_not_listed(forum: Platform, change: dict[str, object]) -> None:
    assert not list_content(an_upload(forum, **change))
    assert not ContentRecord.objects.exists()


def test_post_that_is_checked_again_is_brought_up_to_date(forum: Platform) -> None:
    # Given a post, when its picture is replaced and checked again
    some_content(forum)
    again = an_upload(forum, at=LATER, action="hold")
    list_content(again)

    # Then it is listed once, as it is now
    post = the_post(forum)
    assert (post.digests, post.fingerprints, post.checked_at, post.action) == (
        again.digests,
        again.fingerprints,
        LATER,
        "hold",
    )
    assert ContentRecord.objects.count() == 1


def test_two_platforms_may_use_the_same_id(forum: Platform) -> None:
    other = a_platform("Other", url_prefix="https://other.example/")

    some_content(forum)
    some_content(other)

    assert ContentRecord.objects.count() == 2


def test_removed_post_keeps_no_fingerprint_and_others_keep_theirs(forum: Platform) -> None:
    # Given two posts, and a post of the same id elsewhere
    some_content(forum)
    second = some_content(forum, 2)
    other = a_platform("Other", url_prefix="https://other.example/")
    elsewhere = some_content(other)

    # When the platform has removed the first
    mark_removed(platform_id=forum.id, content_id="post-1", now=LATER)

    # Then only that one is emptied, and nothing is known at its address any more
    record = ContentRecord.objects.get(platform_id=forum.id, content_id="post-1")
    assert (record.removed_at, record.codes, record.sha256, record.md5) == (LATER, [], "", "")
    assert content_at(platform_id=forum.id, url=record.content_url) is None
    assert (the_post(forum, 2), the_post(other)) == (second, elsewhere)


def test_post_that_comes_back_is_listed_as_there_again(forum: Platform) -> None:
    some_content(forum)
    mark_removed(platform_id=forum.id, content_id="post-1", now=NOW)

    back = some_content(forum, at=LATER)

    assert back.removed_at is None
    assert back.fingerprints


def test_removing_what_is_not_listed_changes_nothing(forum: Platform) -> None:
    post = some_content(forum)

    mark_removed(platform_id=forum.id, content_id="post-9", now=NOW)

    assert the_post(forum) == post


def test_digests_without_md5_are_listed(forum: Platform) -> None:
    digests = replace(some_digests(), md5="")

    assert some_content(forum, digests=digests).digests == digests


def test_positions_move_on_file_by_file(db: None) -> None:
    save_positions({"1.journal": 100, "2.journal": 5})
    save_positions({"2.journal": 2**33})
    save_positions({})

    assert journal_positions() == {"1.journal": 100, "2.journal": 2**33}


def test_positions_of_journals_that_are_gone_are_forgotten(db: None) -> None:
    save_positions({"1.journal": 100, "2.journal": 5})

    forget_positions(name for name in ["1.journal", "9.journal"])

    assert journal_positions() == {"2.journal": 5}
