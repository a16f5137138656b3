"""Registering: fingerprints come in, a receipt goes out; doubt about age keeps nothing; no file is taken."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from staydown.access import rules
from staydown.access.models import ReceiptVerifier, Throttle
from staydown.access.operations import check_receipt
from staydown.access.terms import KeyKind
from staydown.bank.models import CodeRecord, EntryRecord
from staydown.cases.models import CaseRecord, RegistrationRecord
from staydown.cases.queries import case_by_number
from staydown.cases.rules import MAX_ITEMS
from staydown.config.installation import WEB
from staydown.journeys.withdraw import withdraw_everything
from staydown.ledger.models import LedgerEntry
from staydown.matching.terms import EntryState
from tests.staydown.conftest import a_code, an_item
from tests.staydown.doors import Clock, Screen, Window, a_submission
from tests.staydown.survivor_site.conftest import AliceCase, open_with

TABLES = (CaseRecord, RegistrationRecord, EntryRecord, CodeRecord, ReceiptVerifier, LedgerEntry)


def stored() -> dict[str, int]:
    """How many rows each table has that a registration writes."""
    return {table.__name__: table.objects.count() for table in TABLES}


def number_and_phrase(page: Screen) -> tuple[str, str]:
    """What the receipt page shows."""
    number = page.html.split('id="case-number">')[1].split("<")[0]
    phrase = page.html.split('id="key-phrase">')[1].split("<")[0]
    return number, phrase


@pytest.mark.parametrize("answer", [None, "no", "", "maybe", "YES "])
def test_doubt_about_age_goes_the_minors_way_and_nothing_is_stored_or_counted(
    alice: Window, answer: str | None
) -> None:
    # When fingerprints come without a clear yes
    sent = alice.send("/register", adult=answer, fingerprints=a_submission(an_item()))

    # Then
    assert (sent.status, sent.goes_to) == (302, "/help/under-18")
    assert set(stored().values()) == {0}
    assert not Throttle.objects.exists()
    assert "s" not in alice.client.cookies


def test_registered_pictures_are_in_the_bank_and_the_receipt_opens_their_case(
    alice: Window, clock: Clock
) -> None:
    # Given two pictures, one of them with too little detail for fingerprints
    items = [an_item(), an_item(codes=())]

    # When Alice sends them
    page = alice.send("/register", adult="yes", fingerprints=a_submission(*items))

    # Then she sees a number and seven words, and they belong together
    number, phrase = number_and_phrase(page)
    assert page.status == 200
    assert page.says("2 pictures are registered.")
    assert len(phrase.split()) == rules.KEY_PHRASE_WORDS == 7
    assert check_receipt(number=number, key_phrase=phrase) is KeyKind.KEY_PHRASE

    # And what she sent is in the bank, unconfirmed
    assert {(row.sha256, row.md5) for row in EntryRecord.objects.all()} == {
        (item.digests.sha256, item.digests.md5) for item in items
    }
    assert {bytes(row.code).hex() for row in CodeRecord.objects.all()} == {
        code.hex for code in items[0].fingerprints
    }
    assert {row.state for row in EntryRecord.objects.all()} == {EntryState.UNCONFIRMED}
    assert [row.near_matching for row in case_by_number(number).registrations] == [True, False]

    # And her case is open in this window
    assert alice.open("/case").says(f"Case {number}")


def test_key_phrase_is_shown_once_and_kept_nowhere(alice: Window) -> None:
    page = alice.send("/register", adult="yes", fingerprints=a_submission(an_item()))
    _, phrase = number_and_phrase(page)

    assert phrase not in alice.open("/case").html
    assert phrase not in json.dumps([list(table.objects.values()) for table in TABLES], default=str)
    assert phrase not in json.dumps(dict(alice.client.session))


def test_same_page_sent_twice_registers_once_and_says_so(alice: Window) -> None:
    # Given a page that was sent
    page = alice.open("/register")
    once: dict[str, Any] = {"adult": "yes", "fingerprints": a_submission(an_item())}
    number, _ = number_and_phrase(alice.send_from(page, action="/register", **once))
    before = stored()

    # When it is sent again, as by a reload or a second tap (with the token that the browser has by then)
    token = alice.open("/register").form_to("/register").values["csrfmiddlewaretoken"]
    again = alice.send_from(page, action="/register", csrfmiddlewaretoken=token, **once)

    # Then
    assert again.status == 409
    assert again.says(f"belongs to case {number}")
    assert again.says("Nothing was stored twice.")
    assert stored() == before


def test_form_without_its_mark_can_be_sent_more_than_once(alice: Window) -> None:
    for _ in range(2):
        sent = alice.send("/register", adult="yes", send_id="", fingerprints=a_submission(an_item()))
        assert sent.status == 200

    assert CaseRecord.objects.count() == 2


REFUSED = {
    "nothing": ("", "could not be read"),
    "half a text": (a_submission(an_item())[:100], "could not be read"),
    "deeply nested": ("[" * 100_000, "could not be read"),
    "another version": (a_submission(an_item(), version=2), "could not be read"),
    "no picture": (a_submission(), "No fingerprint arrived."),
    "too many": (
        a_submission(*[an_item(codes=()) for _ in range(MAX_ITEMS + 1)]),
        "101 pictures arrived; 100",
    ),
    "a bad second": (
        a_submission(an_item(), an_item(codes=(a_code(quality=10),))),
        "Picture 2 could not be used",
    ),
}


@pytest.mark.parametrize("name", list(REFUSED))
def test_unusable_fingerprints_are_answered_with_a_sentence_and_kept_in_the_form(
    alice: Window, name: str
) -> None:
    # When
    text, sentence = REFUSED[name]
    page = alice.send("/register", adult="yes", fingerprints=text)

    # Then the page says what is wrong, keeps the work, and nothing is stored
    assert page.status == 422
    assert page.says(sentence)
    assert page.form_to("/register").values["fingerprints"] == text
    assert set(stored().values()) == {0}
    assert "s" not in alice.client.cookies


def test_fingerprints_in_the_form_cannot_break_out_of_it(alice: Window) -> None:
    page = alice.send("/register", adult="yes", fingerprints='"><script>alert(1)</script>')

    assert page.status == 422
    assert "<script>alert" not in page.html


def test_refused_page_can_be_sent_again_from_where_it_stands(alice: Window) -> None:
    # Given a send that was refused
    page = alice.send("/register", adult="yes", fingerprints="{")

    # When it is mended and sent from the page that came back
    sent = alice.send_from(page, action="/register", adult="yes", fingerprints=a_submission(an_item()))

    # Then
    assert sent.status == 200
    assert number_and_phrase(sent)


def test_too_many_registrations_from_one_address_must_wait_and_lose_nothing(
    alice: Window, charlie: Window, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given an address that has sent as often as is allowed
    rule = rules.ThrottleRule(limit=2, window=timedelta(hours=1))
    monkeypatch.setattr(rules, "SUBMISSION_RULE", rule)
    for _ in range(2):
        charlie.send("/register", adult="yes", fingerprints=a_submission(an_item()))
    before, text = stored(), a_submission(an_item())

    # When it sends once more, ten minutes later
    clock.goes_on(minutes=10, seconds=0.5)
    page = charlie.send("/register", adult="yes", fingerprints=text)

    # Then it must wait, with its work kept
    assert page.status == 429
    assert page.response.headers["Retry-After"] == "3000"
    assert page.says("Please wait 50 minutes, then try again. Nothing is lost.")
    assert page.form_to("/register").values["fingerprints"] == text
    assert stored() == before

    # And Alice, elsewhere, need not
    assert alice.send("/register", adult="yes", fingerprints=a_submission(an_item())).status == 200

    # And later it may again
    clock.goes_on(hours=1)
    assert charlie.send("/register", adult="yes", fingerprints=text).status == 200


def test_file_that_somebody_attaches_is_taken_by_nobody(
    alice: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a form of which somebody made one that sends a file too
    page = alice.open("/register")
    secret = b"\xff\xd8\xff the bytes of a picture " * 1000
    file = SimpleUploadedFile("IMG_0001.jpg", secret, content_type="image/jpeg")
    values = page.form_to("/register").values | {"adult": "yes", "fingerprints": a_submission(an_item())}

    # When it is sent
    answer = alice.client.post("/register", {**values, "files": file})

    # Then the fingerprints are registered, and of the file nothing is left
    assert answer.status_code == 200
    assert not answer.wsgi_request.FILES
    assert set(answer.wsgi_request.POST) == {
        "csrfmiddlewaretoken",
        "send_id",
        "open_key",
        "adult",
        "fingerprints",
    }
    rows = json.dumps([list(table.objects.values()) for table in TABLES], default=str)
    assert "IMG_0001" not in rows
    assert "the bytes of a picture" not in rows


def test_no_input_of_the_page_would_send_a_file(alice: Window) -> None:
    page = alice.open("/register")

    assert page.form_to("/register").names == {
        "csrfmiddlewaretoken",
        "send_id",
        "open_key",
        "fingerprints",
        "adult",
    }
    assert "enctype" not in page.html


# --- adding to a case


def test_pictures_are_added_to_the_open_case_without_a_new_receipt(
    alice: Window, her_case: AliceCase
) -> None:
    # Given
    open_with(alice, her_case.receipt)

    # When
    sent = alice.send("/case/add", adult="yes", fingerprints=a_submission(an_item()))

    # Then
    assert (sent.status, sent.goes_to) == (302, "/case")
    assert [row.position for row in case_by_number(her_case.number).registrations] == [1, 2, 3]
    assert ReceiptVerifier.objects.count() == 1


def test_adding_the_same_page_twice_adds_once(alice: Window, her_case: AliceCase) -> None:
    open_with(alice, her_case.receipt)
    page = alice.open("/case/add")
    once = {"adult": "yes", "fingerprints": a_submission(an_item())}
    alice.send_from(page, action="/case/add", **once)

    again = alice.send_from(page, action="/case/add", **once)

    assert again.status == 409
    assert len(case_by_number(her_case.number).registrations) == 3


def test_doubt_about_age_adds_nothing_to_a_case_either(alice: Window, her_case: AliceCase) -> None:
    open_with(alice, her_case.receipt)
    before = stored()

    sent = alice.send("/case/add", adult="no", fingerprints=a_submission(an_item()))

    assert (sent.status, sent.goes_to) == (302, "/help/under-18")
    assert stored() == before


def test_charlie_without_the_receipt_is_asked_for_it_and_adds_nothing(
    charlie: Window, her_case: AliceCase
) -> None:
    # Given
    page = charlie.open("/register")
    before = stored()

    # When
    opened = charlie.open("/case/add")
    sent = charlie.send_from(
        Screen(page.response, path="/case/add"),
        action="/case/add",
        adult="yes",
        fingerprints=a_submission(an_item()),
    )

    # Then
    assert (opened.status, opened.goes_to) == (302, "/case")
    assert (sent.status, sent.goes_to) == (302, "/case")
    assert stored() == before


def test_nothing_can_be_added_to_a_withdrawn_case(alice: Window, her_case: AliceCase, clock: Clock) -> None:
    # Given a case that was withdrawn, still open in this window
    open_with(alice, her_case.receipt)
    withdraw_everything(case_number=her_case.number, now=clock.now)
    before = stored()

    # When
    page = alice.send("/case/add", adult="yes", fingerprints=a_submission(an_item()))

    # Then
    assert page.status == 422
    assert page.says("This case was withdrawn, so nothing can be added to it.")
    assert stored() == before


def test_page_and_server_agree_on_how_many_can_be_sent() -> None:
    script = (WEB / "register.js").read_text()

    assert f"const MAX_ITEMS = {MAX_ITEMS};" in script
