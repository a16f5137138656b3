"""The four elements, the clock, the table of transitions, and which address belongs to which platform."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from staydown.notices import rules
from staydown.notices.errors import (
    AddressNotUnderstood,
    ElementsMissing,
    NoticeError,
    NotOnThisPlatform,
    TextTooLong,
    TooManyAddresses,
    TransitionRefused,
)
from staydown.notices.terms import Element, NoticeAction, NoticeState
from tests.staydown.conftest import NOW, a_draft

FORUM = "http://127.0.0.1:8001/"
SITE = "https://forum.example/"
EMPTY: dict[Element, dict[str, Any]] = {
    Element.SIGNATURE: {"signature": ""},
    Element.LOCATION: {"urls": ()},
    Element.GOOD_FAITH: {"good_faith": False},
    Element.CONTACT: {"contact": ""},
}
COMBINATIONS = [chosen for count in range(5) for chosen in itertools.combinations(Element, count)]

OPEN, CLAIMED, REMOVED, NOT_REMOVED, WITHDRAWN = NoticeState
ALLOWED = {
    (OPEN, NoticeAction.CLAIM): CLAIMED,
    (CLAIMED, NoticeAction.CLAIM): CLAIMED,
    (CLAIMED, NoticeAction.RELEASE): OPEN,
    (CLAIMED, NoticeAction.REMOVE): REMOVED,
    (CLAIMED, NoticeAction.DECLINE): NOT_REMOVED,
    (OPEN, NoticeAction.WITHDRAW): WITHDRAWN,
    (CLAIMED, NoticeAction.WITHDRAW): WITHDRAWN,
}


@pytest.mark.parametrize("action", list(NoticeAction))
@pytest.mark.parametrize("state", list(NoticeState))
def test_each_state_and_action_leads_where_the_table_says_or_nowhere(
    state: NoticeState, action: NoticeAction
) -> None:
    expected = ALLOWED.get((state, action))

    assert rules.may(state, action) == (expected is not None)
    if expected is not None:
        assert rules.state_after(state, action) is expected
    else:
        with pytest.raises(TransitionRefused) as refused:
            rules.state_after(state, action)
        assert (refused.value.state, refused.value.action) == (state, action)


def test_nothing_leads_out_of_a_final_state_and_something_out_of_every_other() -> None:
    left = {state for state, _ in rules.TRANSITIONS}

    assert left & rules.FINAL_STATES == set()
    assert left | rules.FINAL_STATES == set(NoticeState)


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe"])
@pytest.mark.parametrize("received_at", [NOW, datetime(2026, 10, 31, 5, 59, 59, tzinfo=UTC)])
def test_deadline_is_48_hours_later_to_the_second_whatever_clocks_on_walls_do(
    zone: str, received_at: datetime
) -> None:
    # Given a request of a weekend on which clocks change, when its deadline is shown on a wall somewhere
    deadline_at = rules.deadline(received_at, window_hours=48)
    shown = deadline_at.astimezone(ZoneInfo(zone))

    # Then exactly 48 hours have passed by then, and the deadline itself is UTC
    assert shown.timestamp() - received_at.timestamp() == 48 * 3600
    assert deadline_at.utcoffset() == timedelta(0)


def test_deadline_falls_an_hour_later_on_the_wall_when_clocks_went_forward_in_between() -> None:
    deadline_at = rules.deadline(NOW, window_hours=48)

    wall = ZoneInfo("America/New_York")
    assert NOW.astimezone(wall).strftime("%H:%M") == "15:30"
    assert deadline_at.astimezone(wall).strftime("%a %H:%M") == "Mon 16:30"


@pytest.mark.parametrize("missing", COMBINATIONS, ids=lambda chosen: "+".join(chosen) or "none")
def test_missing_elements_are_all_named_in_the_order_of_the_act(missing: tuple[Element, ...]) -> None:
    changes = {name: value for element in missing for name, value in EMPTY[element].items()}
    draft = a_draft(**changes)

    assert rules.missing_elements(draft) == missing
    if missing:
        with pytest.raises(ElementsMissing) as refused:
            rules.check_complete(draft)
        assert refused.value.missing == missing
    else:
        rules.check_complete(draft)


@pytest.mark.parametrize("blank", [" ", "\n\t ", "\u00a0", "\u3000"])
def test_element_of_white_space_only_is_missing(blank: str) -> None:
    draft = a_draft(signature=blank, urls=(blank, blank), contact=blank)

    assert rules.missing_elements(draft) == (Element.SIGNATURE, Element.LOCATION, Element.CONTACT)


def test_statement_of_ones_own_is_not_asked_for() -> None:
    rules.check_complete(a_draft(statement=""))


@pytest.mark.parametrize(
    ("member", "element", "allowed"),
    [
        ("signature", Element.SIGNATURE, 200),
        ("statement", Element.GOOD_FAITH, 5_000),
        ("contact", Element.CONTACT, 300),
    ],
)
def test_text_may_be_as_long_as_we_keep_and_no_longer(member: str, element: Element, allowed: int) -> None:
    rules.check_complete(a_draft(**{member: "x" * allowed}))

    with pytest.raises(TextTooLong) as refused:
        rules.check_complete(a_draft(**{member: "x" * (allowed + 1)}))
    assert (refused.value.element, refused.value.allowed) == (element, allowed)


def test_twenty_addresses_are_taken_and_one_more_is_too_many() -> None:
    rules.check_complete(a_draft(*[f"{FORUM}{n}" for n in range(20)]))

    with pytest.raises(TooManyAddresses) as refused:
        rules.check_complete(a_draft(*[f"{FORUM}{n}" for n in range(21)]))
    assert (refused.value.found, refused.value.allowed) == (21, 20)


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("http://127.0.0.1:8001/posts/1", "http://127.0.0.1:8001/posts/1"),
        ("  HTTP://127.0.0.1:8001/posts/1\n", "http://127.0.0.1:8001/posts/1"),
        ("forum.example/Posts/1", "https://forum.example/Posts/1"),
        ("HTTPS://Forum.EXAMPLE/Posts/1", "https://forum.example/Posts/1"),
        ("https://forum.example", "https://forum.example/"),
        ("https://forum.example?p=1", "https://forum.example/?p=1"),
        ("https://forum.example/posts/1#comment-2", "https://forum.example/posts/1"),
        ("https://forum.example/?p=1&q=%20x#y", "https://forum.example/?p=1&q=%20x"),
        ("https://alice:secret@forum.example/posts/1", "https://forum.example/posts/1"),
        ("https://forum.example:443/posts/1", "https://forum.example/posts/1"),
        ("http://forum.example:80/posts/1", "http://forum.example/posts/1"),
        ("https://forum.example:/posts/1", "https://forum.example/posts/1"),
        ("https://forum.example:8443/posts/1", "https://forum.example:8443/posts/1"),
        ("http://[::1]:8001/posts/1", "http://[::1]:8001/posts/1"),
        ("localhost/posts/1", "https://localhost/posts/1"),
    ],
)
def test_address_is_compared_without_what_makes_no_difference(typed: str, address: str) -> None:
    assert rules.normalise_address(typed, position=1) == address


@pytest.mark.parametrize(
    "typed",
    [
        "javascript:alert(1)",
        "javascript://127.0.0.1:8001/%0aalert(1)",
        "data:text/html,hello",
        "data://127.0.0.1:8001/",
        "ftp://127.0.0.1:8001/posts/1",
        "file:///etc/hosts",
        "blob:http://127.0.0.1:8001/x",
        "http://",
        "https:///posts/1",
        "://",
        "posts/1",
        "my picture",
        "http://127.0.0.1:8001/posts/1 and more",
        "http://127.0.0.1:8001/posts/\n1",
        "http://127.0.0.1:8001/posts/\t1",
        "http://127.0.0.1:8001/posts/\u202e1",
        "\x00http://127.0.0.1:8001/posts/1",
        "http://127.0.0.1:8001\u00a0/posts/1",
        "http://127.0.0.1:port/",
        "http://127.0.0.1:65536/",
        "http://127.0.0.1:-1/",
        "http://[::1/",
        "http://[forum]/",
        "http://forum\u2100example/",
        "🙂",
    ],
)
def test_what_is_not_a_web_address_is_refused_with_its_position(typed: str) -> None:
    with pytest.raises(AddressNotUnderstood) as refused:
        rules.check_addresses([f"{FORUM}posts/1", typed], url_prefixes=[FORUM])
    assert refused.value.position == 2


@pytest.mark.parametrize(
    "typed",
    [
        "http://127.0.0.1:8001.evil.example/posts/1",
        "http://127.0.0.1:80011/posts/1",
        "http://127.0.0.1:800/posts/1",
        "http://127.0.0.1/posts/1",
        "http://127.0.0.1.evil.example:8001/posts/1",
        "http://127.0.0.1:8001@evil.example/posts/1",
        "http://127.0.0.1:8001%2f@evil.example/posts/1",
        "http://127.0.0.1:8001\\@evil.example/posts/1",
        "http://evil.example/http://127.0.0.1:8001/posts/1",
        "http://evil.example/?http://127.0.0.1:8001/posts/1",
        "http://evil.example/#http://127.0.0.1:8001/",
        "http://evil.example#@127.0.0.1:8001/",
        "http://127.0.0.1:8001:8001/posts/1",
        "http://127.1:8001/posts/1",
        "http://localhost:8001/posts/1",
        "http://①27.0.0.1:8001/posts/1",
    ],
)
def test_address_that_only_looks_like_the_platforms_is_never_taken_for_it(typed: str) -> None:
    with pytest.raises((NotOnThisPlatform, AddressNotUnderstood)):
        rules.check_addresses([typed], url_prefixes=[FORUM])


@pytest.mark.parametrize(
    "typed",
    [
        "https://forum.example.evil.example/",
        "https://evilforum.example/",
        "https://forum-example/",
        "https://fоrum.example/",  # the second letter is Cyrillic
        "https://forum.example./",
        "https://www.forum.example/",
        "https://xn--frum-0nd.example/",
    ],
)
def test_host_that_only_resembles_the_platforms_is_another_site(typed: str) -> None:
    with pytest.raises((NotOnThisPlatform, AddressNotUnderstood)):
        rules.check_addresses([typed], url_prefixes=[SITE])


def test_user_part_before_the_platforms_host_is_dropped_from_what_is_stored() -> None:
    owners = rules.check_addresses(["http://evil.example@127.0.0.1:8001/posts/1"], url_prefixes=[FORUM])

    assert owners == {"http://127.0.0.1:8001/posts/1": FORUM}


@pytest.mark.parametrize(
    ("path", "inside"),
    [
        ("community", True),
        ("community/", True),
        ("community/posts/1", True),
        ("community?post=1", True),
        ("communityx/posts/1", False),
        ("communit", False),
        ("", False),
        ("other/community/", False),
        ("Community/posts/1", False),
    ],
)
@pytest.mark.parametrize("prefix", [f"{SITE}community", f"{SITE}community/"])
def test_prefix_with_a_path_owns_what_lies_under_it(prefix: str, path: str, inside: bool) -> None:
    assert rules.belongs_to(f"{SITE}{path}", url_prefix=prefix) is inside


@pytest.mark.parametrize(
    "path", ["community/../other/1", "community/./1", "community/%2e%2E/other/1", "community\\..\\other"]
)
def test_address_that_climbs_out_of_a_prefix_is_not_under_it(path: str) -> None:
    with pytest.raises((NotOnThisPlatform, AddressNotUnderstood)):
        rules.check_addresses([f"{SITE}{path}"], url_prefixes=[f"{SITE}community/"])


@pytest.mark.parametrize("scheme", ["http://", "https://", ""])
@pytest.mark.parametrize("prefix", [SITE, "http://forum.example/"])
def test_address_is_stored_with_the_platforms_own_scheme(prefix: str, scheme: str) -> None:
    owners = rules.check_addresses([f"{scheme}forum.example/posts/1"], url_prefixes=[prefix])

    assert owners == {f"{prefix}posts/1": prefix}


@pytest.mark.parametrize("port", ["80", "443"])
def test_standard_port_of_either_scheme_is_the_same_place(port: str) -> None:
    scheme = {"80": "http", "443": "https"}[port]

    owners = rules.check_addresses([f"{scheme}://forum.example:{port}/posts/1"], url_prefixes=[SITE])

    assert owners == {f"{SITE}posts/1": SITE}


def test_addresses_that_mean_one_place_are_joined_in_the_order_typed() -> None:
    # Given one place typed four times between two others
    typed = [
        f"{SITE}posts/2",
        f"{SITE}posts/1",
        "http://forum.example/posts/1",
        f"{SITE}posts/1#comment",
        "FORUM.example/posts/1",
        f"{FORUM}posts/1",
    ]

    # Then it is there once, where it was typed first
    assert list(rules.check_addresses(typed, url_prefixes=[SITE, FORUM]).items()) == [
        (f"{SITE}posts/2", SITE),
        (f"{SITE}posts/1", SITE),
        (f"{FORUM}posts/1", FORUM),
    ]


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_prefixes_the_longer_one_owns_what_lies_under_both(order: int) -> None:
    prefixes = [SITE, f"{SITE}community/"][::order]

    owners = rules.check_addresses([f"{SITE}community/1", f"{SITE}posts/1"], url_prefixes=prefixes)

    assert owners == {f"{SITE}community/1": f"{SITE}community/", f"{SITE}posts/1": SITE}


def test_first_address_of_another_site_is_named_by_its_position() -> None:
    with pytest.raises(NotOnThisPlatform) as refused:
        rules.check_addresses([SITE, "evil.example", "other.example"], url_prefixes=[SITE])
    assert refused.value.position == 2


def test_no_address_belongs_anywhere_when_no_platform_is_served() -> None:
    with pytest.raises(NotOnThisPlatform):
        rules.check_addresses([SITE], url_prefixes=[])


@pytest.mark.parametrize("start", [SITE, "http://forum.example/", "forum.example/", "https://forum.example?"])
def test_address_of_more_than_2000_characters_is_refused_however_it_grew(start: str) -> None:
    # Given the longest address that is taken, and what is stored of it
    longest = 0
    for length in range(1_985, 2_005):
        typed = start + "x" * (length - len(start))
        try:
            [stored] = rules.check_addresses([typed], url_prefixes=[SITE])
        except AddressNotUnderstood:
            continue
        longest = max(longest, len(stored))

    # Then it fits into the column
    assert longest == rules.MAX_ADDRESS_LENGTH == 2_000


def test_address_of_2001_characters_is_refused() -> None:
    typed = SITE + "x" * (2_001 - len(SITE))

    with pytest.raises(AddressNotUnderstood):
        rules.normalise_address(typed, position=1)


@given(typed=st.text() | st.builds("{}{}".format, st.sampled_from([SITE, FORUM, "//", "http:"]), st.text()))
def test_any_text_is_an_address_of_the_platform_or_refused(typed: str) -> None:
    try:
        owners = rules.check_addresses([typed], url_prefixes=[SITE, FORUM])
    except NoticeError:
        return
    [(address, owner)] = owners.items()
    assert address.startswith(owner)
    assert len(address) <= rules.MAX_ADDRESS_LENGTH
    assert rules.check_addresses([address], url_prefixes=[SITE, FORUM]) == owners
