"""Asking for removal: four elements, nothing more; what is missing is named, what was typed is kept."""

from __future__ import annotations

from datetime import timedelta

import pytest

from staydown.access import rules
from staydown.access.models import Throttle
from staydown.access.operations import check_receipt
from staydown.access.terms import KeyKind, Platform
from staydown.cases.models import CaseRecord
from staydown.journeys.withdraw import withdraw_everything
from staydown.ledger.models import LedgerEntry
from staydown.notices.models import NoticeRecord
from staydown.notices.queries import notices_of_case
from staydown.notices.rules import MAX_ADDRESSES
from staydown.notices.terms import Signer
from tests.staydown.conftest import a_platform
from tests.staydown.doors import Clock, Screen, Window
from tests.staydown.survivor_site.conftest import AliceCase, open_with
from tests.staydown.survivor_site.test_register import number_and_phrase

POST = "http://127.0.0.1:8001/posts/1"
TYPED = {
    "adult": "yes",
    "location": POST,
    "good_faith": "yes",
    "statement": "I never agreed to this.",
    "contact": "alice@example.org",
    "signer": "depicted_person",
    "signature": "Alice",
}
# Each of the four elements left out alone: the field and what the page then says.
MISSING = {
    "location": "Give the web address of the post, so that it can be found.",
    "good_faith": "Tick the box that says you did not agree to this being shared.",
    "contact": "Give one way to reach you, such as an e-mail address. It may be an alias.",
    "signature": "Type your name, or a name you use, as your signature.",
}


def check_nothing_was_stored() -> None:
    assert not NoticeRecord.objects.exists()
    assert not CaseRecord.objects.exists()
    assert not LedgerEntry.objects.exists()


def kept(page: Screen) -> dict[str, str]:
    """What the form holds of what was typed."""
    values = page.form_to("/request").values
    return {name: values[name].strip() for name in TYPED if name in values}


def test_complete_request_gets_a_number_a_receipt_and_48_hours(alice: Window, forum: Platform) -> None:
    # When Alice sends the four elements, in a window without scripts
    page = alice.send("/request", **TYPED)

    # Then she sees its number and its deadline with zone, and a receipt that opens its case
    number, phrase = number_and_phrase(page)
    [notice] = notices_of_case(number)
    assert page.status == 200
    assert page.says(notice.number)
    assert page.says("Monday 9 March 2026, 20:30 UTC (48 hours left)")
    assert check_receipt(number=number, key_phrase=phrase) is KeyKind.KEY_PHRASE

    # And what she typed is what is kept
    assert (notice.urls, notice.signature, notice.contact) == ((POST,), "Alice", "alice@example.org")
    assert (notice.statement, notice.signer) == ("I never agreed to this.", Signer.DEPICTED_PERSON)

    # And the case is open in this window
    assert alice.open("/case").says(notice.number)


def test_request_with_nothing_but_the_four_elements_is_complete(alice: Window, forum: Platform) -> None:
    page = alice.send("/request", **{**TYPED, "statement": None, "signer": None})

    assert page.status == 200
    assert NoticeRecord.objects.get().statement == ""


def test_authorised_person_signs_for_somebody(alice: Window, forum: Platform) -> None:
    alice.send("/request", **{**TYPED, "signer": "authorised"})

    assert NoticeRecord.objects.get().signer == Signer.AUTHORISED


@pytest.mark.parametrize("element", list(MISSING))
@pytest.mark.parametrize("left", [None, "", "  \n "])
def test_each_missing_element_is_named_linked_and_everything_typed_is_kept(
    alice: Window, forum: Platform, element: str, left: str | None
) -> None:
    # When one element is missing
    page = alice.send("/request", **{**TYPED, element: left})

    # Then the summary names it and leads to its field
    assert page.status == 422
    assert page.says("One thing is still needed")
    assert page.says(MISSING[element])
    assert [link for link in page.links if link.startswith("#") and link != "#content"] == [f"#{element}"]
    assert element in page.ids
    assert f'aria-describedby="{element}-error"' in page.html or f" {element}-error" in page.html
    assert f"{element}-error" in page.ids

    # And the rest is still there, and nothing was stored
    assert kept(page) == {name: text for name, text in TYPED.items() if name != element} | (
        {} if element == "good_faith" else {element: ""}
    )
    check_nothing_was_stored()


