"""Copies are told to the platform that hosts them, and listed for the request that found them."""

from __future__ import annotations

import pytest

from staydown.access.terms import Platform
from staydown.action.errors import CopyNotFound
from staydown.action.operations import instruct_copies
from staydown.action.queries import copies_of, copy_by_id, has_endpoint
from staydown.action.terms import Copy, CopyKind, CopyState, CopyToRemove
from tests.staydown.conftest import NOW, a_filed_request, a_platform


def two_copies(forum: Platform, *, ids: tuple[str, str]) -> tuple[Copy, ...]:
    return instruct_copies(
        notice_number=a_filed_request().number,
        platform_id=forum.id,
        copies=[
            CopyToRemove("post-1", "http://127.0.0.1:8001/posts/1", CopyKind.NAMED),
            CopyToRemove("post-2", "http://127.0.0.1:8001/posts/2", CopyKind.EXACT),
        ],
        copy_ids=ids,
        message_ids=ids,
        now=NOW,
    )


def test_copy_is_told_whole_to_its_platform(forum: Platform) -> None:
    first, second = two_copies(forum, ids=("cpy_b", "cpy_a"))

    assert copy_by_id("cpy_b", platform_id=forum.id) == first
    assert (second.content_id, second.content_url) == ("post-2", "http://127.0.0.1:8001/posts/2")
    assert (second.kind, second.state) == (CopyKind.EXACT, CopyState.PENDING)


def test_unknown_copies_and_other_platforms_copies_are_not_found(forum: Platform) -> None:
    two_copies(forum, ids=("cpy_1", "cpy_2"))
    other = a_platform("Other", url_prefix="https://other.example/")

    for copy_id, platform_id in [("cpy_1", other.id), ("cpy_9", forum.id), ("cpy_1", "pf_none")]:
        with pytest.raises(CopyNotFound):
            copy_by_id(copy_id, platform_id=platform_id)


def test_copies_are_listed_by_request_in_the_order_found(forum: Platform) -> None:
    first, second = two_copies(forum, ids=("cpy_b", "cpy_a")), two_copies(forum, ids=("cpy_d", "cpy_c"))

    numbers = [first[0].notice_number, second[0].notice_number, "R-NONE-0000"]
    assert copies_of(numbers) == {numbers[0]: first, numbers[1]: second}
    assert copies_of([]) == {}


def test_platform_can_be_told_once_it_has_an_endpoint(forum: Platform) -> None:
    silent = a_platform("Silent", url_prefix="https://silent.example/", endpoint=False)

    assert has_endpoint(forum.id)
    assert not has_endpoint(silent.id)