def test_every_missing_element_is_named_at_once(alice: Window, forum: Platform) -> None:
    page = alice.send("/request", adult="yes")

    assert page.status == 422
    assert page.says("4 things are still needed")
    for sentence in MISSING.values():
        assert page.says(sentence)


def test_request_is_mended_in_one_step_from_the_page_that_came_back(alice: Window, forum: Platform) -> None:
    # Given a request that lacked its contact
    page = alice.send("/request", **{**TYPED, "contact": ""})

    # When only the contact is added
    sent = alice.send_from(page, action="/request", contact="alice@example.org")

    # Then
    assert sent.status == 200
    assert NoticeRecord.objects.get().signature == "Alice"


@pytest.mark.parametrize(
    ("location", "sentence"),
    [
        ("https://elsewhere.example/1", "The address on line 1 is on another site."),
        (f"{POST}\nhttps://127.0.0.1.evil.example/1", "The address on line 2 is on another site."),
        (f"{POST}\n\nnot an address", "Line 2 is not a web address."),
        ("javascript://127.0.0.1:8001/%0aalert(1)", "Line 1 is not a web address."),
        ("\n".join(f"{POST}{n}" for n in range(MAX_ADDRESSES + 1)), "21 addresses; at most 20 belong"),
    ],
)
def test_address_that_cannot_be_used_is_named_by_its_line(
    alice: Window, forum: Platform, location: str, sentence: str
) -> None:
    page = alice.send("/request", **{**TYPED, "location": location})

    assert page.status == 422
    assert page.says(sentence)
    assert "#location" in page.links
    assert kept(page)["location"].splitlines() == location.splitlines()
    check_nothing_was_stored()


def test_address_on_another_site_says_which_sites_are_served(alice: Window, forum: Platform) -> None:
    page = alice.send("/request", **{**TYPED, "location": "https://elsewhere.example/1"})

    assert page.says(f"only posts on {forum.url_prefix} can be removed")


@pytest.mark.parametrize(("name", "length"), [("signature", 200), ("statement", 5000), ("contact", 300)])
def test_text_that_is_too_long_is_named_and_kept(
    alice: Window, forum: Platform, name: str, length: int
) -> None:
    page = alice.send("/request", **{**TYPED, name: "x" * (length + 1)})

    assert page.status == 422
    assert page.says(f"This is longer than {length} characters. Please shorten it.")
    assert kept(page)[name] == "x" * (length + 1)
    check_nothing_was_stored()
    assert alice.send_from(page, action="/request", **{name: "x" * length}).status == 200


def test_whatever_is_typed_comes_back_as_text(alice: Window, forum: Platform) -> None:
    # Given
    typed = {name: f'"></textarea><script>alert("{name}")</script>' for name in (*MISSING, "statement")}

    # When
    page = alice.send("/request", **{**TYPED, **typed, "good_faith": "yes"})

    # Then
    assert page.status == 422
    assert "<script>alert" not in page.html
    assert kept(page)["signature"] == typed["signature"]


def test_address_in_the_link_to_this_page_is_filled_in_as_text(alice: Window, forum: Platform) -> None:
    page = alice.open("/request?url=http://127.0.0.1:8001/posts/1%3C/textarea%3E%3Cscript%3E")

    assert page.form_to("/request").values["location"] == "http://127.0.0.1:8001/posts/1</textarea><script>"


def test_addresses_on_two_platforms_become_two_requests_with_one_receipt(
    alice: Window, forum: Platform
) -> None:
    lagoon = a_platform("Lagoon", url_prefix="https://lagoon.example/")

    page = alice.send("/request", **{**TYPED, "location": f"{POST}\n{lagoon.url_prefix}x"})

    number, _ = number_and_phrase(page)
    assert {notice.platform_id for notice in notices_of_case(number)} == {forum.id, lagoon.id}


# --- age


def test_somebody_under_18_goes_the_minors_way_and_nothing_is_stored_or_counted(
    alice: Window, forum: Platform
) -> None:
    sent = alice.send("/request", **{**TYPED, "adult": "no"})

    assert (sent.status, sent.goes_to) == (302, "/help/under-18")
    check_nothing_was_stored()
    assert not Throttle.objects.exists()


@pytest.mark.parametrize("answer", [None, "", "perhaps"])
def test_question_about_age_must_be_answered(alice: Window, forum: Platform, answer: str | None) -> None:
    page = alice.send("/request", **{**TYPED, "adult": answer})

    assert page.status == 422
    assert page.says("Choose one of the two answers.")
    assert "#adult" in page.links
    assert "adult" in page.ids
    assert kept(page)["signature"] == "Alice"
    check_nothing_was_stored()


# --- with a case


def test_request_joins_the_open_case_and_needs_no_new_receipt(
    alice: Window, forum: Platform, her_case: AliceCase
) -> None:
    # Given
    open_with(alice, her_case.receipt)
    page = alice.open("/request")
    assert page.says(f"This request will be added to your open case {her_case.number}.")

    # When
    sent = alice.send_from(page, action="/request", **TYPED)

    # Then
    assert sent.status == 200
    assert 'id="key-phrase"' not in sent.html
    assert sent.says(f"This request belongs to your case {her_case.number}.")
    assert len(notices_of_case(her_case.number)) == 1
    assert CaseRecord.objects.count() == 1


def test_case_that_was_withdrawn_meanwhile_is_said_and_the_request_can_go_alone(
    alice: Window, forum: Platform, her_case: AliceCase, clock: Clock
) -> None:
    # Given a case withdrawn in another window
    open_with(alice, her_case.receipt)
    page = alice.open("/request")
    withdraw_everything(case_number=her_case.number, now=clock.now)

    # When
    refused = alice.send_from(page, action="/request", **TYPED)

    # Then she reads why, with everything kept, and can send it again as it is
    assert refused.status == 409
    assert refused.says("Your case was withdrawn.")
    assert kept(refused) == TYPED
    assert not NoticeRecord.objects.exists()
    assert alice.send_from(refused, action="/request").status == 200
    assert NoticeRecord.objects.get().case_id != her_case.number


def test_same_page_sent_twice_files_once(alice: Window, forum: Platform) -> None:
    # Given
    page = alice.open("/request")
    alice.send_from(page, action="/request", **TYPED)

    # When
    token = alice.open("/request").form_to("/request").values["csrfmiddlewaretoken"]
    again = alice.send_from(page, action="/request", csrfmiddlewaretoken=token, **TYPED)

    # Then
    assert again.status == 409
    assert again.says("Nothing was stored twice.")
    assert NoticeRecord.objects.count() == 1


def test_too_many_requests_from_one_address_must_wait_and_lose_nothing(
    alice: Window, forum: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given
    monkeypatch.setattr(rules, "SUBMISSION_RULE", rules.ThrottleRule(limit=1, window=timedelta(minutes=9)))
    alice.send("/request", **TYPED)

    # When
    page = alice.send("/request", **TYPED)

    # Then
    assert page.status == 429
    assert int(page.response.headers["Retry-After"]) > 0
    assert page.says("There were too many tries.")
    assert kept(page) == TYPED
    assert NoticeRecord.objects.count() == 1


def test_page_says_what_the_law_asks_for_and_where_that_stands(alice: Window, forum: Platform) -> None:
    page = alice.open("/request")

    assert page.says("Why these four things")
    assert page.says("47 U.S.C. 223a")
    assert page.says("Then the platform has 48 hours.")
